"""Who pays for what in the admin: subscriptions, invoices, what is used, Stripe's events, revenue.

Workspaces read their own; what operators give away or do at Stripe is for superusers.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.html import format_html
from unfold.decorators import action, display

from accounts.actors import operator
from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin, TenantAdmin, pretty
from ajansops.kit.actor import NO_WORKSPACE, Actor
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature
from ajansops.kit.errors import DomainError
from ajansops.kit.events import changed, publish, snapshot
from billing.charts import churn_chart, payers_chart, revenue_charts
from billing.features import NAMES
from billing.inbox import replay
from billing.labels import money
from billing.models import (
    Boost,
    Invoice,
    MonthlyRevenue,
    Notice,
    PlanLimit,
    Purchase,
    Referral,
    StripeEvent,
    Subscription,
)
from billing.plans import PLANS
from billing.referrals import code_of, void_referral
from billing.revenue import last_months
from billing.services import give_plan
from billing.statuses import FINAL
from billing.usage import summary

STATUS_COLOURS = {
    "trialing": "info",
    "active": "success",
    "past_due": "warning",
    "unpaid": "danger",
    "incomplete": "warning",
    "paused": "default",
    "canceled": "default",
    "incomplete_expired": "default",
}
INVOICE_COLOURS = {"paid": "success", "open": "warning", "uncollectible": "danger", "void": "default"}
EVENT_COLOURS = {"pending": "info", "done": "success", "ignored": "default", "failed": "danger"}
REFERRAL_COLOURS = {"held": "info", "rewarded": "success", "void": "default"}
INVOICES_SHOWN = 12
MONTHS_SHOWN = 12


class OperatorsAdmin(ReadOnlyAdmin):
    """The installation's own rows, and no workspace's: for superusers."""

    def _may(self, request: HttpRequest, action: str, row: Model | None) -> bool:
        return bool(request.user.is_superuser)


def _plan_action(plan: str) -> Any:
    @action(description=f"Give the {plan} plan, without payment")
    def give(self: Any, request: HttpRequest, rows: QuerySet[Subscription]) -> None:
        """What Stripe says next about a paid one is written over it."""

        def call(actor: Actor, row: Subscription) -> None:
            give_plan(actor, row, plan)

        self.for_each(request, rows, call, "Plans given")

    give.__name__ = f"give_{plan}"
    return give


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("workspace", "plan", "status_shown", "price", "period_end", "renews")
    list_filter = ("plan", "status", BY_WORKSPACE)
    list_select_related = ("workspace",)
    change_form_outer_after_template = "admin/billing/account.html"
    fields = (
        "workspace",
        "plan",
        "status_shown",
        "price",
        "started_at",
        "period_start",
        "period_end",
        "trial_end",
        "served_until",
        "cancel_at_period_end",
        "canceled_at",
        "ended_at",
        "customer",
        "stripe_id",
        "synced_at",
        "due_at",
        "failures",
        "referral_code",
    )
    actions = tuple(_plan_action(plan) for plan in PLANS)

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_shown(self, subscription: Subscription) -> str:
        """As a coloured label."""
        return subscription.status

    @display(description="Price")
    def price(self, subscription: Subscription) -> str:
        """Nothing for a plan that was given."""
        if subscription.amount is None:
            return "–"
        return f"{money(subscription.amount, subscription.currency)} / {subscription.interval}"

    @display(description="Renews", boolean=True)
    def renews(self, subscription: Subscription) -> bool:
        """Whether it goes on after its period."""
        return not (subscription.cancel_at_period_end or subscription.status in FINAL)

    @display(description="Served until")
    def served_until(self, subscription: Subscription) -> Any:
        """The end of the grace of a late payment."""
        return subscription.grace_until

    @display(description="Referral code")
    def referral_code(self, subscription: Subscription) -> str:
        """For others to type at checkout."""
        return code_of(subscription.workspace_id)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Plans are given by superusers only."""
        return super().get_actions(request) if request.user.is_superuser else {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """With what is used, boosted and billed below."""
        row = self.get_object(request, object_id) if object_id else None
        shown = _account(row.workspace_id) if row and self.has_view_permission(request, row) else {}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})


