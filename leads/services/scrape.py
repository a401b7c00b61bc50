"""Starting a scrape."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.entitlements import Feature, entitlements
from ajansops.kit.errors import DomainError, Invalid, Kind
from ajansops.kit.net import BadUrl, parse_url
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import NewItem
from jobs.models import Job
from jobs.services import start_job
from leads.found import MAX_URL
from leads.models import SCRAPED, Source
from sites.models import Site

KIND = "leads"
DEFAULT_LIMIT = 100  # leads kept
MAX_LIMIT = 1000
MAX_TERMS = 100


class ApifyNotConfigured(DomainError):
    """Apify is not configured: set APIFY_TOKEN, or use the source 'website'."""

    code = "apify_not_configured"
    kind = Kind.NOT_CONFIGURED


class SourceNotAvailable(DomainError):
    """This source of leads is not available here; use 'website'."""

    code = "source_not_available"
    kind = Kind.NOT_CONFIGURED


def start_scrape(
    actor: Actor,
    site: Site,
    *,
    source: str = Source.WEBSITE,
    terms: Sequence[str] | None = None,
    limit: int | None = None,
) -> Job:
    """A queued job; `JobRunning` while the site has one that is not finished. At most `limit` leads are kept.

    Raises `FeatureLimitReached` when the plan has not so many left; without a `limit` it takes what there is.
    Without `terms` the site's own are taken. Those of the source `website` are addresses of directories and companies.
    """
    actor.require(Permission.ADD_LEAD, on=site)
    _require_source(source)
    limit = _default_limit(actor) if limit is None else limit
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(errors={"limit": [gettext("From 1 to %(most)d.") % {"most": MAX_LIMIT}]})
    urls = _urls(site.lead_search_terms if terms is None else terms)
    return start_job(
        actor,
        KIND,
        [NewItem(f"list:{url}", {"url": url}) for url in urls],
        configuration={"site_id": site.pk, "source": source, "terms": urls, "limit": limit},
        subject=site.subject,
        units=limit,
    )


def _default_limit(actor: Actor) -> int:
    left = entitlements().left(actor.workspace_id, Feature.LEAD_SCRAPES)
    return DEFAULT_LIMIT if left is None else max(1, min(DEFAULT_LIMIT, left))


def _require_source(source: str) -> None:
    if source not in SCRAPED:
        message = gettext("Unknown source. Use one of: %(known)s.")
        raise Invalid(errors={"source": [message % {"known": ", ".join(SCRAPED)}]})
    if source == Source.APIFY and not settings.ENV.apify_token:
        raise ApifyNotConfigured
    if source != Source.WEBSITE:
        raise SourceNotAvailable


def _urls(terms: Sequence[str]) -> list[str]:
    if not 1 <= len(terms) <= MAX_TERMS:
        raise Invalid(errors={"terms": [gettext("From 1 to %(most)d addresses.") % {"most": MAX_TERMS}]})
    return list(dict.fromkeys(map(_url, terms)))


def _url(term: str) -> str:
    try:
        url = str(parse_url(term.strip()))
    except BadUrl:
        url = ""
    if not url or len(url) > MAX_URL:
        message = gettext("'%(term)s' is not an address such as https://example.com/companies.")
        raise Invalid(errors={"terms": [message % {"term": term[:100]}]})
    return url
