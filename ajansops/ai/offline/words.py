"""Words as the offline provider sees them: folded for comparing, cut only between words, lower-cased by language."""

import re
from collections.abc import Iterable

from ajansops.kit.language import Language

# All four Turkish i's compare equal. Folded text is as long as its original, so a span found in one fits the other.
_ONE_I = str.maketrans({"İ": "i", "I": "i", "ı": "i"})
_TURKISH_LOWER = str.maketrans({"I": "ı", "İ": "i"})
_TAG = re.compile(r"</?[a-zA-Z!][^>]*>")
_WORD = re.compile(r"[^\W_]+")
# A capital must follow, so that "approx. 5 cm" and "kb. 5 cm" stay whole.
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+(?=[\"'„“«(]?[A-ZÀ-ÖØ-ÞĞİŞŐŰ])")


def plain(text: str) -> str:
    """One line of text: no tags, no control characters, single spaces."""
    printable = "".join(c if c.isprintable() else " " for c in _TAG.sub(" ", text))
    return " ".join(printable.split())


def fold(text: str) -> str:
    """For comparing only. As long as `text`."""
    return text.translate(_ONE_I).lower()


def words(text: str) -> list[str]:
    """Folded words and numbers, in order."""
    return _WORD.findall(fold(text))


def lower(text: str, language: Language) -> str:
    """Lower case; in Turkish I becomes ı and İ becomes i."""
    return (text.translate(_TURKISH_LOWER) if language is Language.TR else text.replace("İ", "i")).lower()


def capital(text: str, language: Language) -> str:
    """The first letter upper case; in Turkish i becomes İ."""
    first = "İ" if language is Language.TR and text[:1] == "i" else text[:1].upper()
    return first + text[1:]


def sentences(text: str) -> list[str]:
    """The sentences of one paragraph."""
    line = plain(text)
    return _SENTENCE_END.split(line) if line else []


def ended(text: str) -> str:
    """`text` as a sentence: with a full stop unless it ends in one already."""
    return text if not text or text[-1] in ".!?…" else f"{text.rstrip(',;:')}."


def shorten(text: str, max_chars: int) -> str:
    """At most `max_chars`, cut between words. Only a first word longer than that is cut inside: the limit is hard."""
    if len(text) <= max_chars:
        return text
    if max_chars < 1:
        return ""
    head = text[: max_chars + 1].rpartition(" ")[0] or text[:max_chars]
    return head.rstrip(" ,;:–-|·&/(") or text[:max_chars]


class Phrases:
    """Phrases to look for. With a suffix one counts too ("ucuz" is in "ucuzluk"); inside a word it does not."""

    def __init__(self, phrases: Iterable[str]) -> None:
        spaced = (r"\s+".join(map(re.escape, fold(phrase).split())) for phrase in phrases)
        choices = "|".join(sorted(filter(None, spaced), key=len, reverse=True))
        self._pattern = re.compile(rf"(?<!\w)(?:{choices})\w*") if choices else None

    def found_in(self, text: str) -> bool:
        """Whether any of them is in `text`, in any letter case."""
        return self._pattern is not None and self._pattern.search(fold(text)) is not None

    def cut_from(self, text: str) -> str:
        """`text` without them."""
        if self._pattern is None:
            return text
        kept, start = [], 0
        for match in self._pattern.finditer(fold(text)):
            kept.append(text[start : match.start()])
            start = match.end()
        return " ".join("".join([*kept, text[start:]]).split()).strip(" ,;:–-|·&/")