def _account(workspace_id: int) -> dict[str, Any]:
    standings = summary(operator(workspace_id))  # the page's own right was asked before
    return {
        "usage": [
            {
                "name": NAMES[feature],
                "share": min(100, round(standing.percentage)),
                "colour": _colour(standing.percentage),
                "used": _counted(feature, standing.used),
                "limit": None if standing.limit is None else _counted(feature, standing.limit),
                "reset_at": standing.reset_at,
            }
            for feature, standing in standings.items()
        ],
        "boosts": Boost.objects.in_force(now()).filter(workspace_id=workspace_id),
        "invoices": Invoice.objects.filter(workspace_id=workspace_id)[:INVOICES_SHOWN],
    }


def _counted(feature: Feature, quantity: int) -> str:
    return filesizeformat(quantity) if feature is Feature.STORAGE else number_format(quantity, force_grouping=True)


def _colour(percentage: float) -> str:
    return "bg-red-600" if percentage >= 100 else "bg-orange-500" if percentage >= 80 else "bg-primary-600"


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "workspace", "due", "status_shown", "issued_at", "paid_at", "attempts")
    list_filter = ("status", BY_WORKSPACE)
    list_select_related = ("workspace",)
    search_fields = ("number", "stripe_id")
    fields = (
        "workspace",
        "number",
        "status_shown",
        "due",
        "paid",
        "reason",
        "plan",
        "interval",
        "period_start",
        "period_end",
        "issued_at",
        "paid_at",
        "attempts",
        "next_attempt_at",
        "stripe_id",
        "link",
    )

    @display(description="Status", ordering="status", label=INVOICE_COLOURS)
    def status_shown(self, invoice: Invoice) -> str:
        """As a coloured label."""
        return invoice.status

    @display(description="Due", ordering="amount_due")
    def due(self, invoice: Invoice) -> str:
        """With its currency."""
        return money(invoice.amount_due, invoice.currency)

    @display(description="Paid", ordering="amount_paid")
    def paid(self, invoice: Invoice) -> str:
        """With its currency."""
        return money(invoice.amount_paid, invoice.currency)

    @display(description="At Stripe")
    def link(self, invoice: Invoice) -> str:
        """Where it can be seen and paid."""
        if not invoice.url.startswith("https://"):
            return "–"
        return format_html('<a class="text-primary-600" href="{0}" rel="noreferrer">{0}</a>', invoice.url)


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin):
    list_display = ("product", "workspace", "paid", "created_at")
    list_filter = ("product", BY_WORKSPACE)
    list_select_related = ("workspace",)
    search_fields = ("session_id",)
    fields = ("workspace", "product", "paid", "session_id", "created_at")

    @display(description="Paid", ordering="amount")
    def paid(self, purchase: Purchase) -> str:
        """With its currency."""
        return money(purchase.amount, purchase.currency)


@admin.register(Boost)
class BoostAdmin(TenantAdmin):
    """Workspaces see theirs; superusers give them."""

    list_display = ("feature", "amount", "workspace", "starts_at", "ends_at", "note")
    list_filter = ("feature", BY_WORKSPACE)
    list_select_related = ("workspace",)
    fields = ("workspace", "feature", "amount", "starts_at", "ends_at", "note")

    def _may(self, request: HttpRequest, action: str, row: Model | None) -> bool:
        return super()._may(request, action, row) and (action == "view" or request.user.is_superuser)


