"""What a workspace is subscribed to, what it has paid, and what Stripe has told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

import orjson
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from ajansops.kit.clock import now
from ajansops.kit.tenancy import Tenancy, TimeStamped, WorkspaceOwned, WorkspaceQuerySet
from billing.features import FEATURE_CHOICES
from billing.plans import FREE, PLANS, Plan
from billing.querysets import (
    BoostQuerySet,
    NoticeQuerySet,
    ReservationQuerySet,
    StripeEventQuerySet,
    SubscriptionQuerySet,
)
from billing.statuses import SERVED, Status

GRACE = timedelta(days=14)  # of somebody whose payment failed


class Subscription(TimeStamped):
    """One a workspace; without a row it is on the free plan. Without `stripe_id` an operator gave the plan.

    What is paid at Stripe is a copy of what Stripe said at `synced_at`; only `billing.sync` writes it.
    """

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE
    unlogged: ClassVar[frozenset[str]] = frozenset({"synced_at", "lease", "lease_until", "due_at", "failures"})

    workspace = models.OneToOneField("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    workspace_id: int
    plan = models.CharField(max_length=16, choices=[(code, code.title()) for code in PLANS], default=FREE.code)
    status = models.CharField(max_length=18, choices=Status, default=Status.ACTIVE, db_default=Status.ACTIVE)
    customer = models.CharField(max_length=255, blank=True, default="")  # Stripe's id of who pays; empty: nobody yet
    stripe_id = models.CharField(max_length=255, blank=True, default="", db_default="", editable=False)
    price_id = models.CharField(max_length=255, blank=True, default="", db_default="", editable=False)
    amount = models.PositiveBigIntegerField(null=True, editable=False, help_text="Hundredths, each interval.")
    currency = models.CharField(max_length=3, blank=True, default="", db_default="", editable=False)
    interval = models.CharField(max_length=5, blank=True, default="", db_default="", editable=False)  # month or year
    started_at = models.DateTimeField(null=True, editable=False)
    anchor = models.DateTimeField(null=True, editable=False, help_text="Its periods begin at this day and time.")
    period_start = models.DateTimeField(null=True, editable=False)
    period_end = models.DateTimeField(null=True, editable=False)
    trial_end = models.DateTimeField(null=True, editable=False)
    past_due_since = models.DateTimeField(null=True, editable=False, help_text="The first unpaid invoice's date.")
    cancel_at_period_end = models.BooleanField(default=False, db_default=False, editable=False)
    canceled_at = models.DateTimeField(null=True, editable=False, help_text="When that was decided.")
    ended_at = models.DateTimeField(null=True, editable=False)
    synced_at = models.DateTimeField(null=True, editable=False, help_text="As Stripe had it at this moment.")
    lease = models.UUIDField(null=True, editable=False)  # of whoever is asking Stripe
    lease_until = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(null=True, editable=False, help_text="Stripe is to be asked then, without any event.")
    failures = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)  # of asking, since it was due

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["customer"], condition=~Q(customer=""), name="billing_customer_pays_for_one"
            ),
        )
        indexes = (models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="billing_subscription_due"),)

    def __str__(self) -> str:
        return self.get_plan_display()

    @property
    def grace_until(self) -> datetime | None:
        """While its payment is late it is served until then."""
        late = self.status == Status.PAST_DUE and self.past_due_since
        return self.past_due_since + GRACE if late and self.past_due_since else None

    def plan_at(self, moment: datetime) -> Plan:
        """The plan in force: the free one when nothing is paid for."""
        grace = self.grace_until
        served = self.status in SERVED or (grace is not None and moment < grace)
        return PLANS[self.plan] if served else FREE


class Invoice(WorkspaceOwned):
    """A copy of Stripe's; a draft is left out. Amounts in hundredths."""

    stripe_id = models.CharField(max_length=255, unique=True)
    subscription_id = models.CharField(max_length=255, blank=True, help_text="Stripe's; empty: of none.")
    number = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16)  # open, paid, uncollectible, void
    reason = models.CharField(max_length=40, blank=True, help_text="Stripe's billing_reason.")
    plan = models.CharField(max_length=16, blank=True)
    interval = models.CharField(max_length=5, blank=True)
    currency = models.CharField(max_length=3)
    amount_due = models.BigIntegerField()
    amount_paid = models.BigIntegerField()
    attempts = models.PositiveIntegerField(default=0)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    issued_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    url = models.URLField(max_length=2048, blank=True, help_text="Where it can be seen and paid.")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("-issued_at", "-id")
        indexes = [models.Index(fields=["workspace", "-issued_at"], name="invoice_by_date")]

    def __str__(self) -> str:
        return self.number or self.stripe_id


