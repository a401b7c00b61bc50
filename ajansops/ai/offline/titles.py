"""A title: the product's name, then at most two facts that add something."""

from ajansops.ai.contract import WriteTask
from ajansops.ai.offline.clauses import Fact, details, name, required
from ajansops.ai.offline.words import shorten, words

MAX_EXTRAS = 2
_MIN_NAME = 20  # characters of the name that required words may not take away


def compose(task: WriteTask) -> str:
    """At most `max_chars`. Empty when every word of the product's name is banned and nothing else is known."""
    parts = _name_and_required(task)
    extras = 0 if task.complaints and parts else MAX_EXTRAS - len(parts[1:])
    for fact in details(task):
        if extras > 0 and _adds(parts, fact) and len(_joined([*parts, fact.title_part])) <= task.max_chars:
            parts.append(fact.title_part)
            extras -= 1
    return _joined(parts)


def _name_and_required(task: WriteTask) -> list[str]:
    own = name(task)
    wanted = required(task.voice, own)
    room = task.max_chars - sum(len(word) + 3 for word in wanted)
    own = shorten(own, min(task.max_chars, max(room, _MIN_NAME)))
    parts = [own] if own else []
    for word in wanted:
        if len(_joined([*parts, word])) <= task.max_chars:
            parts.append(word)
    return parts


def _adds(parts: list[str], fact: Fact) -> bool:
    said = set(words(" ".join(parts)))
    return bool(fact.title_part) and said.isdisjoint(words(fact.title_part)) and said.isdisjoint(words(fact.source))


def _joined(parts: list[str]) -> str:
    return " | ".join([" – ".join(parts[:2]), *parts[2:]])
