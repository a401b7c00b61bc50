"""What a company is recognised by. Pure.

A registrable domain stands for one company, unless many companies share the host: then the path belongs to it.
"""

import hashlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from tldextract import TLDExtract

from accounts.models import normal_email
from leads.extract.model import words
from leads.found import Found
from leads.models import IdentityKind

MAX_VALUE = 512  # characters, of the column

# Social networks, link pages, shop windows, maps and portals: registrable domains with a page for each company.
SHARED_DOMAINS = words(
    """
    about.me amazon.co.uk amazon.com amazon.com.tr amazon.de behance.net bit.ly booking.com business.site canva.site
    ciceksepeti.com dribbble.com ebay.com etsy.com facebook.com fb.com fb.me foursquare.com g.page goo.gl google.com
    google.com.tr google.hu hepsiburada.com instagram.com issuu.com linkedin.com linkin.bio linktr.ee medium.com n11.com
    notion.site pinterest.com sahibinden.com t.me telegram.me tiktok.com trendyol.com tripadvisor.com twitter.com
    vimeo.com wa.me whatsapp.com x.com xing.com yandex.com yandex.com.tr yell.com yelp.com youtu.be youtube.com
    """
)
# The snapshot in the package: no network. Private suffixes (blogspot.com, myshopify.com) count, each name is a tenant.
_SUFFIXES = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)

Key = tuple[str, str]  # an IdentityKind and its value


def keys_of(found: Found, source: str) -> list[Key]:
    """The surest first. A company that nothing else tells apart goes by its name on the page that listed it."""
    keys = keys_by_contact(found, source)
    if not keys and found.company:
        return [(IdentityKind.EXTERNAL.value, _fit(f"{source}:{found.host}/{found.company.casefold()}"))]
    return keys


def keys_by_contact(found: Found, source: str) -> list[Key]:
    """As `keys_of`, but a name alone is none: people may keep two companies of one name."""
    return list(dict.fromkeys((kind, _fit(value)) for kind, value in _keys(found, source)))


def _keys(found: Found, source: str) -> Iterator[Key]:
    if found.external_id:
        yield IdentityKind.EXTERNAL.value, f"{source}:{found.external_id}"
    if domain := website_key(found.website, found.host):
        yield IdentityKind.DOMAIN.value, domain
    for email in found.emails:
        if email not in found.weak:
            yield IdentityKind.EMAIL.value, normal_email(email)
    for phone in found.phones:
        if phone not in found.weak:
            yield IdentityKind.PHONE.value, phone


def website_key(url: str, listed_on: str = "") -> str:
    """`firma.com.tr`, or `facebook.com/firma` where many share the host; empty when the address names nobody.

    Shared are the known portals, the site of the directory that listed the company (its `host[:port]`), and hosts
    without a domain, such as an address or localhost, which are told apart by port as well. The front page of the
    directory stands for the directory itself, that of a portal for nobody.
    """
    return "".join(_site(url, listed_on))


def is_own_host(url: str, listed_on: str) -> bool:
    """Whether all that stands on the host of `url` is the company's."""
    host, path = _site(url, listed_on)
    return bool(host) and not path


def netloc(url: str) -> str:
    """`host`, with the port where one is written; lower case, without `www.`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removesuffix(".").removeprefix("www.")
    return f"{host}:{parts.port}" if parts.port else host


def _site(url: str, listed_on: str) -> tuple[str, str]:
    """The host and the path that together name the company; the path is empty when the host does it alone."""
    if not url:
        return "", ""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    domain = _domain(netloc(url))
    if domain in SHARED_DOMAINS:
        return (domain, path.lower()) if path else ("", "")
    if not domain or (domain == _domain(listed_on) and (path or netloc(url) != listed_on)):
        return netloc(url), path
    return domain, ""


def _domain(host: str) -> str:
    """The registrable domain; under a suffix nobody has registered the last two labels. Empty for an address."""
    host = host.partition(":")[0]
    known = _SUFFIXES(host).top_domain_under_public_suffix
    labels = host.split(".")
    return known or (".".join(labels[-2:]) if len(labels) > 1 and labels[-1].isalpha() else "")


def _fit(value: str) -> str:
    """A value longer than the column keeps its beginning and the digest of the whole."""
    if len(value) <= MAX_VALUE:
        return value
    return f"{value[: MAX_VALUE - 65]}#{hashlib.sha256(value.encode()).hexdigest()}"
