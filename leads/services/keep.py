"""Keeping what a scrape finds without keeping it twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from ajansops.kit.errors import Conflict
from leads.found import MAX_EMAILS, MAX_PHONES, MAX_SOCIALS, Found, merged
from leads.identity import Key, keys_of
from leads.models import Lead, LeadIdentity

LISTS = {"emails": MAX_EMAILS, "phones": MAX_PHONES, "socials": MAX_SOCIALS}  # only grow
BLANKS = ("company", "contact", "website", "address", "external_id")  # filled while they are empty
TRIES = 5  # of one save; each lost one means that another save of the same company has just committed


class LeadBusy(Conflict):
    """The lead is being changed by others; try again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A lead that was saved; neither is true of one that is as it was."""

    lead: Lead
    created: bool = False
    updated: bool = False


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
            updated = _complete(lead, found, site_id)
            LeadIdentity.objects.bulk_create(identities(lead, keys), ignore_conflicts=True)
            return Kept(lead, updated=updated)
        if lead := _create(workspace_id, found, keys, source, site_id):
            return Kept(lead, created=True)
    raise LeadBusy


def _known(workspace_id: int, keys: Sequence[Key]) -> Lead | None:
    """The lead with the surest of the keys, locked."""
    rows = carrying(workspace_id, keys).values_list("kind", "value", "lead_id")
    owners = {(kind, value): lead_id for kind, value, lead_id in rows}
    lead_id = next((owners[key] for key in keys if key in owners), None)
    return Lead.objects.select_for_update().filter(pk=lead_id).first() if lead_id else None


def carrying(workspace_id: int, keys: Iterable[Key]) -> QuerySet[LeadIdentity]:
    """The identities of the workspace that are among the keys, of which there is at least one."""
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
            LeadIdentity.objects.bulk_create(identities(lead, keys))
    except IntegrityError:
        if not carrying(workspace_id, keys).exists():
            raise
        return None
    return lead


def identities(lead: Lead, keys: Iterable[Key]) -> list[LeadIdentity]:
    """In one order everywhere, so that two transactions do not wait for each other."""
    return [
        LeadIdentity(workspace_id=lead.workspace_id, lead=lead, kind=kind, value=value) for kind, value in sorted(keys)
    ]


def _complete(lead: Lead, found: Found, site_id: int | None) -> bool:
    """Whether that changed it."""
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
    return bool(changed)
