"""Revenue in a real browser: the charts are drawn, and nobody outside is asked."""

from ajansops.kit.clock import now
from billing.models import MonthlyRevenue
from tests.browser.test_admin import page, pytestmark  # noqa: F401

PAINTED = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(byte => byte)"


def test_the_charts_are_drawn_from_local_files(page, live_server, people):  # noqa: F811
    people.alice.is_staff = people.alice.is_superuser = True
    people.alice.save()
    MonthlyRevenue.objects.create(month=now().date().replace(day=1), payer=1, currency="eur", amount=25_00)
    outside, troubles = [], []
    page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((live_server.url, "data:")) else None)
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)

    page.goto(f"{live_server.url}/admin/")
    page.fill("input[name=login]", people.alice.email)
    page.fill("input[name=password]", "alice-password")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    page.goto(f"{live_server.url}/admin/billing/monthlyrevenue/")
    page.wait_for_selector("text=25.00 EUR")
    assert [page.evaluate(PAINTED, canvas) for canvas in page.query_selector_all("canvas")] == [True] * 3
    assert outside == []
    assert troubles == []
