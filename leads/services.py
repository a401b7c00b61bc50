"""Starting a scrape, and keeping what it finds without keeping it twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.errors import Conflict, DomainError, Invalid, Kind
from ajansops.kit.net import BadUrl, parse_url
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import NewItem
from jobs.models import Job
from jobs.services import start_job
from leads.found import MAX_EMAILS, MAX_PHONES, MAX_SOCIALS, MAX_URL, Found, merged
from leads.identity import Key, keys_of
from leads.models import Lead, LeadIdentity, Source
from sites.models import Site

KIND = "leads"
DEFAULT_LIMIT = 100  # leads kept
MAX_LIMIT = 1000
MAX_TERMS = 100
LISTS = {"emails": MAX_EMAILS, "phones": MAX_PHONES, "socials": MAX_SOCIALS}  # only grow
BLANKS = ("company", "contact", "website", "address", "external_id")  # filled while they are empty
TRIES = 5  # of one save; each lost one means that another save of the same company has just committed


class ApifyNotConfigured(DomainError):
    """Apify is not configured: set APIFY_TOKEN, or use the source 'website'."""

    code = "apify_not_configured"
    kind = Kind.NOT_CONFIGURED


class SourceNotAvailable(DomainError):
    """This source of leads is not available here; use 'website'."""

    code = "source_not_available"
    kind = Kind.NOT_CONFIGURED


class LeadBusy(Conflict):
    """The lead is being changed by others; try again."""


def start_scrape(
    actor: Actor,
    site: Site,
    *,
    source: str = Source.WEBSITE,
    terms: Sequence[str] | None = None,
    limit: int | None = None,
) -> Job:
    """A queued job; `JobRunning` while the site has one that is not finished. At most `limit` leads are kept.

    Without `terms` the site's own are taken. Those of the source `website` are addresses of directories and companies.
    """
    actor.require(Permission.ADD_LEAD, on=site)
    _require_source(source)
    limit = DEFAULT_LIMIT if limit is None else limit
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid(errors={"limit": [gettext("From 1 to %(most)d.") % {"most": MAX_LIMIT}]})
    urls = _urls(site.lead_search_terms if terms is None else terms)
    return start_job(
        actor,
        KIND,
        [NewItem(f"list:{url}", {"url": url}) for url in urls],
        configuration={"site_id": site.pk, "source": source, "terms": urls, "limit": limit},
        subject=site.subject,
    )


def _require_source(source: str) -> None:
    if source not in Source.values:
        message = gettext("Unknown source. Use one of: %(known)s.")
        raise Invalid(errors={"source": [message % {"known": ", ".join(Source.values)}]})
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


@dataclass(frozen=True, slots=True)
class Kept:
    """A lead that was saved."""

    lead: Lead
    created: bool


@transaction.atomic
def save_lead(workspace_id: int, found: Found, *, source: str, site_id: int | None = None) -> Kept | None:
    """Add the company, or complete the lead that it already is. None when there is no way to reach it.

    Called by work that was started with the right to add leads. An existing lead gets new e-mails, phones and socials
    and its blanks filled; nothing that stands there changes. When the facts fit several leads, the surest identity
    decides and the others stay as they are.
    """
    keys = keys_of(found, source)
    if not (found.reachable and keys):
        return None
    for _ in range(TRIES):
        if lead := _known(workspace_id, keys):
            _complete(lead, found, site_id)
            LeadIdentity.objects.bulk_create(_identities(lead, keys), ignore_conflicts=True)
            return Kept(lead, created=False)
        if lead := _create(workspace_id, found, keys, source, site_id):
            return Kept(lead, created=True)
    raise LeadBusy


def _known(workspace_id: int, keys: Sequence[Key]) -> Lead | None:
    """The lead with the surest of the keys, locked."""
    rows = _carrying(workspace_id, keys).values_list("kind", "value", "lead_id")
    owners = {(kind, value): lead_id for kind, value, lead_id in rows}
    lead_id = next((owners[key] for key in keys if key in owners), None)
    return Lead.objects.select_for_update().filter(pk=lead_id).first() if lead_id else None


def _carrying(workspace_id: int, keys: Sequence[Key]) -> QuerySet[LeadIdentity]:
    any_of = Q()
    for kind, value in keys:
        any_of |= Q(kind=kind, value=value)
    return LeadIdentity.objects.filter(any_of, workspace_id=workspace_id)


def _create(workspace_id: int, found: Found, keys: Sequence[Key], source: str, site_id: int | None) -> Lead | None:
    """None when another transaction was quicker with one of the keys: look again."""
    try:
        with transaction.atomic():
            lead = Lead.objects.create(
                workspace_id=workspace_id,
                site_id=site_id,
                source=source,
                score=found.score,
                latitude=found.latitude,
                longitude=found.longitude,
                **{name: getattr(found, name) for name in (*LISTS, *BLANKS)},
            )
            LeadIdentity.objects.bulk_create(_identities(lead, keys))
    except IntegrityError:
        if not _carrying(workspace_id, keys).exists():
            raise
        return None
    return lead


def _identities(lead: Lead, keys: Sequence[Key]) -> list[LeadIdentity]:
    """In one order everywhere, so that two transactions do not wait for each other."""
    return [
        LeadIdentity(workspace_id=lead.workspace_id, lead=lead, kind=kind, value=value) for kind, value in sorted(keys)
    ]


def _complete(lead: Lead, found: Found, site_id: int | None) -> None:
    changes: dict[str, Any] = {
        name: merged(getattr(lead, name), getattr(found, name), most) for name, most in LISTS.items()
    }
    changes |= {name: getattr(found, name) for name in BLANKS if getattr(lead, name) in ("", {})}
    if lead.latitude is None:
        changes |= {"latitude": found.latitude, "longitude": found.longitude}
    if lead.site_id is None:
        changes["site_id"] = site_id
    changed = [name for name, value in changes.items() if getattr(lead, name) != value]
    for name in changed:
        setattr(lead, name, changes[name])
    if changed:
        lead.save(update_fields=[*changed, "updated_at"])
