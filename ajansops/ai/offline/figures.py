"""Numbers as people of each language write them."""

from ajansops.ai.contract import Evidence
from ajansops.ai.offline.audit_phrases import WORDS
from ajansops.ai.offline.metrics import metric
from ajansops.kit.language import Language

# English marks of thousands and decimals, as others have them.
_MARKS = {
    Language.EN: str.maketrans(",.", ",."),
    Language.TR: str.maketrans(",.", ".,"),
    Language.HU: str.maketrans(",.", "\u00a0,"),
}


def number(value: float, language: Language) -> str:
    """Up to two decimals; of something below 1, up to four."""
    places = 2 if abs(value) >= 1 else 4
    text = f"{value:,.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.translate(_MARKS[language])


def amount(value: float, name: str, currency: str, language: Language) -> str:
    """A value of the metric of that name, with its currency where it is money."""
    text = number(value, language)
    return f"{text} {currency}" if currency and metric(name).money else text


def percent(fraction: float, language: Language) -> str:
    """0.526 is +53 %, as the language writes it; below 10 % with a decimal."""
    size = abs(fraction) * 100
    text = number(round(size, 1 if size < 10 else 0), language)
    sign = "-" if fraction < 0 else "+"
    return f"{sign}%{text}" if language is Language.TR else f"{sign}{text}%"


def figures(evidence: Evidence, currency: str, language: Language) -> str:
    """`Value: 12.4 HUF. Usual: 8.1 HUF. Change: +53%.`, as far as it is known."""
    words, name = WORDS[language], evidence.metric
    parts = [f"{words.value}: {amount(evidence.value, name, currency, language)}."]
    if evidence.baseline is not None:
        parts.append(f"{words.usual}: {amount(evidence.baseline, name, currency, language)}.")
    if evidence.change is not None:
        parts.append(f"{words.change}: {percent(evidence.change, language)}.")
    return " ".join(parts)