@admin.register(PlanLimit)
class PlanLimitAdmin(OperatorsAdmin):
    """What is changed here stays as it is when plans are synced."""

    list_display = ("feature", "plan", "limit", "edited")
    list_filter = ("plan", "feature", "edited")
    fields = ("plan", "feature", "limit", "edited")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """The limit is what can be changed; that it was, is noted."""
        return ["plan", "feature"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers'."""
        return self._may(request, "change", obj)

    def save_model(self, request: HttpRequest, obj: PlanLimit, form: Any, change: bool) -> None:
        """With a line in the log of what happens in no workspace."""
        before = snapshot(PlanLimit.objects.get(pk=obj.pk))
        obj.edited = obj.edited or "limit" in form.changed_data
        obj.save()
        publish(self.actor(request, NO_WORKSPACE), "plan_limit.updated", obj, changed(obj, before))


@admin.register(StripeEvent)
class StripeEventAdmin(OperatorsAdmin):
    list_display = ("type", "event_id", "customer", "workspace", "state_shown", "attempts", "received_at")
    list_filter = ("state", "type", "livemode")
    list_select_related = ("workspace",)
    search_fields = ("event_id", "customer", "type")
    date_hierarchy = "received_at"
    fields = (
        "event_id",
        "type",
        "customer",
        "workspace",
        "livemode",
        "state_shown",
        "reason",
        "attempts",
        "created_at",
        "received_at",
        "not_before",
        "handled_at",
        "body_shown",
    )
    actions = ("replay",)

    @display(description="State", ordering="state", label=EVENT_COLOURS)
    def state_shown(self, event: StripeEvent) -> str:
        """As a coloured label."""
        return event.state

    @display(description="Body")
    def body_shown(self, event: StripeEvent) -> str:
        """As Stripe sent it."""
        return pretty(orjson.loads(event.body))

    @action(description="Replay: read the customer anew from Stripe and handle it again")
    def replay(self, request: HttpRequest, rows: QuerySet[StripeEvent]) -> None:
        """Mails that were written and purchases that were fulfilled are not a second time."""
        done = replay(list(rows.values_list("event_id", flat=True)))
        self.message_user(request, f"Events to be handled again: {done}", messages.SUCCESS)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("kind", "address", "workspace", "created_at", "sent_at", "attempts", "next_at")
    list_filter = ("kind", BY_WORKSPACE)
    list_select_related = ("workspace",)
    fields = ("workspace", "kind", "address", "source", "facts", "created_at", "attempts", "next_at", "sent_at")
    json_fields = ("facts",)

    @display(description="To", ordering="email")
    def address(self, notice: Notice) -> str:
        """The customer's is only known when it is sent."""
        return notice.email or "the customer at Stripe"


@admin.register(Referral)
class ReferralAdmin(OperatorsAdmin):
    list_display = ("workspace", "referrer", "state_shown", "held_until", "reward", "settled_at")
    list_filter = ("state",)
    list_select_related = ("workspace", "referrer")
    fields = ("workspace", "referrer", "state_shown", "created_at", "held_until", "reward", "settled_at")
    actions = ("void",)

    @display(description="State", ordering="state", label=REFERRAL_COLOURS)
    def state_shown(self, referral: Referral) -> str:
        """As a coloured label."""
        return referral.state

    @display(description="Credited")
    def reward(self, referral: Referral) -> str:
        """To the referrer, at Stripe."""
        return "–" if referral.credit is None else money(referral.credit, referral.currency)

    @action(description="Void: no reward")
    def void(self, request: HttpRequest, rows: QuerySet[Referral]) -> None:
        """Only while it is held."""
        for referral in rows:
            try:
                void_referral(referral)
            except DomainError as error:
                self.message_user(request, f"{referral}: {error.message}", messages.ERROR)


@admin.register(MonthlyRevenue)
class RevenueAdmin(OperatorsAdmin):
    """Its list is the charts."""

    fields = ("month", "payer", "currency", "amount")

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        """Drawn by the copy of Chart.js that is Unfold's: nothing is asked of anybody outside."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, dict(extra_context or {}))
        months = last_months(MONTHS_SHOWN)
        context = {
            **self.admin_site.each_context(request),
            "title": "Revenue",
            "opts": self.opts,
            "revenue": revenue_charts(months),
            "churn": churn_chart(months),
            "payers": payers_chart(months),
            "months": list(reversed(months)),
        }
        return TemplateResponse(request, "admin/billing/revenue.html", context)
