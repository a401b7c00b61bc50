"""Personal data of billing: the addresses of its mails."""

from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import QuerySet

from accounts.models import User
from ajansops.kit.personal import JSON, PersonalData
from billing.models import Notice


def _received(user_id: int) -> QuerySet[Any]:
    """At the addresses that are theirs."""
    own = User.objects.filter(pk=user_id).values_list("email", flat=True)
    proven = EmailAddress.objects.filter(user=user_id, verified=True).values_list("email", flat=True)
    return Notice.objects.filter(email__in={*own, *proven})


def _notices(user_id: int) -> Iterable[JSON]:
    return _received(user_id).values("id", "workspace_id", "kind", "email", "created_at", "sent_at").iterator()


def _delete(user_id: int) -> int:
    return _received(user_id).delete()[0]


ENTRIES = (
    PersonalData("billing.Notice", "billing_mails", "Mails about payments to them. Deleted.", _notices, _delete),
)
