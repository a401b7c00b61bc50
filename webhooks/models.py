"""Who wants to be told, what is told, to whom it still has to be told, and which worker does so for a workspace."""

from __future__ import annotations

import base64
import secrets
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache, partial
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ajansops.kit.checks import complaints
from ajansops.kit.clock import now
from ajansops.kit.constraints import SameWorkspace
from ajansops.kit.crypto import decrypt, encrypt
from ajansops.kit.entitlements import Feature
from ajansops.kit.ids import random_text
from ajansops.kit.net import check_target
from ajansops.kit.tenancy import Tenancy, WorkspaceOwned, WorkspaceQuerySet
from webhooks.checks import check_patterns, means
from webhooks.querysets import DeliveryQuerySet, EndpointQuerySet, OutboxQuerySet

PURPOSE = "webhook secrets"  # of the key that they are encrypted with
BOTH_FOR = timedelta(hours=24)
MAX_URL = 2048


def event_id() -> str:
    """`evt_` and 142 bits."""
    return f"evt_{random_text(24)}"


def new_secret() -> str:
    """`whsec_` and 256 bits, as Standard Webhooks writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


class Signing(models.Model):
    """Has a secret, and for a day after a rotation the one before it too. Encrypted at rest."""

    secret = models.TextField(editable=False)
    old_secret = models.TextField(blank=True, editable=False)
    old_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def secrets(self) -> list[str]:
        """Those to sign with, newest first. Raises ValueError when the newest cannot be opened."""
        found = [_opened(self.secret)]
        if self.old_secret and self.old_until and self.old_until > now():
            with suppress(ValueError):  # what cannot be opened is what a rotation replaces
                found.append(_opened(self.old_secret))
        return found

    def renew_secret(self, secret: str) -> None:
        """Sign with this one and, for a day, with the present one. Unsaved."""
        self.old_secret, self.old_until = self.secret, now() + BOTH_FOR
        self.secret = sealed(secret)


def sealed(secret: str) -> str:
    """As it is kept."""
    return base64.b64encode(encrypt(PURPOSE, secret.encode())).decode()


@lru_cache(maxsize=1024)  # of those that send now, some dozens are asked for at each look
def _opened(kept: str) -> str:
    return decrypt(PURPOSE, base64.b64decode(kept)).decode()


def first_secret() -> str:
    """A new one, as it is kept."""
    return sealed(new_secret())


class Disabled(models.TextChoices):
    """Why an endpoint is not sent anything although nobody has switched it off."""

    GONE = "gone"  # it answered 410
    FAILING = "failing"  # for five days


class Endpoint(WorkspaceOwned, Signing):
    """An address that wants to be told. The counts are of attempts."""

    gauge: ClassVar[Feature | None] = Feature.WEBHOOKS
    unlogged: ClassVar[frozenset[str]] = frozenset(
        {"secret", "old_secret", "success_count", "failure_count", "consecutive_failures", "last_delivery_at"}
        | {"last_success_at", "failing_since", "gone_at", "noticed_at", "given_up_at", "warned_at"}
    )

    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    creator_id: int | None
    url = models.CharField(max_length=MAX_URL)
    events = models.JSONField(default=list, help_text="Types such as post.created, or post.*, or *.")
    is_active = models.BooleanField(default=True)
    success_count = models.PositiveIntegerField(default=0, editable=False)
    failure_count = models.PositiveIntegerField(default=0, editable=False)
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    last_delivery_at = models.DateTimeField(null=True, editable=False, help_text="When it was last tried.")
    last_success_at = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False, help_text="Nothing has succeeded since.")
    gone_at = models.DateTimeField(null=True, editable=False, help_text="When it answered 410.")
    disabled_reason = models.CharField(max_length=8, choices=Disabled, blank=True, editable=False)
    noticed_at = models.DateTimeField(null=True, editable=False, help_text="When mails about that were written down.")
    given_up_at = models.DateTimeField(
        null=True, editable=False, help_text="When an event was given up, the first since one has arrived."
    )
    warned_at = models.DateTimeField(null=True, editable=False, help_text="When mails about that were written down.")

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        verbose_name = "webhook"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="endpoint_of_workspace"),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(disabled_reason=""), name="endpoint_active_or_disabled"
            ),
        ]

    def __str__(self) -> str:
        return self.url

    def clean(self) -> None:
        """Raises ValidationError for an address that is not open to us, and for events that never come. Names are not
        looked up here, where rows are locked: `api.targets` does that before.
        """
        errors = {
            "url": complaints(partial(check_target, resolve=False), self.url),
            "events": complaints(check_patterns, self.events),
        }
        if any(errors.values()):
            raise ValidationError({name: found for name, found in errors.items() if found})
        self.events = list(dict.fromkeys(self.events))

    def wants(self, type: str) -> bool:
        """Whether one of its patterns means this event."""
        return any(means(pattern, type) for pattern in self.events)


class NoticeKind(models.TextChoices):
    """What a mail is about; also the end of its template's name."""

    DISABLED = "disabled"
    GIVEN_UP = "given_up"


