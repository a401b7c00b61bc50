"""The three languages of the product and how a caller names them."""

from enum import StrEnum

from ajansops.kit.errors import Invalid


class Language(StrEnum):
    """ISO 639-1."""

    EN = "en"
    HU = "hu"
    TR = "tr"


LOCALES = {Language.EN: "en-US", Language.TR: "tr-TR", Language.HU: "hu-HU"}


def parse_locale(tag: str, *, field: str = "language") -> str:
    """`tr`, `tr-tr` or `tr_TR` as the BCP 47 tag `tr-TR`; a language without region gets its main one.

    Raises `Invalid` naming `field` when the language is not one of ours.
    """
    base, _, region = tag.strip().replace("_", "-").partition("-")
    try:
        language = Language(base.lower())
    except ValueError:
        raise Invalid(
            errors={field: [f"Unknown language '{tag}'. Use one of: {', '.join(LOCALES.values())}."]}
        ) from None
    return (
        f"{language}-{region.upper()}"
        if len(region) == 2 and region.isascii() and region.isalpha()
        else LOCALES[language]
    )


def base_language(locale: str) -> Language:
    """The language of a tag that `parse_locale` made."""
    return Language(locale.partition("-")[0])
