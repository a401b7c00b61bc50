"""What a scrape does with one directory, and with one company."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from ajansops.kit.entitlements import Feature
from ajansops.kit.errors import DomainError
from ajansops.kit.net import open_client
from ajansops.kit.runners import JSON, Item, NewItem, News, Runner, Saved
from jobs.models import JobItem
from leads.extract import Organisation, contact_links, contacts, organisations
from leads.fetch import Fetcher, Page
from leads.found import Found
from leads.identity import is_own_host, netloc
from leads.models import Lead
from leads.naming import company_name
from leads.services.keep import save_lead
from leads.services.scrape import KIND
from sites.models import Site

log = structlog.get_logger(__name__)

LIST, COMPANY = "list", "org"
MAX_KEY = 2048  # characters, of the column


@dataclass(frozen=True, slots=True)
class Listed:
    """The companies of a directory."""

    companies: Sequence[Found]


@dataclass(frozen=True, slots=True)
class Enriched:
    """A company with what its website says; `problem` is the code of why that could not be read."""

    found: Found
    pages: int = 0
    problem: str = ""


class LeadRunner(Runner[bool, Listed | Enriched | None]):
    """Items `list:<url>` find the items `org:<website or name>`; these become leads, until there are enough.

    The hosts' turns are kept here, so they hold for all jobs of one worker.
    """

    kind = KIND
    feature = Feature.LEAD_SCRAPES
    max_parallel = 8

    def __init__(self) -> None:
        self._fetcher: Fetcher | None = None

    @property
    def fetcher(self) -> Fetcher:
        """Made in the loop that uses it."""
        if self._fetcher is None:
            self._fetcher = Fetcher(open_client(), settings.ENV.net_allow_private)
        return self._fetcher

    async def aclose(self) -> None:
        """The next loop makes its own."""
        if self._fetcher is not None:
            fetcher, self._fetcher = self._fetcher, None
            await fetcher.aclose()

    def load(self, items: Sequence[Item]) -> Mapping[int, bool]:
        """Whether the job still wants leads, so that nothing is fetched in vain."""
        jobs = {item.job.id: item.job for item in items}
        wanted = {job_id: len(kept_leads(job_id)) < _limit(job.configuration) for job_id, job in jobs.items()}
        return {item.id: wanted[item.job.id] for item in items}

    async def work(self, item: Item, given: bool) -> Listed | Enriched | None:
        """None when the job has enough leads."""
        if not given:
            return None
        if item.key.startswith(f"{LIST}:"):
            page = await self.fetcher.page(item.payload["url"])
            return Listed(await asyncio.to_thread(listed, page))
        return await self._company(Found(**item.payload))

    def save(self, item: Item, output: Listed | Enriched | None) -> Saved:
        """As one of many."""
        (saved,) = self.save_all([(item, output)])
        return saved

    def save_all(self, outputs: Sequence[tuple[Item, Listed | Enriched | None]]) -> Iterator[Saved]:
        """The engine holds the jobs' rows, so counting and keeping are one step: the limit is exact. What is kept here
        is counted here: its items say so only when all are saved.
        """
        kept = {job_id: kept_leads(job_id) for job_id in {item.job.id for item, _ in outputs}}
        for item, output in outputs:
            leads = kept[item.job.id]
            match output:
                case Listed(companies):
                    items = [NewItem(company_key(found), found.to_json()) for found in companies]
                    yield Saved({"companies": len(items)}, items)
                case Enriched() if len(leads) < _limit(item.job.configuration):
                    saved = _keep(item, output)
                    leads |= {saved.result["lead_id"]} if "lead_id" in saved.result else set()
                    yield saved
                case _:
                    yield Saved({"skipped": "limit_reached"})

    def spent(self, job_id: str, done: int) -> int:
        """A unit is a lead kept."""
        return len(kept_leads(job_id))

    async def _company(self, found: Found) -> Enriched:
        """Without its website the company is what the directory says: that is no reason to lose it."""
        if not found.website:
            return Enriched(found)
        try:
            home = await self.fetcher.page(found.website)
        except DomainError as error:
            log.info("enrichment_failed", website=found.website, code=error.code)
            return Enriched(found, problem=error.code)
        return await self._enriched(found, home)

    async def _enriched(self, found: Found, home: Page) -> Enriched:
        own = is_own_host(found.website, found.host)
        links = await asyncio.to_thread(contact_links, home.html, home.url)
        pages = [home, *await self._contact_pages([link for link in links if own or _below(link, home.url)])]
        for page in pages:
            contact = await asyncio.to_thread(contacts, page.html, page.url, found.address.get("country"))
            found = found.enriched(contact, own_page=own)
        if not found.company:
            found = replace(found, company=await asyncio.to_thread(company_name, home.html, home.url))
        return Enriched(found, pages=len(pages))

    async def _contact_pages(self, links: Sequence[str]) -> list[Page]:
        """Those that can be read."""
        pages = []
        for link in links:
            try:
                pages.append(await self.fetcher.page(link))
            except DomainError as error:
                log.info("contact_page_failed", url=link, code=error.code)
        return pages


def kept_leads(job_id: str) -> set[int]:
    """The leads that the job has kept so far, each once, new or known before."""
    done = JobItem.objects.filter(job_id=job_id, result__has_key="lead_id")
    return set(done.values_list("result__lead_id", flat=True))


def _limit(configuration: JSON) -> int:
    return int(configuration["limit"])


def _keep(item: Item, output: Enriched) -> Saved:
    given = item.job.configuration
    # The site may have been deleted since the job began.
    site_id = Site.objects.filter(pk=given["site_id"], workspace_id=item.job.workspace_id).values_list("pk", flat=True)
    kept = save_lead(item.job.workspace_id, output.found, source=given["source"], site_id=site_id.first())
    if kept is None:
        return Saved({"skipped": "unreachable"})
    result = {"lead_id": kept.lead.pk, "created": kept.created, "pages": output.pages}
    happened = {"lead.created": kept.created, "lead.updated": kept.updated}
    news = [News(event, Lead, kept.lead.pk) for event, true in happened.items() if true]
    return Saved(result | ({"enrichment": output.problem} if output.problem else {}), news=news)


def listed(page: Page) -> list[Found]:
    """The companies that a page describes; a page that describes none is taken as a company's own."""
    described = organisations(page.html, page.url)
    if not described:
        return [Found(website=page.url)]
    if len(described) == 1 and not described[0].url:
        described = [replace(described[0], url=page.url)]
    host, weak = netloc(page.url), shared_contacts(described)
    return [Found.of(organisation, host=host, weak=weak) for organisation in described]


def shared_contacts(described: Sequence[Organisation]) -> list[str]:
    """E-mails and phones that several companies of a page have: the directory's own, not theirs."""
    counts = Counter(value for company in described for value in {*company.emails, *company.phones})
    return [value for value, count in counts.items() if count > 1]


def company_key(found: Found) -> str:
    """Of its item."""
    return f"{COMPANY}:{found.website or found.company.casefold()}"[:MAX_KEY]


def _below(link: str, home: str) -> bool:
    """Whether it stands under the page, as the pages of a company do whose host is shared."""
    folder = urlsplit(home).path.rpartition("/")[0] + "/"
    return folder != "/" and urlsplit(link).path.startswith(folder)
