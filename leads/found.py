"""What a source says about one company, before it is a lead. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from ajansops.kit.net import BadUrl, parse_url
from leads.extract import Address, Contact, Organisation

MAX_EMAILS = MAX_PHONES = MAX_SOCIALS = 20  # of one lead
MAX_URL = 2000  # characters

# How well a company can be reached: each part once, 100 together.
POINTS = {"emails": 40, "phones": 25, "website": 15, "address": 10, "socials": 10}


@dataclass(frozen=True, slots=True)
class Found:
    """Facts of one company. E-mails in their normal form, phones in E.164; JSON-able, since job items carry it.

    `host` is the `host[:port]` of the directory that listed it: a company's address on that same host names the
    company only together with its path. `weak` are e-mails and phones that do not tell companies apart, because
    several companies of one page have them or because the page they stand on is not the company's own.
    """

    company: str = ""
    contact: str = ""
    website: str = ""
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()
    address: dict[str, str] = field(default_factory=dict)
    latitude: float | None = None
    longitude: float | None = None
    socials: Sequence[str] = ()
    external_id: str = ""
    host: str = ""
    weak: Sequence[str] = ()

    @classmethod
    def of(cls, organisation: Organisation, *, host: str, weak: Sequence[str] = ()) -> Self:
        """From structured data on a page of `host`."""
        geo = organisation.geo
        return cls(
            company=clean(organisation.name),
            website=_website(organisation.url),
            emails=organisation.emails,
            phones=organisation.phones,
            address=_address(organisation.address),
            latitude=geo.lat if geo else None,
            longitude=geo.lon if geo else None,
            socials=list(map(clean, organisation.socials)),
            external_id=organisation.external_id or "",
            host=host,
            weak=[value for value in (*organisation.emails, *organisation.phones) if value in weak],
        )

    def to_json(self) -> dict[str, Any]:
        """`Found(**json)` is the way back."""
        return asdict(self)

    def enriched(self, contact: Contact, *, own_page: bool) -> Self:
        """With what one more page says; only a page on the company's own host makes it recognisable by that."""
        new = [v for v in (*contact.emails, *contact.phones) if v not in {*self.emails, *self.phones}]
        return replace(
            self,
            emails=merged(self.emails, contact.emails, MAX_EMAILS),
            phones=merged(self.phones, contact.phones, MAX_PHONES),
            socials=merged(self.socials, contact.socials, MAX_SOCIALS),
            address=self.address or ({"formatted": clean(contact.address)} if contact.address else {}),
            weak=self.weak if own_page else merged(self.weak, new, MAX_EMAILS + MAX_PHONES),
        )

    @property
    def reachable(self) -> bool:
        """Without e-mail, phone and website it is no lead."""
        return bool(self.emails or self.phones or self.website)

    @property
    def score(self) -> int:
        """0-100: the sum of `POINTS` for what is known."""
        return sum(points for name, points in POINTS.items() if getattr(self, name))


def merged(old: Sequence[str], new: Sequence[str], most: int) -> list[str]:
    """Old ones first, each once, at most `most`; what is already there is never dropped."""
    return list(dict.fromkeys([*old, *new]))[: max(most, len(old))]


def clean(text: str) -> str:
    """Without what PostgreSQL cannot store: NUL, and half characters that JSON escapes can spell."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _website(url: str) -> str:
    """In canonical form; empty for what nobody could fetch."""
    try:
        website = str(parse_url(url))
    except BadUrl:
        return ""
    return website if len(website) <= MAX_URL else ""


def _address(address: Address) -> dict[str, str]:
    return {name: clean(value) for name, value in asdict(address).items() if value}
