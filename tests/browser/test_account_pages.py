"""Account pages in a real browser: a passkey from end to end, a phone's width, three languages, a strict policy."""

import os
import re
import shutil

import pytest
from django.core import mail
from django.core.cache import cache

from accounts.actors import member
from accounts.roles import Role
from accounts.services.invitations import invite

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and os.path.exists(CHROMIUM)), reason="no Chromium here"),  # noqa: PTH110
    pytest.mark.django_db(transaction=True),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
PUBLIC = ["login/", "signup/", "password/reset/", "password/reset/done/", "password/reset/key/1-bad/", "inactive/"]
PRIVATE = ["", "email/", "password/change/", "2fa/", "2fa/webauthn/", "sessions/", "logout/", "reauthenticate/"]
GUARDED = ["2fa/totp/activate/", "2fa/webauthn/add/"]
SMALL = """() => [...document.querySelectorAll('.button, .sections a, .links a, input:not([type=hidden])')]
  .filter(e => e.offsetParent && !['checkbox', 'radio'].includes(e.type) && e.getBoundingClientRect().height < 43.9)
  .map(e => e.outerHTML)"""
NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), textarea')]
  .filter(e => e.offsetParent && !e.labels.length).map(e => e.outerHTML)"""
PALE = """() => {  // text whose contrast with its ground is below 4.5
  const parts = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m }
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4
  const light = c => {
    const [r, g, b] = parts(c).map(v => linear(v / 255))
    return .2126 * r + .7152 * g + .0722 * b
  }
  const ground = e => {
    const own = getComputedStyle(e).backgroundColor
    return parts(own)[3] > 0 ? own : e.parentElement ? ground(e.parentElement) : 'rgb(255, 255, 255)'
  }
  const contrast = e => {
    const [high, low] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x)
    return (high + .05) / (low + .05)
  }
  const says = e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
  return [...document.querySelectorAll('body *')].filter(says).filter(e => contrast(e) < 4.5).map(e => e.outerHTML)
}"""


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture(scope="module")
def browser():
    """One for all tests; each has contexts of its own. Playwright has an event loop in this thread meanwhile."""
    with pytest.MonkeyPatch.context() as environ, playwright.sync_playwright() as browsers:
        environ.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, live_server):
    """`open_page(locale="tr")` is a page that reports what it should not do to `page.troubles`."""
    opened = []

    def make(*, locale: str = "en", viewport: dict = DESK, scheme: str = "light"):
        context = browser.new_context(base_url=live_server.url, locale=locale, viewport=viewport, color_scheme=scheme)
        page = context.new_page()
        page.troubles = []
        page.on("request", lambda r: _is_ours(r.url, live_server.url) or page.troubles.append(r.url))
        page.on("console", lambda said: said.type == "error" and page.troubles.append(said.text))
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        opened.append(page)
        return page

    yield make
    troubles = [page.troubles for page in opened]
    for page in opened:
        page.context.close()
    assert troubles == [[] for _ in opened]


def _is_ours(url: str, ours: str) -> bool:
    return url.startswith((ours, "data:"))


def sign_in(page, email: str, password: str, *, next_path: str = "/accounts/") -> None:
    page.goto(f"/accounts/login/?next={next_path}")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(f"**{next_path}")


def confirm_access(page, password: str) -> None:
    page.fill("input[name=password]", password)
    with page.expect_navigation():
        page.click("main form button[type=submit]")


def authenticator(page, *, verifies: bool = True) -> None:
    """A phone's or laptop's own, as Chromium plays it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def check(page, path: str, locale: str) -> None:
    page.goto(path)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], f"{path} in {locale} is {width} wide"
    assert page.evaluate("document.documentElement.lang") == locale, path
    for question in (SMALL, NAMELESS, PALE):
        assert page.evaluate(question) == [], f"{path} in {locale}"
    assert page.locator("h1").count() == 1, path


@pytest.mark.parametrize(("locale", "scheme"), [("en", "light"), ("tr", "dark"), ("hu", "light")])
def test_pages_fit_a_phone_and_can_be_read_and_touched(open_page, people, locale, scheme):
    people.acme.name = "Megszentségteleníthetetlenségeskedéseitekért Çekoslovakyalılaştıramadıklarımız"
    people.acme.save()
    page = open_page(locale=locale, viewport=PHONE, scheme=scheme)
    for path in PUBLIC:
        check(page, f"/accounts/{path}", locale)
    sign_in(page, "alice@example.org", "alice-password")
    for path in PRIVATE:
        check(page, f"/accounts/{path}", locale)
    check(page, f"/billing/workspaces/{people.acme.pk}/", locale)
    page.goto(f"/accounts/{GUARDED[0]}")
    confirm_access(page, "alice-password")
    for path in GUARDED:
        check(page, f"/accounts/{path}", locale)


