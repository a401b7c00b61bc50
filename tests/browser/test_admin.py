"""The admin in a real browser: signing in, the job list, a report. Skipped where there is no Chromium."""

import os
import shutil

import pytest

from accounts.roles import Role, codenames
from ajansops.kit.actor import Actor
from sites.services import submit_report

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and os.path.exists(CHROMIUM)), reason="no Chromium here"),  # noqa: PTH110
    pytest.mark.django_db(transaction=True),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture
def page(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs an event loop in this thread
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser.new_page()
        browser.close()


def test_staff_sign_in_and_read_a_report(page, live_server, people):
    people.alice.is_staff = True
    people.alice.save()
    actor = Actor(people.acme.pk, codenames(Role.OWNER))
    issue = {"type": "missing_alt", "severity": "warning", "element": "img.hero"}
    submit_report(actor, url="https://acme.example.com/", scores={"seo": 95}, issues=[issue])
    outside, troubles = [], []
    page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((live_server.url, "data:")) else None)
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)

    page.goto(f"{live_server.url}/admin/")
    page.fill("input[name=login]", people.alice.email)
    page.fill("input[name=password]", "alice-password")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    page.click("text=SEO reports")
    page.click("text=https://acme.example.com/")
    page.wait_for_selector("text=missing_alt")
    assert page.locator("text=img.hero").count() == 1

    page.goto(f"{live_server.url}/admin/jobs/job/")
    assert page.locator("h1, h2, nav").first.is_visible()
    assert outside == []
    assert troubles == []
