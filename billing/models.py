"""What a workspace is subscribed to."""

from typing import ClassVar

from django.db import models

from ajansops.kit.tenancy import Tenancy, TimeStamped, WorkspaceQuerySet
from billing.plans import FREE, PLANS


class Subscription(TimeStamped):
    """One a workspace; without a row it is on the free plan."""

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    workspace = models.OneToOneField("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    plan = models.CharField(max_length=16, choices=[(code, code.title()) for code in PLANS], default=FREE.code)
    customer = models.CharField(max_length=255, blank=True, default="")  # Stripe's id of who pays; empty: nobody yet

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["customer"], condition=~models.Q(customer=""), name="billing_customer_pays_for_one"
            ),
        )

    def __str__(self) -> str:
        return self.get_plan_display()
