"""What a text must and must not be before anybody sees it. Pure; the complaints are English, for models and people."""

import re
import unicodedata
from collections.abc import Sequence

from ajansops.ai.contract import ContentType
from ajansops.kit.language import Language
from content.markup import line, plain, written_html

# Characters, mark-up included: https://support.google.com/merchants/answer/7052112 for title and description.
MAX_CHARS = {ContentType.TITLE: 150, ContentType.DESCRIPTION: 5000, ContentType.GOOGLE_FEED: 5000}

_MARKUP = re.compile(r"<[a-z/!]|&(?:#\w+|[a-z]\w*);", re.IGNORECASE)
_WORD = re.compile(r"\w+")
# Words that carry grammar, not facts: a longer text cannot do without them, and other languages hardly use them.
_GRAMMAR = {
    Language.EN: frozenset("the and with for this your from that are you it of to".split()),  # noqa: SIM905
    Language.TR: frozenset("ve ile için bir bu olarak çok daha gibi olan da her".split()),  # noqa: SIM905
    Language.HU: frozenset("és egy az hogy nem vagy ez mint ami csak még meg".split()),  # noqa: SIM905
}
_ENOUGH = 4  # grammar words of a foreign language that cannot be chance


def cleaned(content_type: ContentType, text: str) -> str:
    """Safe to store: a description as HTML of our few tags, the others on one line."""
    return written_html(text) if content_type is ContentType.DESCRIPTION else line(text)


def complaints(
    content_type: ContentType,
    text: str,
    language: Language,
    *,
    banned: Sequence[str] = (),
    required: Sequence[str] = (),
    check_language: bool = True,
) -> tuple[str, ...]:
    """What is wrong with a cleaned text; empty when nothing is.

    `check_language` is off for the offline provider, which quotes a shop's facts in the shop's own language.
    """
    found = [_too_long(content_type, text), *_word_faults(text, language, banned, required)]
    readable = plain(text)
    if not readable:
        found.append("The text is empty.")
    if content_type is not ContentType.DESCRIPTION and _MARKUP.search(text):
        found.append("It contains HTML, but must be plain text.")
    if check_language and (other := foreign_language(readable, language)):
        found.append(f"It is written in '{other}', but must be in '{language}'.")
    return tuple(fault for fault in found if fault)


def _too_long(content_type: ContentType, text: str) -> str:
    limit = MAX_CHARS[content_type]
    return f"It has {len(text)} characters; {limit} are allowed." if len(text) > limit else ""


def _word_faults(text: str, language: Language, banned: Sequence[str], required: Sequence[str]) -> list[str]:
    folded = fold(plain(text), language)
    used = [word for word in banned if _occurs(word, folded, language, whole=True)]
    # A required word may carry an ending: Turkish and Hungarian would be ungrammatical otherwise.
    missing = [word for word in required if not _occurs(word, folded, language, whole=False)]
    return [f"It uses the banned word '{word}'." for word in used] + [
        f"It lacks the required word '{word}'." for word in missing
    ]


def _occurs(word: str, folded: str, language: Language, *, whole: bool) -> bool:
    wanted = re.escape(fold(line(word), language))
    if not wanted:
        return not whole  # an empty entry bans nothing and requires nothing
    return re.search(rf"(?<!\w){wanted}" + (r"(?!\w)" if whole else ""), folded) is not None


def fold(text: str, language: Language) -> str:
    """The form in which upper and lower case are equal. In Turkish, I is the capital of ı and İ that of i."""
    text = unicodedata.normalize("NFC", text)
    if language is Language.TR:
        text = text.replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", text.casefold().replace("i\u0307", "i"))


def foreign_language(readable: str, language: Language) -> Language | None:
    """Another of our languages whose grammar words clearly outnumber those of `language`. Cheap, and never sure."""
    words = _WORD.findall(fold(readable, language))
    counts = {one: sum(word in grammar for word in words) for one, grammar in _GRAMMAR.items()}
    most = max(counts, key=lambda one: counts[one])
    clear = counts[most] >= _ENOUGH and counts[most] > 2 * counts[language]
    return most if clear and most is not language else None
