"""Phone numbers in text, and the region in which a national number is to be read."""

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberMatcher,
    format_number,
    is_valid_number,
    parse,
)

from leads.extract.model import MAX_ENTRIES, words
from leads.extract.page import fold

MAX_TRIES = 2_000  # candidates that the matcher may look at on one page
MAX_RAW = 60  # characters of a single number as written

# Fax machines, and the registers' numbers that have as many digits as a phone.
NOT_A_PHONE = re.compile(
    r"(?:\bfax|\bfaks|belgegeçer|vergi|\bvkn|mersis|sicil|\biban|\bvat\b|adósz|cégjegy|company n|registration n)"
    r"[^\d\n]{0,16}$",
    re.IGNORECASE,
)
TELEPHONE = re.compile(r"\btel", re.IGNORECASE)

# Where a language is at home when the page says nothing else. English is at home in too many places.
HOME = {"tr": "TR", "hu": "HU"}
# Country codes that are sold to the whole world, and the one that is not its ISO code.
GENERIC_TLDS = words("ai cc co fm gg io me tv to ws")
UNUSUAL_TLDS = {"uk": "GB"}
# Names as `fold` leaves them.
COUNTRY_NAMES = {
    "england": "GB",
    "great britain": "GB",
    "hungary": "HU",
    "magyarorszag": "HU",
    "turkey": "TR",
    "turkiye": "TR",
    "uk": "GB",
    "united kingdom": "GB",
}


def country_code(name: str) -> str:
    """ISO 3166-1 alpha-2 for a code or a known name, else the words as they are."""
    known = COUNTRY_NAMES.get(fold(name))
    return known or (name.upper() if name.upper() in SUPPORTED_REGIONS else name)


def guess_region(url: str, lang: str, *countries: str) -> str | None:
    """The first known one of: the countries given, the host's TLD, the language tag's region, the language's home."""
    language, _, subtag = lang.lower().replace("_", "-").partition("-")
    candidates = (*map(country_code, countries), _tld_region(url), subtag.upper(), HOME.get(language, ""))
    return next((region for region in candidates if region in SUPPORTED_REGIONS), None)


def _tld_region(url: str) -> str:
    tld = (urlsplit(url).hostname or "").rpartition(".")[2]
    return "" if tld in GENERIC_TLDS else UNUSUAL_TLDS.get(tld, tld.upper())


def find_phones(text: str, region: str | None) -> list[str]:
    """The valid numbers of a text in E.164. With no region only international ones can be told."""
    matches = PhoneNumberMatcher(text, region, max_tries=MAX_TRIES)
    return [_e164(match.number) for match in matches if not _labelled_otherwise(text[: match.start][-40:])]


def _labelled_otherwise(before: str) -> bool:
    label = NOT_A_PHONE.search(before)
    return bool(label) and not TELEPHONE.search(before.rpartition("\n")[2])


def clean_phone(raw: str, region: str | None) -> str | None:
    """One number, as in `tel:` links and structured data, in E.164; None when it cannot be one."""
    try:
        number = parse(unquote(raw)[:MAX_RAW], region)
    except NumberParseException:
        return None
    return _e164(number) if is_valid_number(number) else None


def unique_phones(phones: Iterable[str | None]) -> tuple[str, ...]:
    """Each once, in their order."""
    return tuple(dict.fromkeys(phone for phone in phones if phone))[:MAX_ENTRIES]


def _e164(number: PhoneNumber) -> str:
    # An extension is not part of E.164 and is left out by the format.
    return format_number(number, PhoneNumberFormat.E164)
