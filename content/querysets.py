"""Where reads of content start."""

from __future__ import annotations

from typing import Self

from django.db.models import Q

from ajansops.kit.tenancy import WorkspaceQuerySet


class ProductQuerySet(WorkspaceQuerySet):
    """Products."""

    def live(self) -> Self:
        """Without the deleted ones."""
        return self.filter(deleted_at=None)

    def matching(self, text: str) -> Self:
        """With `text` in the title or the SKU, in any case."""
        return self.filter(Q(title__icontains=text) | Q(sku__icontains=text))


class VariantQuerySet(WorkspaceQuerySet):
    """Variants."""

    def of_live_products(self) -> Self:
        """A deleted product takes its variants out of sight."""
        return self.filter(product__deleted_at=None)

    def unwritten(self) -> Self:
        """Without a text so far."""
        return self.filter(body="")
