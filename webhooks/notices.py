"""Mails about endpoints: to the workspace's owners and to whoever made it, when the first event is given up and when we
disable it.

Each is a row, written down once and removed when it is sent. One that fails moves back in the queue, so it holds up no
other. Of a process that dies while it sends, a second mail may come.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.mail import tell
from accounts.models import Membership
from ajansops.kit.clock import now
from webhooks.models import Endpoint, EndpointNotice, NoticeKind

AT_ONCE = 100
FIRST_PAUSE = timedelta(minutes=2)  # longer than any mail server may take, so that nobody sends what is being sent
LONGEST_PAUSE = timedelta(hours=6)
LIFETIME = timedelta(days=14)  # of a mail that cannot be sent


def send_notices() -> dict[str, int]:
    """Write down what is to be told, and send what is due."""
    moment = now()
    for endpoint in Endpoint.objects.unnoticed():
        _write_down(endpoint, NoticeKind.DISABLED, Endpoint.objects.unnoticed(), noticed_at=moment)
    for endpoint in Endpoint.objects.unwarned():
        _write_down(endpoint, NoticeKind.GIVEN_UP, Endpoint.objects.unwarned(), warned_at=moment)
    due = EndpointNotice.objects.filter(next_at__lte=now()).order_by("next_at")
    return {"webhook_notices_sent": sum(map(_sent, due.select_related("endpoint", "user", "workspace")[:AT_ONCE]))}


@transaction.atomic
def _write_down(endpoint: Endpoint, kind: NoticeKind, untold: QuerySet[Endpoint], **stamp: object) -> None:
    if untold.filter(pk=endpoint.pk).update(**stamp):
        about = {"workspace_id": endpoint.workspace_id, "endpoint": endpoint, "kind": kind, "next_at": now()}
        EndpointNotice.objects.bulk_create(EndpointNotice(user_id=user_id, **about) for user_id in _readers(endpoint))


def _readers(endpoint: Endpoint) -> list[int]:
    members = Membership.objects.filter(workspace=endpoint.workspace_id)
    owners: QuerySet[Membership] = Membership.objects.owners()
    return list(members.filter(Q(pk__in=owners) | Q(user=endpoint.creator_id)).values_list("user_id", flat=True))


def _sent(notice: EndpointNotice) -> bool:
    """False also for one that is not to be sent any more: it goes."""
    pause = min(FIRST_PAUSE * 2 ** min(notice.attempts, 10), LONGEST_PAUSE)
    mine = EndpointNotice.objects.filter(pk=notice.pk, attempts=notice.attempts)
    if not mine.update(attempts=F("attempts") + 1, next_at=now() + pause):
        return False  # another one sends it
    true = _is_true(notice)
    if true and not _mailed(notice):
        return False
    EndpointNotice.objects.filter(pk=notice.pk).delete()
    return true


def _is_true(notice: EndpointNotice) -> bool:
    """Whether it still says what is so, to somebody whom it concerns."""
    if now() > notice.created_at + LIFETIME:
        return False
    if notice.kind == NoticeKind.DISABLED and not notice.endpoint.disabled_reason:
        return False
    return Membership.objects.in_force().filter(workspace=notice.workspace_id, user=notice.user_id).exists()


def _mailed(notice: EndpointNotice) -> bool:
    endpoint, workspace = notice.endpoint, notice.workspace
    context = {"url": endpoint.url, "gone": endpoint.disabled_reason == "gone", "workspace": workspace.name}
    return tell(f"webhook_{notice.kind}", notice.user.email, workspace.language, context)