class Purchase(WorkspaceOwned):
    """What was paid once, such as the setup pack. A checkout is fulfilled once."""

    session_id = models.CharField(max_length=255, unique=True)
    product = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    amount = models.PositiveBigIntegerField(help_text="Hundredths.")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.product


class EventState(models.TextChoices):
    """Of an event of Stripe's. Only `pending` is still to be handled."""

    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    FAILED = "failed"


class StripeEvent(models.Model):
    """Something Stripe told, kept as it came, once. Whose it is is known when it is handled.

    `reason` says why it was ignored, or what failed at the last try.
    """

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=255)
    customer = models.CharField(max_length=255, blank=True)
    livemode = models.BooleanField()
    body = models.TextField(editable=False)
    created_at = models.DateTimeField(help_text="When it happened, says Stripe.")
    received_at = models.DateTimeField(default=now)
    workspace = models.ForeignKey("accounts.Workspace", null=True, on_delete=models.CASCADE, related_name="+")
    workspace_id: int | None
    state = models.CharField(max_length=7, choices=EventState, default=EventState.PENDING)
    reason = models.CharField(max_length=255, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=now)
    handled_at = models.DateTimeField(null=True)

    objects = StripeEventQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = "Stripe event"
        indexes = [
            models.Index(fields=["not_before", "id"], condition=Q(state="pending"), name="stripe_event_due"),
            models.Index(fields=["created_at"], name="stripe_event_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

    @cached_property
    def told(self) -> Any:
        """As it came."""
        return orjson.loads(self.body)

    @property
    def data(self) -> Any:
        """The object that it is about, as it was then."""
        return self.told["data"]["object"]


class NoticeKind(models.TextChoices):
    """What is written to people about their payments and limits."""

    PAYMENT_FAILED = "payment_failed"
    WIN_BACK = "win_back"
    ANNUAL_OFFER = "annual_offer"
    USAGE_THRESHOLD = "usage_threshold"


class Notice(WorkspaceOwned):
    """A mail about payments to one address, once for what it is about. The row is the outbox."""

    personal: ClassVar[frozenset[str]] = frozenset({"email"})

    kind = models.CharField(max_length=20, choices=NoticeKind)
    source = models.CharField(max_length=255, help_text="What it is about, such as Stripe's id of the event.")
    email = models.EmailField(
        max_length=254, blank=True, help_text="An owner's. Empty: the Stripe customer's, as it is then."
    )
    facts = models.JSONField(default=dict)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, default=now, help_text="Of the next try. None: there is none.")
    sent_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["workspace", "kind", "source", "email"], name="billing_notice_once"),
        )
        indexes = (models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="billing_notice_due"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.email or 'customer'}"


class ReferralState(models.TextChoices):
    """What became of a referral."""

    HELD = "held"
    REWARDED = "rewarded"
    VOID = "void"


class Referral(TimeStamped):
    """Who brought a workspace that pays; the first one counts. For operators: each side would read the other's name."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    workspace = models.OneToOneField("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    workspace_id: int
    referrer = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    referrer_id: int
    state = models.CharField(max_length=8, choices=ReferralState, default=ReferralState.HELD)
    held_until = models.DateTimeField()
    currency = models.CharField(max_length=3, blank=True)
    credit = models.PositiveBigIntegerField(null=True, help_text="Hundredths.")
    settled_at = models.DateTimeField(null=True, help_text="When it was rewarded or found void.")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~Q(workspace=models.F("referrer")), name="billing_referral_of_another"),
        )

    def __str__(self) -> str:
        return f"{self.referrer} → {self.workspace}"


class MonthlyRevenue(models.Model):
    """What a workspace paid in a month, as it was at the month's end. Kept when the workspace is gone: a plain id."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    month = models.DateField(help_text="Its first day, UTC.")
    payer = models.PositiveBigIntegerField(help_text="Id of the workspace.")
    currency = models.CharField(max_length=3)
    amount = models.PositiveBigIntegerField(help_text="Hundredths a month; of a yearly price its twelfth.")

    class Meta:
        ordering = ("month", "payer")
        constraints = (models.UniqueConstraint(fields=["month", "payer"], name="billing_revenue_once"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.amount} {self.currency}"


class PlanLimit(models.Model):
    """What a plan allows of a feature, for whoever runs the installation to change. No limit when it is empty."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    plan = models.CharField(max_length=16, choices=[(code, code.title()) for code in PLANS])
    feature = models.CharField(max_length=32, choices=FEATURE_CHOICES)
    limit = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty is no limit; of a switch 0 is off.")
    edited = models.BooleanField(default=False, help_text="Somebody has changed it: sync_plans leaves it as it is.")

    class Meta:
        ordering = ("feature", "plan")
        constraints = (models.UniqueConstraint(fields=["plan", "feature"], name="billing_limit_once"),)

    def __str__(self) -> str:
        return f"{self.plan} {self.feature}"


class Boost(WorkspaceOwned):
    """More of a feature for one workspace, for a time."""

    feature = models.CharField(max_length=32, choices=FEATURE_CHOICES)
    amount = models.PositiveBigIntegerField(help_text="Is added to the plan's limit.")
    starts_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it never ends.")
    note = models.CharField(max_length=200, blank=True)

    objects = BoostQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["workspace", "feature"], name="boost_of_feature")]

    def __str__(self) -> str:
        return f"{self.feature} +{self.amount}"


class Period(models.Model):
    """A month in which a workspace's meters are counted, from `start` until before `end`. Never changed."""

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    workspace_id: int
    start = models.DateTimeField()
    end = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["workspace", "start"], name="billing_period_once"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="billing_period_has_length"),
        )

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d} – {self.end:%Y-%m-%d}"


