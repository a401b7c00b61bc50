"""The job kind `seo`: robots and sitemaps, then page by page, then the report."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache

from django.db.models import F
from django.db.models.functions import Greatest

from ajansops.kit.entitlements import Feature
from ajansops.kit.net import Client, NetError, open_client, parse_url
from ajansops.kit.runners import Item, ItemFailed, JobView, NewItem, News, Runner, Saved
from jobs.models import ItemState, Job, JobItem
from sites.models import SEO, CrawledPage, Issue, Report, Site, Source
from sites.seo.entry import Entry, enter, fetch_robots
from sites.seo.facts import SiteFacts
from sites.seo.frontier import admitted, is_worn
from sites.seo.robots import Robots
from sites.seo.scores import explain
from sites.seo.urls import is_trap, same_site
from sites.seo.verdict import Seen, Verdict, judge
from sites.seo.visit import Visit, visit
from sites.services import REPORT, ROBOTS, save_report

ORIGINS = 1000  # whose robots.txt a worker keeps in mind

Given = Sequence[Seen] | None  # the report's item gets what was seen, the others need nothing
Output = Entry | Visit | Verdict


class SiteGone(ItemFailed):
    """The site no longer exists."""

    code = "not_found"


class CrawlRunner(Runner[Given, Output]):
    """Items: `robots`, one for each address, `report`. The job's memory carries the rules between them."""

    kind = SEO
    feature = Feature.SEO_SCRAPES

    def __init__(self) -> None:
        self._client: Client | None = None
        self._robots: dict[tuple[str, str], Robots] = {}  # by job and origin, of other hosts of the site

    @property
    def client(self) -> Client:
        """Made in the loop that uses it."""
        if self._client is None:
            self._client = open_client()
        return self._client

    def load(self, items: Sequence[Item]) -> Mapping[int, Given]:
        """Nothing is fetched any more for a site that was deleted."""
        wanted = {item.job.configuration["site_id"] for item in items}
        alive = set(Site.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        return {
            item.id: _seen(item.job) if item.key == REPORT else None
            for item in items
            if item.job.configuration["site_id"] in alive
        }

    async def work(self, item: Item, given: Given) -> Output:
        """One fetch (robots: a few), or all checks."""
        configuration = item.job.configuration
        if given is not None:
            return await asyncio.to_thread(judge, _site_facts(item.job), given)
        if item.key == ROBOTS:
            pause = configuration["interval_ms"] / 1000
            start_url, enough = configuration["start_url"], configuration["max_pages"]
            return await enter(self.client, start_url, pause=pause, enough=enough)
        return await visit(self.client, item.key, await self._rules(item.job, item.key), patient=not item.last_try)

    def save(self, item: Item, output: Output) -> Saved:
        """The job's row is locked, so the budget of pages holds."""
        match output:
            case Entry():
                return _save_entry(item, output)
            case Visit():
                return _save_visit(item, output)
            case Verdict():
                return _save_verdict(item, output)

    def drained(self, job: JobView) -> Sequence[NewItem]:
        """The report comes last. Pages that could not be fetched get a row too: links to them are broken."""
        lost = JobItem.objects.filter(job_id=job.id, state=ItemState.FAILED).exclude(key__in=[ROBOTS, REPORT])
        rows = [_lost_page(job, found) for found in lost]
        CrawledPage.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
        return [NewItem(REPORT)] if CrawledPage.objects.filter(job_id=job.id).exists() else ()

    def spent(self, job_id: str, done: int) -> int:
        """A run is one that ended with a report."""
        return JobItem.objects.filter(job_id=job_id, key=REPORT, state=ItemState.DONE).count()

    async def aclose(self) -> None:
        """A later loop gets a new client."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _rules(self, job: JobView, url: str) -> Robots:
        """Of the address's own origin: robots.txt of one host says nothing of another (RFC 9309 §2.3)."""
        origin = parse_url(url).origin
        if origin == parse_url(job.configuration["start_url"]).origin:
            return _stored_robots(job.memory["robots"])
        if (job.id, origin) not in self._robots:
            try:
                robots = await fetch_robots(self.client, url)
            except NetError:
                robots = Robots.parse(None, None)  # no answer forbids everything, and the page's row says so
            if len(self._robots) >= ORIGINS:
                self._robots.clear()
            self._robots[job.id, origin] = robots
        return self._robots[job.id, origin]


@lru_cache(maxsize=64)
def _stored_robots(stored: str) -> Robots:
    return Robots.load(stored)


def _save_entry(item: Item, entry: Entry) -> Saved:
    """Keep the rules on the job, slow it down if the site asks for that, and start."""
    job, robots = item.job, entry.robots
    start_url = job.configuration["start_url"]
    listed = [url for url in entry.listed if same_site(url, start_url)]
    sitemap = {"urls": len(listed), "first": listed[0] if listed else "", "problem": entry.problem}
    delay_ms = round((robots.crawl_delay or 0) * 1000)
    Job.objects.filter(pk=job.id).update(
        memory={"robots": robots.dump(), "sitemap": sitemap},
        interval_ms=Greatest(F("interval_ms"), delay_ms),
    )
    origin = parse_url(start_url).origin
    seeds = [url for url in listed if not is_trap(url) and (parse_url(url).origin != origin or robots.allowed(url))]
    pages = {start_url: 0} | {url: 1 for url in seeds if url != start_url and job.configuration["max_depth"]}
    chosen = list(pages.items())[: job.configuration["max_pages"]]
    known = frozenset(seeds)
    items = [NewItem(url, {"depth": depth, "in_sitemap": url in known}) for url, depth in chosen]
    return Saved({"status": robots.status, "listed": len(listed)}, items)


def _save_visit(item: Item, seen: Visit) -> Saved:
    text_hash = seen.facts.text_hash if seen.facts else ""
    depth = item.payload["depth"]
    items: list[NewItem] = []
    left = len(seen.links)
    if not is_worn(item.job, text_hash):
        # A redirect leads no deeper: it is the same click.
        items, left = admitted(item.job, seen.links, depth=depth if seen.redirect_to else depth + 1)
    CrawledPage.objects.create(
        job_id=item.job.id,
        url=item.key,
        depth=depth,
        status=seen.status,
        facts=seen.facts.to_json() if seen.facts else None,
        redirect_to=seen.redirect_to,
        error=seen.error,
        in_sitemap=item.payload.get("in_sitemap", False),
        dropped=left + seen.dropped,
        text_hash=text_hash,
    )
    return Saved({"status": seen.status, "links": len(seen.links)}, items)


def _save_verdict(item: Item, verdict: Verdict) -> Saved:
    """The report, once: its job's id is unique. What earlier crawls saw is no longer needed."""
    job = item.job
    site = Site.objects.select_for_update().filter(pk=job.configuration["site_id"]).first()
    if site is None:
        raise SiteGone
    scores = {category.value: found for category, found in verdict.scores.items()}
    report = Report(
        workspace_id=job.workspace_id,
        site=site,
        url=job.configuration["start_url"],
        subject=site.subject,
        job_id=job.id,
        source=Source.CRAWL,
        explanation={name: explain(found) for name, found in scores.items()},
        pages=verdict.pages,
        **{name: found.value if found else None for name, found in scores.items()},
    )
    rows = [
        Issue(code=found.code, severity=found.severity, url=found.url, element=found.element, details=found.details)
        for found in verdict.issues
    ]
    save_report(report, rows)
    CrawledPage.objects.of_site(site).exclude(job_id=job.id).delete()
    result = {"report_id": report.pk, "pages": verdict.pages, "issues": len(rows)}
    return Saved(result, news=[News("seo.report.created", Report, report.pk)])


def _seen(job: JobView) -> list[Seen]:
    rows = CrawledPage.objects.filter(job_id=job.id).order_by("id")
    columns = ("url", "status", "facts", "redirect_to", "error", "in_sitemap", "dropped")
    return [Seen(*row) for row in rows.values_list(*columns).iterator(chunk_size=500)]


def _site_facts(job: JobView) -> SiteFacts:
    sitemap = job.memory["sitemap"]
    return SiteFacts(
        url=job.configuration["start_url"],
        robots_status=_stored_robots(job.memory["robots"]).status,
        sitemap_urls=(sitemap["first"],) if sitemap["first"] else (),
        sitemap_problem=sitemap["problem"],
    )


def _lost_page(job: JobView, item: JobItem) -> CrawledPage:
    reason = (item.error or {}).get("code", "fetch_failed")
    payload = item.payload
    return CrawledPage(
        job_id=job.id,
        url=item.key,
        depth=payload["depth"],
        error=reason,
        in_sitemap=payload.get("in_sitemap", False),
    )
