"""What one page says about a company. Everything in it is validated, deduplicated and capped."""

from dataclasses import dataclass, field

MAX_ENTRIES = 20  # e-mails, phones, socials of one page or organisation


def words(text: str) -> frozenset[str]:
    """A set written as a sentence: the long lists of this package stay readable."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. `country` is ISO 3166-1 alpha-2 where the page's word for it is known, else that word."""

    street: str = ""
    locality: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Geo:
    """WGS 84 degrees."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Organisation:
    """A company as the page's structured data gives it. E-mails in their normal form, phones in E.164."""

    name: str
    url: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    address: Address = field(default_factory=Address)
    geo: Geo | None = None
    socials: tuple[str, ...] = ()
    description: str = ""
    external_id: str | None = None  # a page knows none; sources with a place id fill it


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach whoever the page belongs to. `address` is one line; `lang` the base of the page's language."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    socials: tuple[str, ...] = ()
    address: str = ""
    lang: str = ""
