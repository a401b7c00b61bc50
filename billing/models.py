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

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.get_plan_display()
