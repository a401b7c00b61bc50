"""A feed text in the order Google recommends: what it is, its key attributes, the details."""

from collections.abc import Sequence

from ajansops.ai.contract import WriteTask
from ajansops.ai.offline.clauses import Clause, details, fit, name, paragraphs, required, says_name
from ajansops.ai.offline.words import ended, shorten

_WHAT, _KEY, _DETAIL, _CLOSING = range(4)


def compose(task: WriteTask) -> str:
    """Plain text of at most `max_chars`, without promotional sentences."""
    own = name(task)
    found = [sentence for paragraph in paragraphs(task, promotion=False) for sentence in paragraph]
    what = found.pop(0) if found and says_name(found[0], own) else own
    keys = [Clause(ended(fact.text), _KEY) for fact in details(task)]
    text = [Clause(ended(sentence), _DETAIL, follows=True) for sentence in found]
    said = " ".join([what, *(clause.text for clause in (*keys, *text))])
    missing = required(task.voice, said)
    closing = [Clause(ended(" · ".join(missing)), _CLOSING)] if missing else []
    lead = [Clause(shorten(ended(what), task.max_chars), _WHAT)] if what else []
    rest = text[1:2] if task.complaints else text[1:]
    return fit([*lead, *closing, *text[:1], *keys, *rest], _render, task.max_chars)


def _render(clauses: Sequence[Clause]) -> str:
    return " ".join(clause.text for clause in sorted(clauses, key=lambda clause: clause.place))
