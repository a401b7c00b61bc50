"""A description: the product's own sentences, then a list of its facts, as HTML."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from ajansops.ai.contract import Voice, WriteTask
from ajansops.ai.offline import glossary
from ajansops.ai.offline.clauses import Clause, banned, details, fit, name, paragraphs, required, says_name
from ajansops.ai.offline.phrases import LABELS
from ajansops.ai.offline.words import capital, ended, lower, plain, shorten, words

# Places on the page: paragraphs count from 0, then the list, then the closing line.
_LIST = 1_000_000
_CLOSING = _LIST + 1
_MAX_AUDIENCE = 60  # characters; a longer persona is a briefing, not something to print


def compose(task: WriteTask) -> str:
    """HTML of at most `max_chars`, mark-up counted."""
    text = _text(task)
    facts = [fact.text for fact in details(task)]
    said = " ".join([*(clause.text for clause in text), *facts])
    closing = [Clause(" · ".join(missing), _CLOSING)] if (missing := required(task.voice, said)) else []
    extras = [] if task.complaints else _extras(task, said)
    best_first = [*text[:1], *closing, *_items(facts), *text[1:], *_items(extras)]
    return fit(best_first, _render, task.max_chars)


def _text(task: WriteTask) -> list[Clause]:
    own, found = name(task), paragraphs(task)
    if not found:
        return [Clause(_cut(own, task.max_chars), 0)] if own else []
    if own and not says_name(found[0][0], own):
        found[0][0] = f"{own} – {found[0][0]}"
    clauses = [Clause(ended(s), place, follows=True) for place, para in enumerate(found) for s in para]
    first = clauses[0].text
    return [Clause(_cut(first, task.max_chars), 0), *clauses[1:]]


def _extras(task: WriteTask, said: str) -> list[str]:
    labels, never = LABELS[task.language], banned(task.voice)
    lines = (
        (labels.occasion, plain(task.voice.special_day)),
        (labels.tags, ", ".join(_new_tags(task, said))),
        (labels.audience, _audience(task.voice)),
    )
    texts = (f"{label}: {value}" for label, value in lines if value)
    return [text for text in texts if not never.found_in(text)]


def _new_tags(task: WriteTask, said: str) -> list[str]:
    known = set(words(said))
    tags = dict.fromkeys(filter(None, map(plain, task.product.tags)))
    new = [
        tag
        for tag in tags
        if not known.intersection((*words(tag), *(f"{word}s" for word in words(tag)))) and words(tag)
    ]
    shape = {lower(one, task.language) for one in LABELS[task.language].shapes}  # of the picture, not of the product
    shown = (glossary.noun(tag, task.language) or tag for tag in new)
    return list(dict.fromkeys(capital(tag, task.language) for tag in shown if lower(tag, task.language) not in shape))


def _audience(voice: Voice) -> str:
    short = (plain(text) for text in (voice.persona, voice.audience) if len(text) <= _MAX_AUDIENCE)
    return ", ".join(dict.fromkeys(filter(None, short)))


def _items(texts: Iterable[str]) -> list[Clause]:
    return [Clause(text, _LIST) for text in texts]


def _cut(sentence: str, max_chars: int) -> str:
    # Escaping makes text longer, so the room for it is found by trying.
    text = shorten(sentence, max_chars)
    while text and len(_render([Clause(_marked(text, sentence), 0)])) > max_chars:
        text = shorten(text, len(text) - 1) if " " in text else text[:-1]
    return _marked(text, sentence)


def _marked(text: str, whole: str) -> str:
    return text if text == whole or not text else f"{text}…"


def _render(clauses: Sequence[Clause]) -> str:
    in_place = groupby(sorted(clauses, key=lambda clause: clause.place), key=lambda clause: clause.place)
    return "".join(_block(place, [escape(clause.text, quote=False) for clause in group]) for place, group in in_place)


def _block(place: int, texts: list[str]) -> str:
    if place == _LIST:
        return f"<ul>{''.join(f'<li>{text}</li>' for text in texts)}</ul>"
    return f"<p>{' '.join(texts)}</p>"
