"""Leads as people and programs write them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext

from accounts.models import Membership
from ajansops.kit.actor import Actor
from ajansops.kit.errors import Conflict, Invalid
from ajansops.kit.events import State, snapshot
from ajansops.kit.permissions import Permission
from ajansops.kit.writer import Writer
from leads import typed
from leads.extract.phones import guess_region
from leads.found import POINTS, Found
from leads.identity import Key, keys_by_contact, netloc, website_key
from leads.models import IdentityKind, Lead, LeadIdentity, Source
from leads.services.keep import carrying, identities
from sites.models import Site

FIELD_OF = {
    IdentityKind.EXTERNAL.value: "external_id",
    IdentityKind.DOMAIN.value: "website",
    IdentityKind.EMAIL.value: "emails",
    IdentityKind.PHONE.value: "phones",
}
EARTH = {"latitude": 90, "longitude": 180}  # degrees, either side of zero
Errors = dict[str, list[str]]
READERS: Mapping[str, Callable[[Any], Any]] = {
    "address": typed.address,
    "company": typed.line,
    "contact": typed.line,
    "emails": typed.emails,
    "socials": typed.urls,
    "tags": typed.tags,
    "website": typed.website,
}


class LeadWriter(Writer):
    """The identities of a lead stay in step with its contacts."""

    def cleaned(self, actor: Actor, row: Lead, fields: dict[str, Any]) -> dict[str, Any]:
        """Raises `Invalid` naming what is no address, no number, no member, no place."""
        errors: Errors = {}
        made = {**fields}
        _read(made, READERS, errors)
        if "phones" in made:
            _read(made, {"phones": partial(typed.phones, region=_region(row, made))}, errors)
        errors |= _strangers(actor, made) | _off_the_map(row, made)
        if errors:
            raise Invalid(errors=errors)
        return made if row.pk else _defaults(actor, made) | made

    def after_save(self, row: Lead, before: State) -> None:
        """New ones first: a scrape that takes one of them meanwhile wins or loses, and never waits in a circle."""
        own = set(row.identities.values_list("kind", "value"))
        after = snapshot(row)
        LeadIdentity.objects.bulk_create(identities(row, _keys(after) - _keys(before) - own))
        if gone := (_known_by(before) - _known_by(after)) & own:
            carrying(row.workspace_id, gone).filter(lead=row).delete()

    def refused(self, row: Lead, error: IntegrityError) -> Exception:
        """Names the fields by which the workspace knows another lead."""
        if not (keys := _keys(snapshot(row))):
            return error
        kinds = carrying(row.workspace_id, keys).exclude(lead=row.pk).values_list("kind", flat=True)
        message = gettext("Another lead has this value.")
        taken = {name: [message] for kind, name in FIELD_OF.items() if kind in set(kinds)}
        return Conflict(errors=taken) if taken else error


LEADS = LeadWriter(Lead, "lead", Permission.ADD_LEAD, Permission.CHANGE_LEAD, Permission.DELETE_LEAD)


def _read(made: dict[str, Any], readers: Mapping[str, Callable[[Any], Any]], errors: Errors) -> None:
    """What is given as its reader reads it; what that refuses goes from the one to the other."""
    for name in readers.keys() & made.keys():
        try:
            made[name] = readers[name](made.pop(name))
        except ValidationError as error:
            errors[name] = error.messages


def _region(row: Lead, made: Mapping[str, Any]) -> str | None:
    """Where a national number is at home: by the address, the website, the client's site, the workspace."""
    address, website, site = (made.get(name, getattr(row, name)) for name in ("address", "website", "site"))
    own = guess_region(website, "", address.get("country", ""))
    return own or guess_region(site.start_url if site else "", row.workspace.settings.get("locale", ""))


def _strangers(actor: Actor, made: Mapping[str, Any]) -> Errors:
    """Asked under the workspace's lock, so that nobody leaves and no site goes meanwhile."""
    owner, site = made.get("owner"), made.get("site")
    known = {
        "owner_id": not owner or Membership.objects.visible_to(actor).in_force().filter(user=owner).exists(),
        "site_id": not site or Site.objects.visible_to(actor).filter(pk=site.pk).exists(),
    }
    return {name: [gettext("Does not exist.")] for name, found in known.items() if not found}


def _off_the_map(row: Lead, made: Mapping[str, Any]) -> Errors:
    place = {name: made.get(name, getattr(row, name)) for name in EARTH}
    if set(place.values()) == {None}:
        return {}
    message = gettext("Latitude from -90 to 90 and longitude from -180 to 180, or neither.")
    wrong = [name for name, value in place.items() if value is None or not abs(value) <= EARTH[name]]  # NaN too
    return {name: [message] for name in wrong}


def _defaults(actor: Actor, made: Mapping[str, Any]) -> dict[str, Any]:
    """Of a new one: a program has a key, a person has none."""
    score = sum(points for name, points in POINTS.items() if made.get(name))
    return {"source": Source.API if actor.key_id else Source.MANUAL, "score": score}


def _keys(state: State) -> set[Key]:
    """What the lead is recognised by as its columns are; nothing for no columns."""
    if not state:
        return set()
    found = Found(**{name: state[name] for name in ("website", "emails", "phones", "external_id")})
    return set(keys_by_contact(found, state["source"]))


def _known_by(state: State) -> set[Key]:
    """With the website as the key of a company that a directory on the same host has listed."""
    website = state.get("website", "")
    return _keys(state) | {(IdentityKind.DOMAIN.value, website_key(website, netloc(website)))}