class Usage(models.Model):
    """The counter of a meter in a period: the sum of its ledger, and the row that decides what may still be used."""

    tenancy: ClassVar[Tenancy] = Tenancy.CHILD
    tenant_path: ClassVar[str] = "period__workspace"

    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="usages")
    period_id: int
    feature = models.CharField(max_length=32, choices=FEATURE_CHOICES)
    used = models.PositiveBigIntegerField(default=0)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["period", "feature"], name="billing_usage_once"),)

    def __str__(self) -> str:
        return f"{self.feature}: {self.used}"


class Reservation(WorkspaceOwned):
    """What one piece of work takes of a meter. `reserved` counts as used; `settled` of it was really spent."""

    feature = models.CharField(max_length=32, choices=FEATURE_CHOICES)
    source = models.CharField(max_length=200)
    usage = models.ForeignKey(Usage, on_delete=models.CASCADE, related_name="reservations")
    usage_id: int
    reserved = models.PositiveBigIntegerField()
    settled = models.PositiveBigIntegerField(default=0)
    hold = models.DurationField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="Empty: nothing of it is to be given back.")
    metadata = models.JSONField(default=dict, blank=True, help_text="What the caller noted.")

    objects = ReservationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["workspace", "feature", "source"], name="billing_source_once"),
            models.CheckConstraint(condition=Q(settled__lte=models.F("reserved")), name="billing_settled_is_reserved"),
        )
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="reservation_by_expiry")
        ]

    def __str__(self) -> str:
        return f"{self.feature} {self.source}"


class EntryKind(models.TextChoices):
    """What a line of the ledger says."""

    RESERVE = "reserve"
    SETTLE = "settle"
    RELEASE = "release"
    REFUND = "refund"


class LedgerEntry(models.Model):
    """Written once and never changed. `units` is what it added to the counter, `quantity` what it is about."""

    tenancy: ClassVar[Tenancy] = Tenancy.CHILD
    tenant_path: ClassVar[str] = "reservation__workspace"

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=7, choices=EntryKind)
    part = models.CharField(max_length=100, blank=True)
    units = models.BigIntegerField()
    quantity = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=now)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = (models.UniqueConstraint(fields=["reservation", "part", "kind"], name="billing_entry_once"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity}"


class UsageNotice(models.Model):
    """So much of a limit is used: told to the workspace once a period, as an event and by mail."""

    tenancy: ClassVar[Tenancy] = Tenancy.CHILD
    tenant_path: ClassVar[str] = "period__workspace"
    unlogged: ClassVar[frozenset[str]] = frozenset({"told_at"})

    period = models.ForeignKey(Period, on_delete=models.CASCADE, related_name="+")
    feature = models.CharField(max_length=32, choices=FEATURE_CHOICES)
    percent = models.PositiveSmallIntegerField()
    used = models.PositiveBigIntegerField()
    limit = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=now)
    told_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["period", "feature", "percent"], name="billing_notice_once_a_period"),
        )
        indexes = [models.Index(fields=["id"], condition=Q(told_at=None), name="usage_notice_to_tell")]

    def __str__(self) -> str:
        return f"{self.feature} {self.percent} %"
