"""Swagger UI in a real browser: every surface is there, and no request leaves the host. Skipped without Chromium."""

import os
import shutil

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and os.path.exists(CHROMIUM)), reason="no Chromium here"),  # noqa: PTH110
    pytest.mark.django_db(transaction=True),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
TAGS = {"core", "studio", "app", "insight", "webhooks"}


@pytest.fixture
def page(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs an event loop in this thread
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser.new_page()
        browser.close()


def test_the_four_surfaces_are_described_without_leaving_the_host(page, live_server):
    outside, troubles = [], []
    page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((live_server.url, "data:")) else None)
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)

    page.goto(f"{live_server.url}/api/docs/")
    page.locator(".opblock-tag").nth(len(TAGS) - 1).wait_for(timeout=30_000)
    said = {tag.get_attribute("data-tag"): tag.inner_text() for tag in page.locator(".opblock-tag").all()}
    assert said.keys() == TAGS
    assert [name for name, text in said.items() if len(text.split()) < 5] == []

    page.click("[data-tag=webhooks]")
    event = page.locator("[id$=webhook_post_published]")
    event.locator(".opblock-summary-control").click()
    event.locator(".opblock-body").get_by_text("spring-tea").first.wait_for()

    page.click("[data-tag=insight]")
    page.click("#operations-insight-insight_audit_run_post .opblock-summary-control")
    operation = page.locator("#operations-insight-insight_audit_run_post .opblock-body")
    operation.locator(".responses-table").first.wait_for()
    assert "executive_summary" in operation.inner_text()
    assert (outside, troubles) == ([], [])
