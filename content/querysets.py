"""Where reads of content start."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from ajansops.kit.tenancy import WorkspaceQuerySet


class ProductQuerySet(WorkspaceQuerySet):
    """Products."""

    def live(self) -> Self:
        """Without the deleted ones."""
        return self.filter(deleted_at=None)


class PostQuerySet(WorkspaceQuerySet):
    """Posts."""

    def due(self, moment: datetime) -> Self:
        """Scheduled, and their time has come. A deleted workspace's wait: it may come back."""
        return self.filter(status="scheduled", publish_at__lte=moment, workspace__deleted_at=None)


class VariantQuerySet(WorkspaceQuerySet):
    """Variants."""

    def of_live_products(self) -> Self:
        """A deleted product takes its variants out of sight."""
        return self.filter(product__deleted_at=None)

    def unwritten(self) -> Self:
        """Without a text so far."""
        return self.filter(body="")
