"""Tags from the product's own words and from what its picture shows."""

import re
from collections.abc import Iterable, Iterator

from ajansops.ai.contract import ProductFacts, TagTask
from ajansops.ai.offline import glossary
from ajansops.ai.offline.phrases import LABELS, NEVER_TAGS
from ajansops.ai.offline.pictures import Look
from ajansops.ai.offline.words import fold, lower, plain
from ajansops.kit.language import Language

MIN_CHARS, MAX_CHARS = 2, 30
_SPLIT = re.compile(r"[,;>|/]")
_TEXT_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_NEVER = frozenset(map(fold, NEVER_TAGS))
# Running text gives inflected and odd words, so those that no glossary knows only fill up to this many tags. From an
# English text they are left out in Turkish and Hungarian: a shop's tags are in one language.
_ENOUGH = 5
_MAX_READ = 10_000  # characters of a description that are looked at


def compose(task: TagTask, look: Look | None) -> tuple[str, ...]:
    """Lower case, best first: given tags and categories, then title, picture, description."""
    product, language = task.product, task.language
    foreign = language is not Language.EN and _is_english(product)
    written = Language.EN if foreign else language
    title, description = _words(product.title), _words(product.description[:_MAX_READ])
    best = [
        *(_labelled(text, language, written) for text in _parts((*product.tags, *product.categories))),
        *(() if foreign or "(" in product.title else (lower(plain(product.title), language),)),
        *(glossary.shop_word(word, language) for word in title),
        *(_seen(look, language) if look else ()),
        *(glossary.shop_word(word, language) for word in description),
    ]
    found = list(_unique(tag for tag in best if tag and _good(tag)))
    if len(found) < _ENOUGH and not foreign:
        more = (lower(word, language) for word in (*title, *description))
        found = list(_unique([*found, *filter(_good, more)]))[:_ENOUGH]
    return tuple(found[: task.max_tags])


def clean(tags: Iterable[str], language: Language, max_tags: int) -> tuple[str, ...]:
    """Tags from anywhere by the same rules: one line, lower case, 2 to 30 characters, no duplicates."""
    lowered = (lower(plain(tag).strip(" #,.;"), language) for tag in tags)
    return tuple(_unique(tag for tag in lowered if _good(tag)))[:max_tags]


def _is_english(product: ProductFacts) -> bool:
    # One known English word decides, unless the text has letters that English does not.
    # Tags do not count: those that people approved here are in the language of the market already.
    text = " ".join((product.title, product.description))
    return glossary.is_english(text) and not any(c in "çğışöüőűáéíóú" for c in text.lower())


def _parts(texts: Iterable[str]) -> Iterator[str]:
    return (part.strip(" #.") for text in texts for part in _SPLIT.split(plain(text)))


def _labelled(text: str, language: Language, written: Language) -> str:
    return glossary.noun(text, language) or lower(text, written)


def _words(text: str) -> list[str]:
    return [word for word in _TEXT_WORD.findall(plain(text)) if fold(word) not in _NEVER]


def _seen(look: Look, language: Language) -> Iterator[str]:
    for colour in look.colours:
        yield glossary.noun(colour, language) or colour
    labels = LABELS[language]
    yield {"landscape": labels.landscape, "portrait": labels.portrait, "square": labels.square}[look.orientation]


def _good(tag: str) -> bool:
    return MIN_CHARS <= len(tag) <= MAX_CHARS and any(map(str.isalpha, tag)) and fold(tag) not in _NEVER


def _unique(tags: Iterable[str]) -> Iterator[str]:
    """Without repeats; an English plural repeats its singular."""
    seen: set[str] = set()
    for tag in tags:
        key = fold(tag).removesuffix("s")
        if key not in seen:
            seen.add(key)
            yield tag
