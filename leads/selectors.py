"""How the scrapes of a site, or of the whole workspace, stand."""

from dataclasses import dataclass
from datetime import datetime

from ajansops.kit.actor import Actor
from jobs.models import Job, JobStatus
from leads.models import Lead
from leads.services.scrape import KIND
from sites.models import Site

OUTCOMES = {JobStatus.COMPLETED: "success", JobStatus.FAILED: "failed", JobStatus.CANCELLED: "failed"}


@dataclass(frozen=True, slots=True)
class ScrapeStatus:
    """The last run is None before the first one."""

    running: bool
    last_scraped_at: datetime | None
    total_leads: int
    last_action: str | None
    last_at: datetime | None


def scrape_status(actor: Actor, site: Site | None = None) -> ScrapeStatus:
    """Of the site, or of the workspace without one."""
    jobs = Job.objects.visible_to(actor).filter(kind=KIND)
    leads = Lead.objects.visible_to(actor)
    if site is not None:
        jobs, leads = jobs.filter(subject=site.subject), leads.filter(site=site)
    last = jobs.order_by("-created_at", "-id").first()
    completed = jobs.filter(status=JobStatus.COMPLETED).order_by("-completed_at").first()
    return ScrapeStatus(
        running=jobs.unfinished().exists(),
        last_scraped_at=completed.completed_at if completed else None,
        total_leads=leads.count(),
        last_action=f"scrape.lead.{OUTCOMES.get(JobStatus(last.status), 'running')}" if last else None,
        last_at=(last.completed_at or last.started_at or last.created_at) if last else None,
    )
