"""What can be said of a product, in clauses that can be left out one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ajansops.ai.contract import ProductFacts, Voice, WriteTask
from ajansops.ai.offline import glossary
from ajansops.ai.offline.phrases import BRAND_ATTRIBUTES, INTERNAL_ATTRIBUTES, LABELS, PROMOTIONS
from ajansops.ai.offline.words import Phrases, fold, plain, sentences, words
from ajansops.kit.language import Language

MAX_TITLE_OPTIONS = 3  # more options than these make a title a list
MAX_TITLE_PART = 40  # characters


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value, and the source's own words for it."""

    label: str
    value: str
    source: str

    @property
    def text(self) -> str:
        return f"{self.label}: {self.value}"

    @property
    def title_part(self) -> str:
        """As it may stand in a title without its label; empty when it would not be understood there."""
        options = self.value.split(",")
        if len(options) > MAX_TITLE_OPTIONS or len(self.value) > MAX_TITLE_PART:
            return ""
        return self.value if all(any(map(str.isalpha, option)) for option in options) else self.text


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of text. `place` orders clauses on the page; one that `follows` falls with the one before it."""

    text: str
    place: int
    follows: bool = False


def fit(clauses: Sequence[Clause], render: Callable[[Sequence[Clause]], str], max_chars: int) -> str:
    """The rendering of as many clauses as fit. `clauses` come best first."""
    kept: list[Clause] = []
    broken = False
    for clause in clauses:
        if clause.follows and broken:
            continue
        if len(render([*kept, clause])) <= max_chars:
            kept.append(clause)
        else:
            broken = broken or clause.follows
    return render(kept)


def banned(voice: Voice) -> Phrases:
    """The words the voice never says."""
    return Phrases(voice.banned_words)


def required(voice: Voice, said: str) -> list[str]:
    """The required words that `said` does not have. A word both required and banned is banned."""
    never = banned(voice)
    wanted = dict.fromkeys(plain(word) for word in voice.required_words)
    return [word for word in wanted if word and not never.found_in(word) and not Phrases([word]).found_in(said)]


def attributes(product: ProductFacts, language: Language) -> list[Fact]:
    """The attributes a shopper reads, without the brand."""
    return [
        Fact(plain(glossary.label(name, language)), plain(value), plain(value))
        for name, value in product.attributes
        if plain(name) and plain(value) and fold(value.strip()) not in INTERNAL_ATTRIBUTES
        if fold(name.strip()) not in INTERNAL_ATTRIBUTES and fold(name.strip()) not in BRAND_ATTRIBUTES
    ]


def brand(product: ProductFacts, language: Language) -> list[Fact]:
    """The brand, at most one."""
    named = [
        plain(value) for name, value in product.attributes if fold(name.strip()) in BRAND_ATTRIBUTES and plain(value)
    ]
    return [Fact(LABELS[language].brand, value, value) for value in named[:1]]


def category(product: ProductFacts, language: Language) -> list[Fact]:
    """The categories, as one fact at most."""
    names = list(dict.fromkeys(filter(None, map(plain, product.categories))))
    value = ", ".join(glossary.category(name, language) for name in names)
    return [Fact(LABELS[language].category, value, " ".join(names))] if names else []


def details(task: WriteTask) -> list[Fact]:
    """Attributes, brand and category without banned words; who it is written for decides which lead."""
    product, language, never = task.product, task.language, banned(task.voice)
    facts = attributes(product, language) + brand(product, language) + category(product, language)
    return _led_by([fact for fact in facts if not never.found_in(fact.text)], task.voice)


def name(task: WriteTask) -> str:
    """The product's title without the words the voice never says."""
    return banned(task.voice).cut_from(plain(task.product.title))


def paragraphs(task: WriteTask, *, promotion: bool = True) -> list[list[str]]:
    """The product's own description in sentences, without those that have a banned (or promotional) word."""
    never = Phrases((*task.voice.banned_words, *(() if promotion else PROMOTIONS)))
    lines = task.product.description[: task.max_chars * 2].splitlines()  # what is further away never fits
    kept = ([s for s in sentences(line.lstrip("-•* \t")) if not never.found_in(s)] for line in lines)
    return [paragraph for paragraph in kept if paragraph]


def says_name(sentence: str, title: str) -> bool:
    """Whether the sentence already has every word of the title."""
    return set(words(title)) <= set(words(sentence))


def _led_by(facts: list[Fact], voice: Voice) -> list[Fact]:
    # Facts that share a word with persona, audience or day come first; a digest turns the rest, so that variants
    # differ and yet are the same on every run and machine.
    who = " ".join(filter(None, (voice.persona, voice.audience, voice.special_day)))
    if not who or not facts:
        return facts
    turn = int.from_bytes(sha256(who.encode()).digest()[:4], "big") % len(facts)
    spoken = set(words(who))
    return sorted(facts[turn:] + facts[:turn], key=lambda fact: -len(spoken & set(words(fact.text))))
