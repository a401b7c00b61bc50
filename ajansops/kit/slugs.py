"""Names as parts of addresses."""

from django.utils.text import slugify

# Letters that Unicode does not take apart, so that `slugify` would drop them.
LETTERS = str.maketrans({"ı": "i", "İ": "I", "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"})


def slug_of(text: str, *, most: int) -> str:
    """At most that many characters of a-z, 0-9, - and _; nothing for a text without a Latin letter or a digit."""
    return slugify(text.translate(LETTERS))[:most].strip("-_")
