"""Personal data of webhooks: who made endpoints, who waits for a mail about one, what events have told of people."""

from collections.abc import Iterable

import orjson
from allauth.account.models import EmailAddress
from django.db.models import Q

from ajansops.kit.personal import JSON, PersonalData, nothing
from webhooks.models import Endpoint, EndpointNotice, Event


def _made(user_id: int) -> Iterable[JSON]:
    return Endpoint.objects.filter(creator=user_id).values("id", "workspace_id", "url", "created_at").iterator()


def _unsign(user_id: int) -> int:
    return Endpoint.objects.filter(creator=user_id).update(creator=None)


def _awaited(user_id: int) -> Iterable[JSON]:
    return EndpointNotice.objects.filter(user=user_id).values("id", "workspace_id", "kind", "created_at").iterator()


def _withhold(user_id: int) -> int:
    return EndpointNotice.objects.filter(user=user_id).delete()[0]


def _forget(user_id: int) -> int:
    """Whole events, with their deliveries: their bytes are frozen, and some without the person would be others."""
    told = Q()
    for trace in _traces(user_id):
        told |= Q(body__holds=trace)
    found = list(Event.objects.filter(told).values_list("pk", flat=True))
    Event.objects.filter(pk__in=found).delete()
    return len(found)


def _traces(user_id: int) -> list[bytes]:
    """As they are in a body: the id as the object of a member has it, and each address as a text of its own. Only
    proven ones: whoever signs up with another's address does not delete what others are told of it.
    """
    proven = EmailAddress.objects.filter(user=user_id, verified=True).values_list("email", flat=True)
    return [b'"user_id":%d,' % user_id, *map(orjson.dumps, sorted(proven))]


ENTRIES = (
    PersonalData("webhooks.Endpoint", "webhooks", "Webhooks they made. They stay, made by nobody.", _made, _unsign),
    PersonalData("webhooks.EndpointNotice", "webhook_mails", "Mails to them that wait. Deleted.", _awaited, _withhold),
    PersonalData("webhooks.Event", "webhook_events", "What was told of them. Deleted, sent or not.", nothing, _forget),
)
