"""Reads of what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db.models import Max

from ajansops.kit.tenancy import WorkspaceQuerySet

if TYPE_CHECKING:
    from sites.models import Site


class ReportQuerySet(WorkspaceQuerySet):
    """Reports."""

    def newest(self) -> Self:
        """The newest of each subject."""
        last = self.order_by().values("subject").annotate(last=Max("pk")).values("last")
        return self.filter(pk__in=last)


class CrawledPageQuerySet(WorkspaceQuerySet):
    """What crawls saw."""

    def of_site(self, site: Site) -> Self:
        """By all crawls of it."""
        return self.filter(job__workspace_id=site.workspace_id, job__kind="seo", job__subject=site.subject)
