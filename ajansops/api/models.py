"""What the API keeps for itself."""

from typing import ClassVar

from django.db import models

from ajansops.kit.tenancy import Tenancy


class RowCount(models.Model):
    """A line of what `kit.counting` adds up."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    name = models.CharField(max_length=63)
    workspace_id = models.BigIntegerField()
    rows = models.BigIntegerField()

    class Meta:
        db_table = "api_rowcount"
        indexes = [models.Index(fields=["name", "workspace_id"], include=["rows"], name="rowcount_by_workspace")]


class IdempotencyRecord(models.Model):
    """An answer that is given again to the same request: whose, under which key, for which request."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    workspace_id = models.BigIntegerField()  # 0: of a person in none
    credential = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField(help_text="Compressed, then encrypted.")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "credential", "key"], name="idempotency_key_once")
        ]


class CallWindow(models.Model):
    """A bucket of the limiter, where Redis cannot keep it: entries of first, last, calls."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    name = models.CharField(max_length=128, primary_key=True)
    entries = models.JSONField(default=list)
    updated_at = models.DateTimeField(db_index=True)


class CachedCount(models.Model):
    """What Django's `DatabaseCache` keeps; allauth counts attempts to sign in with it."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "api_cachedcount"