@pytest.mark.parametrize("locale", ["en", "tr", "hu"])
def test_errors_and_messages_can_be_read_on_a_phone_in_the_dark(open_page, people, locale):
    page = open_page(locale=locale, viewport=PHONE, scheme="dark")
    page.goto("/accounts/signup/")
    page.fill("input[name=email]", "dora@example.org")
    page.fill("input[name=password1]", "123")
    page.click("main form button[type=submit]")
    page.locator("[role=alert] .errorlist li").first.wait_for()
    assert page.get_attribute("input[name=password1]", "aria-invalid") == "true"
    assert page.evaluate(PALE) == []
    page.fill("input[name=password1]", "a-long-password-9")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/accounts/confirm-email/")
    assert page.locator("[role=status]").first.is_visible()
    assert page.evaluate(PALE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.fill("input[name=code]", re.search(r"^([A-Z0-9-]{6,12})$", mail.outbox[0].body, re.MULTILINE)[1])
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/accounts/")


def test_a_passkey_is_added_signs_in_alone_and_can_be_renamed_and_removed(open_page, people):
    page = open_page()
    authenticator(page)
    sign_in(page, "alice@example.org", "alice-password")
    page.goto("/accounts/2fa/webauthn/add/")
    confirm_access(page, "alice-password")
    page.fill("input[name=name]", "My laptop")
    assert page.is_checked("input[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(re.compile(r"recovery-codes|/2fa/webauthn/$"))
    page.goto("/accounts/2fa/webauthn/")
    assert page.locator("text=My laptop").is_visible()
    assert page.locator("text=not used yet").is_visible()

    page.click("header button")
    page.wait_for_url("**/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url("**/accounts/")
    assert page.locator("text=alice@example.org").first.is_visible()

    page.goto("/accounts/2fa/webauthn/")
    page.click("text=Rename")
    page.locator("input[name=password]").or_(page.locator("input[name=name]")).wait_for()
    if page.locator("input[name=password]").count():
        confirm_access(page, "alice-password")
    page.fill("input[name=name]", "Old laptop")
    page.click("#mfa_webauthn_edit")
    page.locator("text=Old laptop").wait_for()
    page.click("main a:text('Remove')")
    page.click("main form button[type=submit]")
    page.locator("text=No security keys have been added.").wait_for()


def test_a_passkey_that_does_not_work_says_so_on_the_page(open_page, people):
    page = open_page(locale="tr")
    authenticator(page)
    page.goto("/accounts/login/")
    assert not page.locator("#notice").is_visible()
    page.click("#passkey_login")
    page.locator("#notice").wait_for(state="visible")
    assert "yeniden deneyin" in page.inner_text("#notice")


def test_an_invited_person_joins_on_a_phone(open_page, people, live_server):
    invite(member(people.acme.pk, Role.OWNER, people.alice.pk), email="dora@example.org", role="EDITOR")
    path = re.search(r"(/accounts/invitations/\S+)", mail.outbox[0].body)[1]
    page = open_page(locale="hu", viewport=PHONE)
    check(page, path, "hu")
    page.fill("input[name=name]", "Dóra")
    page.fill("input[name=password]", "a-long-password-9")
    page.click("main form button[type=submit]")
    page.wait_for_url("**/accounts/")
    assert "Üdvözlünk itt: Acme." in page.inner_text("main")


def test_the_language_is_switched_at_the_foot_of_the_page_and_stays(open_page, people):
    page = open_page(viewport=PHONE)
    page.goto("/accounts/login/?next=/accounts/email/")
    page.click("footer button[value=tr]")
    page.locator("h1:text('Giriş Yap')").wait_for()
    assert page.url.endswith("?next=/accounts/email/")
    page.goto("/accounts/signup/")
    assert page.evaluate("document.documentElement.lang") == "tr"


def test_the_keyboard_shows_where_it_is(open_page, db):
    page = open_page()
    page.goto("/accounts/login/")
    page.keyboard.press("Tab")
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid"


def test_one_session_is_ended_from_another_browser(open_page, people):
    here, there = open_page(), open_page()
    sign_in(there, "alice@example.org", "alice-password")
    sign_in(here, "alice@example.org", "alice-password")
    here.goto("/accounts/sessions/")
    assert here.locator(".rows > li").count() == 2
    here.locator(".rows button", has_text="End").click()
    here.locator("text=The session was ended.").wait_for()
    there.goto("/accounts/")
    assert "/accounts/login/" in there.url


def test_the_admin_and_the_api_documentation_work_under_their_policies(open_page, people):
    people.alice.is_staff = people.alice.is_superuser = True
    people.alice.save()
    page = open_page()
    sign_in(page, "alice@example.org", "alice-password", next_path="/admin/")
    page.goto("/admin/accounts/workspace/")
    page.click("text=Acme")
    page.wait_for_url("**/change/")
    page.goto("/api/docs/")
    page.locator(".opblock-tag").first.click()
    page.locator(".opblock").first.wait_for()
    page.locator(".opblock-summary").first.click()
    page.locator(".opblock.is-open").wait_for()
