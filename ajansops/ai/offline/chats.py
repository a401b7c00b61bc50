"""Answers from an insight's own evidence: what it says, what such a metric is in general, and what it does not say."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping

from ajansops.ai.contract import ChatTask, Evidence, Severity, Usage
from ajansops.ai.offline.audit_phrases import WORDS, Words
from ajansops.ai.offline.audits import turn_of, verdict
from ajansops.ai.offline.figures import figures, number
from ajansops.ai.offline.metrics import metric
from ajansops.ai.offline.words import fold, plain, shorten, words
from ajansops.kit.language import Language

_MAX_TEXT = 300
_MAX_FACTS = 20
_MEASURED = frozenset({"metric", "value", "baseline", "change"})
# Words that only one of the three languages has.
_TELLING = {
    Language.EN: "why what how is the are does did should can which when where this that it my our of high low",
    Language.TR: "neden niye niçin nasıl ne nedir bu şu mı mu mü için çok yüksek düşük hangi ve ile bir kaç yapmalıyız",
    Language.HU: "miért hogyan mit mi az ez hogy magas alacsony mennyi melyik kell és van lehet nem egy miatt tegyek",
}
_TELLING_WORDS = {language: frozenset(words(text)) for language, text in _TELLING.items()}
_WHY = re.compile(r"\b(why|cause[ds]?|reason|neden|nedeni|niye|nicin|niçin|sebep|sebebi|miért|oka|miatt)\b")


class OfflineAnswer:
    """Word by word, as a model would."""

    def __init__(self, text: str, usage: Usage) -> None:
        self._text = text
        self.usage = usage

    async def begin(self) -> None:
        """It is there."""

    async def __aiter__(self) -> AsyncIterator[str]:
        """Others get their turn between two words."""
        for piece in re.findall(r"\S+\s*", self._text):
            yield piece
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Nothing is open."""


def compose(task: ChatTask) -> str:
    """In the language of the question, where that can be told."""
    question = task.turns[-1].text
    language = _language(question, task.language)
    said, facts, evidence = WORDS[language], dict(task.facts), dict(task.evidence)
    if not evidence:
        return said.no_evidence
    parts = [*_severity(facts, said), *_measured(evidence, language), *_rest(evidence, language)]
    if _WHY.search(fold(question)):
        parts.append(said.no_cause)
    name = evidence.get("metric")
    if isinstance(name, str) and (meaning := metric(name).meaning.get(language)):
        parts.append(meaning)
    return "\n".join([*parts, said.all_there_is])


def _language(question: str, fallback: Language) -> Language:
    asked = words(question)
    hits = Counter({language: sum(word in known for word in asked) for language, known in _TELLING_WORDS.items()})
    (first, most), (_, second) = hits.most_common(2)
    return first if most > second else fallback


def _severity(facts: Mapping[str, object], said: Words) -> list[str]:
    names: dict[object, str] = dict(zip(Severity, said.severities, strict=True))
    name = names.get(facts.get("severity"))
    return [f"{said.severity}: {name}."] if name else []


def _measured(evidence: Mapping[str, object], language: Language) -> list[str]:
    """The documented four, where they are there."""
    name, value = evidence.get("metric"), _float(evidence.get("value"))
    if not isinstance(name, str) or value is None:
        return []
    change = _float(evidence.get("change"))
    line = figures(Evidence(name, value, _float(evidence.get("baseline")), change), "", language)
    judged = [verdict(turn_of(name, change), WORDS[language])] if change else []
    return [" ".join([f"{shorten(plain(name), _MAX_TEXT)} –", line, *judged])]


def _rest(evidence: Mapping[str, object], language: Language) -> list[str]:
    """Whatever else stands in it, as it stands there."""
    measured = isinstance(evidence.get("metric"), str) and _float(evidence.get("value")) is not None
    others = [(name, value) for name, value in evidence.items() if not (measured and name in _MEASURED)]
    texts = [f"{shorten(plain(name), _MAX_TEXT)}: {_shown(value, language)}" for name, value in others[:_MAX_FACTS]]
    return [f"{'; '.join(texts)}."] if texts else []


def _shown(value: object, language: Language) -> str:
    figure = _float(value)
    return shorten(plain(str(value)), _MAX_TEXT) if figure is None else number(figure, language)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
