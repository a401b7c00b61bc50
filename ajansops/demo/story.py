"""The main job, told over HTTP with an API key: catalogue in, texts out; a website audited; leads found on it."""

import time
from dataclasses import dataclass, field
from typing import Any

from ajansops.demo.client import ApiClient, ApiError
from ajansops.demo.display import Display

POLL = 0.3  # seconds
FINAL = frozenset({"completed", "failed", "cancelled"})
LANGUAGE = "tr-TR"
SECTIONS = ("Catalogue", "Tags", "Texts", "Website", "Leads")


@dataclass
class Told:
    """What the summary is made of: lines by section."""

    seconds: float = 0.0
    lines: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in SECTIONS})
    ok: bool = True


@dataclass
class Story:
    """`catalogue` is a CSV file's bytes; without a `directory` no leads are scraped."""

    api: ApiClient
    display: Display
    workspace_id: int
    catalogue: bytes
    site: str
    directory: str | None
    told: Told = field(default_factory=Told)

    def tell(self) -> Told:
        """Runs to the end. Raises `ApiError` when a call is refused."""
        started = time.monotonic()
        imported = self._import()
        site_id = self._site()
        jobs = {"Crawl and SEO report": self._start("/api/seo/scrape", "seo", site_id)}
        if self.directory:
            jobs["Leads"] = self._start("/api/leads/scrape", "leads", site_id)
        product_ids = [item["result"]["product"] for item in imported]
        if product_ids:
            body = {
                "workspace_id": str(self.workspace_id),
                "mode": "auto",
                "language": LANGUAGE,
                "product_ids": product_ids,
            }
            jobs["Tags from pictures and text"] = self.api.post("/v1/tags/generate", body)["job_id"]
        over = self._watch(jobs)
        self._tags(jobs.get("Tags from pictures and text"), product_ids)
        self._texts(product_ids)
        self._website(site_id, over["Crawl and SEO report"])
        self._leads(jobs.get("Leads"))
        self.told.seconds = time.monotonic() - started
        return self.told

    def _start(self, path: str, kind: str, site_id: int) -> str:
        """The new job, or the one that an interrupted demo left running."""
        try:
            return str(self.api.post(path, {"siteId": str(site_id)})["data"]["jobId"])
        except ApiError as error:
            if error.status != 409:
                raise
        jobs = self.api.get(f"/api/v1/jobs?type={kind}&subject=site:{site_id}&per_page=1")["data"]
        return str(jobs[0]["id"])

    def _watch(self, jobs: dict[str, str]) -> dict[str, dict[str, Any]]:
        """Until all are over."""
        seen: dict[str, dict[str, Any]] = {}
        while not seen or any(job["status"] not in FINAL for job in seen.values()):
            if seen:
                time.sleep(POLL)
            for label, job_id in jobs.items():
                seen[label] = self.api.get(f"/api/v1/jobs/{job_id}")["data"]
                self.display.show(label, seen[label])
        self.told.ok &= all(job["status"] == "completed" for job in seen.values())
        return seen

    def _items(self, job_id: str, state: str) -> list[dict[str, Any]]:
        return self.api.pages(f"/api/v1/jobs/{job_id}/items?state={state}")

    def _import(self) -> list[dict[str, Any]]:
        job_id = self.api.call("POST", "/api/v1/products/import", self.catalogue, "text/csv")["data"]["id"]
        self._watch({"Product import": job_id})
        imported, reported = self._items(job_id, "done"), self._items(job_id, "failed")
        say = self.told.lines["Catalogue"].append
        say(f"{len(imported)} products imported, {len(reported)} {'row' if len(reported) == 1 else 'rows'} reported")
        for item in reported:
            say(f"not imported: {item['error']['message']}")
        return imported

    def _site(self) -> int:
        """The demo's site, made once; its crawl may be quick, for it is on this machine."""
        host = self.site.split("//")[-1].rstrip("/")
        body = {
            "name": "Demo website",
            "domain": host,
            "crawl": {"delay_seconds": 0, "concurrency": 4},
            "lead_search_terms": [self.directory] if self.directory else [],
        }
        try:
            return int(self.api.post("/api/v1/sites", body)["data"]["id"])
        except ApiError as error:
            if error.status != 409:
                raise
        known = next(row for row in self.api.pages("/api/v1/sites") if row["domain"] == host)
        self.api.patch(f"/api/v1/sites/{known['id']}", body)
        return int(known["id"])

    def _tags(self, job_id: str | None, product_ids: list[int]) -> None:
        say = self.told.lines["Tags"].append
        if job_id is None:
            return
        done = self._items(job_id, "done")
        unseen = [item for item in done if item["result"].get("picture") == "not_available"]
        count = sum(len(item["result"]["tags"]) for item in done)
        say(f"{count} tags suggested for {len(done)} products, and approved")
        titles = {f"prod_{row['id']}": row["title"] for row in self.api.pages("/api/v1/products")} if unseen else {}
        for item in unseen:
            title = titles.get(item["key"], item["key"])
            say(f"no picture, tags from the text alone: {title}: {item['result']['reason']}")
        for product_id in product_ids:
            self.api.post(f"/api/v1/products/{product_id}/tags/approve")

    def _texts(self, product_ids: list[int]) -> None:
        if not product_ids:
            return
        body = {"workspace_id": str(self.workspace_id), "language": LANGUAGE, "product_ids": product_ids}
        jobs = {
            "Titles": self.api.post("/v1/content/generate-title", body | {"title_types": ["title"]}),
            "Descriptions": self.api.post("/v1/content/generate", body | {"content_types": ["description"]}),
            "Feed texts": self.api.post(
                "/v1/content/generate-google-feed", body | {"googlefeed_types": ["google_feed"]}
            ),
        }
        over = self._watch({label: answer["job_id"] for label, answer in jobs.items()})
        say = self.told.lines["Texts"].append
        for label, job in over.items():
            say(f"{job['progress']['succeeded']} {label.lower()} for {LANGUAGE}, {job['progress']['failed']} failed")
        provider = ""
        for kind in ("title", "description", "google_feed"):
            rows = self.api.get(f"/api/v1/variants?content_type={kind}&product_id={product_ids[0]}&per_page=1")["data"]
            say(f"{kind}: {_short(rows[0]['body'])}" if rows else f"{kind}: none")
            provider = rows[0]["provider"] if rows else provider
        if provider == "mock":
            say("written offline: the shop's own words stay as they are, labels and known words are translated")

    def _website(self, site_id: int, crawl: dict[str, Any]) -> None:
        say = self.told.lines["Website"].append
        if crawl["status"] != "completed":
            say(f"no report of {self.site}: {crawl['error']['message']}")
            return
        report = self.api.get(f"/api/v1/seo/reports?site_id={site_id}&per_page=1")["data"][0]
        issues = self.api.pages(f"/api/v1/seo/issues/{self.workspace_id}?site_id={site_id}")
        scores = ", ".join(f"{name.replace('_', ' ')} {score}" for name, score in report["scores"].items())
        say(f"{report['pages']} pages; scores: {scores}")
        for severity in ("error", "warning", "notice"):
            types = sorted({issue["issue_type"] for issue in issues if issue["severity"] == severity})
            count = sum(issue["severity"] == severity for issue in issues)
            say(f"{count} × {severity}: {', '.join(types)}")

    def _leads(self, job_id: str | None) -> None:
        if job_id is None:
            return
        say = self.told.lines["Leads"].append
        leads = self.api.pages("/api/v1/leads")
        say(f"{len(leads)} companies")
        for lead in leads:
            say(f"{lead['company']}: {', '.join([*lead['emails'], *lead['phones']])}")


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:157] + "…"
