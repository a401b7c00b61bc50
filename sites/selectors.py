"""Reads of sites that are more than a queryset method."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ajansops.kit.actor import Actor
from ajansops.kit.errors import NotFound
from jobs.models import Job, JobStatus
from sites.models import SEO, Issue, Report, Site

OUTCOMES = {JobStatus.COMPLETED: "success", JobStatus.FAILED: "failure", JobStatus.CANCELLED: "cancelled"}


@dataclass(frozen=True, slots=True)
class LastRun:
    """How the last crawl that ended, ended."""

    action: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """Of one site or of all. Both `last_` are None before the first run has ended."""

    running: bool
    last_scraped_at: datetime | None
    total_reports: int
    last_run: LastRun | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A report's issues against those of the report before it; of a first report all are new."""

    new: Sequence[Issue]
    fixed: Sequence[Issue]
    persisting: Sequence[Issue]

    def lists(self) -> dict[str, Sequence[Issue]]:
        """By name."""
        return {"new": self.new, "fixed": self.fixed, "persisting": self.persisting}


def get_site(actor: Actor, pk: str | int) -> Site:
    """By an id as a query carries it. Raises `NotFound` for anything but a visible site's."""
    text = str(pk)
    known = text.isascii() and text.isdigit() and len(text) <= 18
    site: Site | None = Site.objects.visible_to(actor).filter(pk=int(text)).first() if known else None
    if site is None:
        raise NotFound
    return site


def audit_status(actor: Actor, site: Site | None) -> AuditStatus:
    """Of the site, or of the whole workspace."""
    crawls = Job.objects.visible_to(actor).filter(kind=SEO)
    reports = Report.objects.visible_to(actor)
    if site is not None:
        crawls, reports = crawls.filter(subject=site.subject), reports.filter(site=site)
    ended = crawls.filter(status__in=OUTCOMES).order_by("-completed_at")
    last = ended.first()
    succeeded = ended.filter(status=JobStatus.COMPLETED).values_list("completed_at", flat=True).first()
    return AuditStatus(
        running=crawls.unfinished().exists(),
        last_scraped_at=succeeded,
        total_reports=reports.count(),
        last_run=LastRun(f"scrape.seo.{OUTCOMES[JobStatus(last.status)]}", last.completed_at) if last else None,
    )


def previous(report: Report) -> Report | None:
    """The one before it about the same site or page."""
    before = Report.objects.filter(workspace_id=report.workspace_id, subject=report.subject, pk__lt=report.pk)
    return before.order_by("-pk").first()


def compare(report: Report) -> Comparison:
    """Two issues are the same when code, page and element are."""
    before = previous(report)
    found = _issues(report)
    old = _issues(before) if before else []
    known, still = {_identity(issue) for issue in old}, {_identity(issue) for issue in found}
    return Comparison(
        new=[issue for issue in found if _identity(issue) not in known],
        fixed=[issue for issue in old if _identity(issue) not in still],
        persisting=[issue for issue in found if _identity(issue) in known],
    )


def _issues(report: Report) -> list[Issue]:
    return list(report.issues.select_related("report"))


def _identity(issue: Issue) -> tuple[str, str, str]:
    return issue.code, issue.url, issue.element


def count_sites(workspace_id: int) -> int:
    """Of a workspace."""
    return Site.objects.filter(workspace_id=workspace_id).count()
