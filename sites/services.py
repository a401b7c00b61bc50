"""Writes of sites and of reports about them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from accounts.models import Workspace
from ajansops.kit.actor import Actor
from ajansops.kit.entitlements import Feature, admit
from ajansops.kit.errors import Conflict, Invalid, NotFound
from ajansops.kit.events import changed, created, deleted, publish, snapshot
from ajansops.kit.net import parse_url
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import NewItem
from jobs.models import Job
from jobs.services import start_job
from sites.domains import domain_of, normal_domain
from sites.models import SCORES, SEO, CrawledPage, Issue, Report, Site, Source
from sites.options import default_crawl, default_pixel
from sites.seo.lighthouse import from_lighthouse
from sites.seo.scores import explain
from sites.seo.urls import normalise

ROBOTS, REPORT = "robots", "report"  # a crawl's first and last item; all others have URLs as keys
MERGED = ("crawl", "pixel")
INSERT_AT_ONCE = 1000


@transaction.atomic
def create_site(
    actor: Actor,
    *,
    name: str,
    domain: str,
    tech_stack: str = "",
    apify_keywords: Sequence[str] = (),
    lead_search_terms: Sequence[str] = (),
    pixel: Mapping[str, Any] | None = None,
    crawl: Mapping[str, Any] | None = None,
) -> Site:
    """Raises `Conflict` for a domain that is taken in the workspace, `Invalid` for what is none."""
    actor.require(Permission.ADD_SITE)
    Workspace.objects.lock(actor.workspace_id)
    admit(actor, Feature.SITES)
    site = Site(
        workspace_id=actor.workspace_id,
        name=name,
        domain=_domain(domain),
        tech_stack=tech_stack,
        apify_keywords=list(apify_keywords),
        lead_search_terms=list(lead_search_terms),
        pixel=default_pixel() | dict(pixel or {}),
        crawl=default_crawl() | dict(crawl or {}),
    )
    _saved(site)
    publish(actor, "site.created", site, created(site))
    return site


@transaction.atomic
def update_site(actor: Actor, site: Site, **fields: Any) -> Site:
    """Fields as of `create_site`; of `pixel` and `crawl` only what is given changes."""
    actor.require(Permission.CHANGE_SITE, on=site)
    site = _locked(actor, site)
    before = snapshot(site)
    for name, value in fields.items():
        if name == "domain":
            site.domain = _domain(value)
        elif name in MERGED:
            setattr(site, name, getattr(site, name) | dict(value))
        else:
            setattr(site, name, value)
    _saved(site)
    publish(actor, "site.updated", site, changed(site, before))
    return site


@transaction.atomic
def delete_site(actor: Actor, site: Site) -> None:
    """With its reports and what crawls saw. A crawl that is running fails by itself: its subject is gone."""
    actor.require(Permission.DELETE_SITE, on=site)
    site = _locked(actor, site)
    CrawledPage.objects.of_site(site).delete()
    Site.objects.filter(pk=site.pk).delete()
    publish(actor, "site.deleted", site, deleted(site))


@transaction.atomic
def start_audit(actor: Actor, site: Site) -> Job:
    """Crawl the site and report. Raises `JobRunning` while it is being crawled, `FeatureLimitReached`."""
    actor.require(Permission.ADD_REPORT, on=site)
    options = site.crawl_options
    interval_ms = options.interval_ms(site.start_url)
    return start_job(
        actor,
        SEO,
        [NewItem(ROBOTS)],
        configuration={
            "site_id": site.pk,
            "start_url": site.start_url,
            "max_pages": options.max_pages,
            "max_depth": options.max_depth,
            "interval_ms": interval_ms,
        },
        subject=site.subject,
        max_parallel=options.concurrency,
        interval_ms=interval_ms,
        units=1,
    )


@transaction.atomic
def submit_report(
    actor: Actor, *, url: str, scores: Mapping[str, int | None], issues: Sequence[Mapping[str, Any]] = ()
) -> Report:
    """Somebody else's measurement of one page. An issue has `type` and `severity`, perhaps `element` and `details`."""
    actor.require(Permission.ADD_REPORT)
    rows = [
        Issue(
            code=issue["type"],
            severity=issue["severity"],
            element=issue.get("element", ""),
            details=issue.get("details", {}),
        )
        for issue in issues
    ]
    return _page_report(actor, Source.API, url=url, scores=scores, issues=rows)


@transaction.atomic
def submit_lighthouse(actor: Actor, result: Mapping[str, Any]) -> Report:
    """A Lighthouse result as Lighthouse writes it. Raises `Invalid` for what is none."""
    actor.require(Permission.ADD_REPORT)
    found = from_lighthouse(result)
    rows = [
        Issue(code=issue.code, severity=issue.severity, element=issue.element, details=issue.details)
        for issue in found.issues
    ]
    scores = {category.value: score.value if score else None for category, score in found.scores.items()}
    explanation = {category.value: explain(score) for category, score in found.scores.items()}
    return _page_report(actor, Source.LIGHTHOUSE, url=found.url, scores=scores, issues=rows, explanation=explanation)


def save_report(report: Report, issues: Sequence[Issue]) -> Report:
    """The report with its issues, in the caller's transaction."""
    report.save(force_insert=True)
    for issue in issues:
        issue.report = report
    Issue.objects.bulk_create(issues, batch_size=INSERT_AT_ONCE)
    return report


def _page_report(
    actor: Actor, source: Source, *, url: str, scores: Mapping[str, int | None], issues: Sequence[Issue], **more: Any
) -> Report:
    url = _page_url(url)
    Workspace.objects.lock(actor.workspace_id)
    for issue in issues:
        issue.url = url
    site = Site.objects.visible_to(actor).filter(domain=domain_of(parse_url(url))).first()
    report = Report(
        workspace_id=actor.workspace_id,
        site=site,
        url=url,
        subject=url,
        source=source,
        pages=1,
        **more,
        **{name: scores.get(name) for name in SCORES},
    )
    save_report(report, issues)
    scored = {name: (None, score) for name, score in report.scores.items()}
    publish(actor, "seo.report.created", report, {"url": (None, url), "source": (None, source.value), **scored})
    return report


def _page_url(text: str) -> str:
    url = normalise(text, "")
    if url is None:
        raise Invalid(errors={"url": [gettext("The url must be a valid http or https URL.")]})
    return url


def _locked(actor: Actor, site: Site) -> Site:
    """As it is now. `NotFound` when it was deleted meanwhile."""
    Workspace.objects.lock(actor.workspace_id)
    row: Site | None = Site.objects.visible_to(actor).select_for_update().filter(pk=site.pk).first()
    if row is None:
        raise NotFound
    return row


def _domain(text: str) -> str:
    try:
        return normal_domain(text)
    except ValueError as error:
        raise Invalid(errors={"domain": [gettext("The domain must be a valid host name.")]}) from error


def _saved(site: Site) -> None:
    """A concurrent creation is caught by the constraint, so nobody looks first."""
    try:
        with transaction.atomic():
            site.save()
    except IntegrityError as error:
        raise Conflict(errors={"domain": [gettext("This domain is already taken.")]}) from error