class EndpointNotice(WorkspaceOwned):
    """A mail to somebody about an endpoint that is still to be sent. Afterwards it is removed."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    user_id: int
    kind = models.CharField(max_length=8, choices=NoticeKind)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_index=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [SameWorkspace("endpoint", name="webhook_notice_same_workspace")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Outbox(Signing):
    """A workspace's outgoing webhooks. One worker at a time sends them: that of the lease. So the bounds on how much is
    in flight are exact however many workers there are. The secret signs what goes to the `webhook_url` of jobs.
    """

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    workspace = models.OneToOneField("accounts.Workspace", primary_key=True, on_delete=models.CASCADE, related_name="+")
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    served_at = models.DateTimeField(db_default=Now(), help_text="When a worker last took it; longest ago is next.")

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "outboxes"

    def __str__(self) -> str:
        return f"outbox of {self.workspace_id}"


class Event(models.Model):
    """Something that happened, as it is told: these very bytes, however often and whenever they are sent."""

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    workspace_id: int
    public_id = models.CharField(max_length=40, unique=True, default=event_id, editable=False)
    type = models.CharField(max_length=64)
    body = models.BinaryField(editable=False)
    request_id = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="webhook_event_of_workspace")]
        indexes = [models.Index(fields=["workspace", "created_at"], name="webhook_event_by_time")]

    def __str__(self) -> str:
        return f"{self.public_id} {self.type}"


class DeliveryStatus(models.TextChoices):
    """Of a delivery. The last two are final."""

    PENDING = "pending"
    RETRYING = "retrying"
    SUCCESS = "success"
    FAILED = "failed"


class Delivery(models.Model):
    """An event on its way to one receiver. `next_attempt_at` is there as long as it is to be sent."""

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    workspace_id: int
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    event_id: int
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.CASCADE, related_name="deliveries")
    endpoint_id: int | None
    url = models.CharField(max_length=MAX_URL, blank=True, help_text="Of a job; an endpoint has its own.")
    lane = models.CharField(max_length=300, help_text="The receiver: what is slow there delays nothing elsewhere.")
    status = models.CharField(max_length=9, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, db_default=Now())
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.TextField(blank=True, help_text="Its beginning.")
    error = models.CharField(max_length=64, blank=True)
    last_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "deliveries"
        constraints = [
            SameWorkspace("event", name="delivery_event_same_workspace"),
            SameWorkspace("endpoint", name="delivery_endpoint_same_workspace"),
            models.CheckConstraint(condition=Q(endpoint=None) | Q(url=""), name="delivery_has_one_receiver"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "retrying"], next_attempt_at__isnull=False)
                | Q(status__in=["success", "failed"], next_attempt_at__isnull=True),
                name="delivery_open_has_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "lane", "next_attempt_at", "id"],
                condition=Q(next_attempt_at__isnull=False),
                name="delivery_by_lane",
            ),
            models.Index(fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="delivery_next"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
