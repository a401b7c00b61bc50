"""The effect log. Nothing in it is unique on purpose: what happened twice is there twice."""

from typing import ClassVar

from django.db import models

from ajansops.kit.tenancy import Tenancy


class Effect(models.Model):
    """One row for each time that an item took effect."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    job = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.job} {self.key}"
