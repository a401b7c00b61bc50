"""Mails about payments: written down in the transaction of what they tell, sent by a periodic task.

Nothing is lost while mail is away, and nothing comes twice: the row of each address is there once, and whoever sends it
claims it first. Of a process that dies while it sends, a second one may come, under the same Message-ID.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.db.models import F
from django.urls import reverse

from accounts.mail import tell
from accounts.models import Membership, normal_email
from ajansops.kit.clock import now
from ajansops.kit.errors import DomainError, Kind, UpstreamError, UpstreamTimeout
from billing.models import Notice, NoticeKind, Status, Subscription
from billing.payments import StripeNotConfigured, StripeRefused, gateway
from billing.prices import price_of
from billing.selectors import customer_of, upgrade_url

CUSTOMER = ""  # in place of an address: whatever Stripe has for the customer when the mail is sent
AT_ONCE = 50  # to owners, and as many to customers
FIRST_PAUSE = timedelta(minutes=2)  # longer than any mail server may take, so that nobody sends what is being sent
LONGEST_PAUSE = timedelta(hours=6)
LIFETIME = timedelta(days=14)  # of a mail that cannot be sent, and of the link in one that was
SALT = "billing.notice"
UNPAID = frozenset({Status.PAST_DUE, Status.UNPAID, Status.INCOMPLETE})


class PortalLinkGone(DomainError):
    """This link is not valid any more. Sign in to see your subscription."""

    code = "portal_link_gone"
    kind = Kind.NOT_FOUND


def notify(kind: NoticeKind, workspace_id: int, source: str, *, facts: Mapping[str, Any] | None = None) -> None:
    """Write it down for the owners, and for the Stripe customer when it is about a payment. In a transaction.

    `source` is what it is about: for one there is one mail, however often this is called.
    """
    owners = Membership.objects.filter(workspace_id=workspace_id).owners().order_by("pk")
    addresses = list(owners.values_list("user__email", flat=True))
    if kind != NoticeKind.USAGE_THRESHOLD and customer_of(workspace_id):
        addresses.append(CUSTOMER)
    rows = [
        Notice(workspace_id=workspace_id, kind=kind, source=source, email=address, facts=dict(facts or {}))
        for address in addresses
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def send_notices() -> dict[str, int]:
    """Those that are due, the customers' last: they need Stripe, too. Ends at the first failure: when mail or Stripe is
    away, each further try would wait for it.
    """
    sent, due = 0, Notice.objects.due(now()).select_related("workspace")
    for notice in [*due.exclude(email=CUSTOMER)[:AT_ONCE], *due.filter(email=CUSTOMER)[:AT_ONCE]]:
        if not _is_true(notice):
            _end(notice)
        elif _claim(notice):
            try:
                address = notice.email or _address_of_customer(notice.workspace_id)
            except StripeRefused:
                continue  # this one
            except (UpstreamError, UpstreamTimeout):
                break  # the rest would wait for Stripe, too
            if not address:
                _end(notice)
            elif _send(notice, address):
                sent += 1
            else:
                break
    return {"billing_notices_sent": sent}


def portal_of(token: str, return_url: str) -> str:
    """Stripe's page for the link of a mail. Raises `PortalLinkGone`, also for who is no owner any more."""
    return gateway().portal(customer_of(find(token).workspace_id), return_url)


def find(token: str) -> Notice:
    """The mail that the link came with. Raises `PortalLinkGone`."""
    try:
        pk = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature as error:
        raise PortalLinkGone from error
    notice = Notice.objects.filter(pk=pk, workspace__deleted_at=None).select_related("workspace").first()
    if notice is None or not customer_of(notice.workspace_id) or not _reads_still(notice):
        raise PortalLinkGone
    return notice


def _reads_still(notice: Notice) -> bool:
    owners = Membership.objects.filter(workspace_id=notice.workspace_id).owners()
    return notice.email == CUSTOMER or owners.filter(user__email=notice.email).exists()


def _is_true(notice: Notice) -> bool:
    """Whether it still says what is so: a mail that waited must not ask for money that was paid meanwhile."""
    if notice.workspace.deleted_at or now() > notice.created_at + LIFETIME:
        return False
    if notice.kind == NoticeKind.USAGE_THRESHOLD:
        return True
    subscription = Subscription.objects.filter(workspace_id=notice.workspace_id).first()
    if subscription is None:
        return False
    return {
        NoticeKind.PAYMENT_FAILED: subscription.status in UNPAID,
        NoticeKind.WIN_BACK: subscription.status == Status.CANCELED,
        NoticeKind.ANNUAL_OFFER: subscription.interval == "month" and subscription.status == Status.ACTIVE,
    }[NoticeKind(notice.kind)]


def _claim(notice: Notice) -> bool:
    """Compare and set: of two that send, one does. Of who dies in between it is due again after the pause."""
    pause = min(FIRST_PAUSE * 2 ** min(notice.attempts, 10), LONGEST_PAUSE)
    mine = Notice.objects.filter(pk=notice.pk, attempts=notice.attempts, next_at=notice.next_at)
    return bool(mine.update(attempts=F("attempts") + 1, next_at=now() + pause, updated_at=now()))


def _address_of_customer(workspace_id: int) -> str:
    """As Stripe has it now. Empty when it has none, or when an owner's own mail goes there."""
    try:
        address = normal_email(gateway().email_of(customer_of(workspace_id)))
    except (ValueError, StripeNotConfigured):
        return ""
    owners = Membership.objects.filter(workspace_id=workspace_id).owners()
    return "" if owners.filter(user__email=address).exists() else address


def _end(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(next_at=None, updated_at=now())


def _send(notice: Notice, address: str) -> bool:
    workspace = notice.workspace
    host = urlsplit(settings.ENV.public_url).hostname or "localhost"
    message_id = f"<billing.{notice.pk}.{int(notice.created_at.timestamp())}@{host}>"
    context = _context(notice)
    sent = tell(notice.kind, address, workspace.language, context, app="billing", message_id=message_id)
    if sent:
        Notice.objects.filter(pk=notice.pk).update(sent_at=now(), next_at=None, updated_at=now())
    return sent


def _context(notice: Notice) -> dict[str, Any]:
    path = reverse("billing_portal", args=[signing.dumps(notice.pk, salt=SALT)])
    context = {
        **notice.facts,
        "workspace": notice.workspace.name,
        "portal_url": settings.ENV.public_url.rstrip("/") + path,
        "upgrade_url": upgrade_url(notice.workspace_id),
    }
    if notice.kind == NoticeKind.ANNUAL_OFFER:
        plan, currency = notice.facts["plan"], notice.facts["currency"]
        yearly = price_of(plan, currency, "year").amount
        context |= {"yearly": yearly, "saved": 12 * price_of(plan, currency, "month").amount - yearly}
    return context
