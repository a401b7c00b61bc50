"""What providers may know of our rows."""

from collections.abc import Iterable
from dataclasses import replace

from ajansops.ai.contract import ContentType, ProductFacts, TagTask, Voice, WriteTask
from ajansops.kit.language import base_language
from content.markup import plain
from content.models import Audience, Brand, Persona, Product, SpecialDay, Variant
from content.policy import MAX_CHARS

# Prices change and texts stay, so no text is told one.
PRICE = "Price"


def product_facts(product: Product) -> ProductFacts:
    """All that is known of it."""
    return ProductFacts(
        title=plain(product.title),
        description=plain(product.description),
        categories=tuple(product.categories),
        tags=tuple(product.tags),
        attributes=tuple((label, value) for label, value in product.attributes if label != PRICE),
    )


def voice(variant: Variant, brand: Brand | None) -> Voice:
    """Who it is written for, and how the brand speaks."""
    day = variant.special_day
    reader = Voice(
        persona=_described(variant.persona),
        audience=_described(variant.audience),
        special_day=_dated(day) if day else "",
    )
    if brand is None:
        return reader
    return replace(
        reader,
        brand=brand.name,
        tone=brand.voice,
        banned_words=tuple(brand.banned_words),
        required_words=tuple(brand.required_words),
        samples=tuple(brand.samples),
    )


def _described(who: Persona | Audience | None) -> str:
    return ": ".join(filter(None, (who.name, who.description))) if who else ""


def _dated(day: SpecialDay) -> str:
    return f"{day.name} ({day.date.isoformat()})" if day.date else day.name


def write_task(variant: Variant, brand: Brand | None) -> WriteTask:
    """The first try."""
    content_type = ContentType(variant.content_type)
    return WriteTask(
        content_type=content_type,
        language=base_language(variant.language),
        product=product_facts(variant.product),
        max_chars=MAX_CHARS[content_type],
        voice=voice(variant, brand),
    )


def tag_task(product: Product, locale: str) -> TagTask:
    """Without the picture."""
    return TagTask(language=base_language(locale), product=product_facts(product))


def without(tags: Iterable[str], known: Iterable[str]) -> list[str]:
    """`tags` less those in `known`, in any case, each once."""
    seen = {tag.casefold() for tag in known}
    kept = []
    for tag in tags:
        if tag.casefold() not in seen:
            seen.add(tag.casefold())
            kept.append(tag)
    return kept
