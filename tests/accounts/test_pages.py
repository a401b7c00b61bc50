"""Pages of one's account: home, the choice of a workspace, sessions, an invitation, headers, languages."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from accounts.actors import member
from accounts.devices import device_name
from accounts.models import Invitation, Membership, User, Workspace
from accounts.roles import Role
from accounts.services.invitations import invite, revoke_invitation
from ajansops.kit.clock import now
from tests.accounts.test_sign_in import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


def browser_of(user: User | None = None, *, agent: str = FIREFOX, csrf: bool = False, **headers: str) -> Client:
    client = Client(enforce_csrf_checks=csrf, headers={"user-agent": agent} | headers)
    if user:
        client.force_login(user, backend="accounts.backends.RoleBackend")
        client.get("/accounts/")
    return client


def text_of(answer) -> str:
    """What a person reads."""
    without_scripts = re.sub(r"<(script|style)\b.*?</\1>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", without_scripts).split())


# --- home


def test_home_shows_who_i_am_and_the_workspaces_i_am_in(people):
    text = text_of(browser_of(people.bob).get("/accounts/"))
    assert "bob@example.org" in text
    assert "Acme" in text
    assert "Viewer" in text
    assert "Other" not in text


def test_home_leads_to_everything_and_to_the_admin_only_for_staff(people):
    page = browser_of(people.alice).get("/accounts/").content.decode()
    for path in ("email/", "password/change/", "2fa/", "sessions/"):
        assert f'href="/accounts/{path}"' in page
    assert 'href="/api/account/export"' in page
    assert 'href="/admin/"' not in page
    people.alice.is_staff = True
    people.alice.save()
    assert 'href="/admin/"' in browser_of(people.alice).get("/accounts/").content.decode()


def test_home_without_a_workspace_says_what_to_do(people):
    Membership.objects.filter(user=people.bob).delete()
    assert "Ask a colleague to invite you" in text_of(browser_of(people.bob).get("/accounts/"))


def test_home_does_not_show_a_deleted_workspace(people):
    people.acme.deleted_at = now()
    people.acme.save()
    assert "Acme" not in text_of(browser_of(people.bob).get("/accounts/"))


def test_home_is_for_people_who_signed_in(db):
    assert Client().get("/accounts/")["Location"] == "/accounts/login/?next=/accounts/"


def test_a_name_is_text_and_not_markup(people):
    people.acme.name = "<script>alert(1)</script>"
    people.acme.save()
    assert "<script>alert(1)" not in browser_of(people.bob).get("/accounts/").content.decode()


def test_home_asks_the_database_as_often_for_many_workspaces(people):
    browser = browser_of(people.alice)
    with CaptureQueriesContext(connection) as one:
        browser.get("/accounts/")
    for number in range(5):
        workspace = Workspace.objects.create(name=f"W{number}", slug=f"w{number}")
        Membership.objects.create(workspace=workspace, user=people.alice, role=Role.VIEWER)
    with CaptureQueriesContext(connection) as many:
        browser.get("/accounts/")
    assert len(many) == len(one)


# --- the current workspace


def test_switching_changes_the_current_workspace(people):
    Membership.objects.create(workspace=people.other, user=people.alice, role=Role.EDITOR)
    browser = browser_of(people.alice)
    answer = browser.post(f"/accounts/workspaces/{people.other.pk}/switch/", follow=True)
    people.alice.refresh_from_db()
    assert people.alice.current_workspace_id == people.other.pk
    assert "You now work in Other." in text_of(answer)


def test_nobody_switches_into_a_workspace_they_are_not_in(people):
    answer = browser_of(people.alice).post(f"/accounts/workspaces/{people.other.pk}/switch/")
    assert answer.status_code == 404
    people.alice.refresh_from_db()
    assert people.alice.current_workspace_id != people.other.pk


def test_nobody_switches_into_a_deleted_workspace(people):
    people.acme.deleted_at = now()
    people.acme.save()
    assert browser_of(people.bob).post(f"/accounts/workspaces/{people.acme.pk}/switch/").status_code == 404


@pytest.mark.parametrize("path", ["workspaces/{acme}/switch/", "sessions/{session}/end/"])
def test_a_link_alone_changes_nothing(people, path):
    browser = browser_of(people.alice)
    session = UserSession.objects.get(user=people.alice)
    path = "/accounts/" + path.format(acme=people.acme.pk, session=session.pk)
    assert browser.get(path).status_code == 405
    with_checks = browser_of(people.alice, csrf=True)
    assert with_checks.post(path).status_code == 403
    assert Client().post(path)["Location"] == "/accounts/login/"
    assert UserSession.objects.filter(pk=session.pk).exists()


# --- sessions


def test_the_list_names_each_session_and_marks_this_one(people):
    browser_of(people.alice, agent=IPHONE)
    text = text_of(browser_of(people.alice).get("/accounts/sessions/"))
    assert "Firefox, Linux This one" in text
    assert "Safari, iPhone" in text
    assert text.count("This one") == 1


def test_ending_one_session_leaves_the_others(people):
    here, phone, tablet = (browser_of(people.alice, agent=agent) for agent in (FIREFOX, IPHONE, "curl/8.5.0"))
    ended = UserSession.objects.get(user=people.alice, user_agent=IPHONE)
    answer = here.post(f"/accounts/sessions/{ended.pk}/end/")
    assert answer["Location"] == "/accounts/sessions/"
    assert [is_signed_in(browser) for browser in (here, phone, tablet)] == [True, False, True]


def test_nobody_ends_the_session_of_somebody_else(people):
    bob = browser_of(people.bob)
    session = UserSession.objects.get(user=people.bob)
    assert browser_of(people.alice).post(f"/accounts/sessions/{session.pk}/end/").status_code == 404
    assert is_signed_in(bob)


def test_ending_this_session_signs_out(people):
    browser = browser_of(people.alice)
    session = UserSession.objects.get(user=people.alice)
    assert browser.post(f"/accounts/sessions/{session.pk}/end/")["Location"] == "/accounts/login/"
    assert not is_signed_in(browser)


def test_all_other_sessions_end_at_once(people):
    here, phone = browser_of(people.alice), browser_of(people.alice, agent=IPHONE)
    here.post("/accounts/sessions/")
    assert [is_signed_in(here), is_signed_in(phone)] == [True, False]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        (IPHONE, "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0 Safari/537.36 Edg/141.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15; SM-S928B) Chrome/141.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown device"),
    ],
)
def test_a_device_has_a_name_that_its_owner_knows(agent, name):
    assert device_name(agent) == name


# --- an invitation


@pytest.fixture
def invited(people, django_capture_on_commit_callbacks):
    """`invited("dora@example.org")` is the path of the link in the mail."""

    def send(email: str, role: str = "EDITOR") -> str:
        actor = member(people.acme.pk, Role.OWNER, people.alice.pk)
        with django_capture_on_commit_callbacks(execute=True):
            invite(actor, email=email, role=role)
        return re.search(r"https?://[^/\s]+(/accounts/invitations/\S+)", mail.outbox[-1].body)[1]

    return send


def role_of(email: str, workspace) -> str | None:
    found = Membership.objects.filter(user__email=email, workspace=workspace).first()
    return found.role if found else None


def test_looking_at_an_invitation_changes_nothing(people, invited):
    path = invited("dora@example.org")
    for _ in range(3):
        answer = Client().get(path)
    text = text_of(answer)
    assert answer.status_code == 200
    assert "Alice invites you to Acme (role: Editor)." in text
    assert "dora@example.org" in text
    assert Invitation.objects.get().accepted_at is None
    assert not User.objects.filter(email="dora@example.org").exists()


def test_the_page_keeps_its_token_to_itself(invited):
    path = invited("dora@example.org")
    for answer in (Client().get(path), Client().get("/accounts/invitations/nope/"), Client().post(path)):
        assert answer["Referrer-Policy"] == "strict-origin"  # the address without its path
        assert "no-store" in answer["Cache-Control"]


def test_the_invited_person_joins_with_one_button(people, invited):
    path = invited("charlie@example.org", "ADMIN")
    browser = browser_of(people.charlie)
    assert "Join" in text_of(browser.get(path))
    answer = browser.post(path, follow=True)
    assert answer.redirect_chain == [("/accounts/", 302)]
    assert "Welcome to Acme." in text_of(answer)
    assert role_of("charlie@example.org", people.acme) == "ADMIN"


def test_somebody_with_an_account_signs_in_and_comes_back(people, invited):
    path = invited("charlie@example.org")
    browser = Client()
    page = browser.get(path).content.decode()
    link = re.search(r'href="(/accounts/login/\?next=[^"]+)"', page)[1]
    answer = browser.post(link, {"login": "charlie@example.org", "password": "charlie-password"})
    assert answer["Location"] == path


def test_somebody_with_an_account_cannot_be_made_again(people, invited):
    path = invited("charlie@example.org")
    answer = Client().post(path, {"name": "Mallory", "password": PASSWORD})
    assert answer.status_code == 200
    assert "You have an account with this address." in text_of(answer)
    assert role_of("charlie@example.org", people.acme) is None
    people.charlie.refresh_from_db()
    assert people.charlie.check_password("charlie-password")


def test_somebody_new_gets_an_account_and_is_signed_in(people, invited):
    path = invited("dora@example.org")
    browser = Client()
    browser.get("/accounts/login/")
    answer = browser.post(path, {"name": "Dóra", "password": PASSWORD})
    assert answer["Location"] == "/accounts/"
    assert is_signed_in(browser)
    assert role_of("dora@example.org", people.acme) == "EDITOR"
    assert EmailAddress.objects.get(email="dora@example.org").verified
    assert UserSession.objects.filter(user__email="dora@example.org").count() == 1
    assert sign_in(Client(), User.objects.get(email="dora@example.org"), PASSWORD).status_code == 302


@pytest.mark.parametrize("password", ["short", "1234567890", "dora@example.org", ""])
def test_a_weak_password_is_refused_beside_its_field_and_the_link_stays_good(people, invited, password):
    path = invited("dora@example.org")
    answer = Client().post(path, {"name": "Dóra", "password": password})
    assert 'id="id_password_error"' in answer.content.decode()
    assert not User.objects.filter(email="dora@example.org").exists()
    assert Client().post(path, {"name": "Dóra", "password": PASSWORD}).status_code == 302


def test_somebody_else_is_told_whose_invitation_it_is(people, invited):
    path = invited("dora@example.org")
    browser = browser_of(people.bob)
    page = browser.get(path)
    assert "You are signed in as bob@example.org, but this invitation is for dora@example.org." in text_of(page)
    assert f'name="next" value="{path}"' in page.content.decode()
    assert browser.post(path).status_code == 403
    assert role_of("dora@example.org", people.acme) is None
    assert role_of("bob@example.org", people.acme) == "VIEWER"
    assert browser.post("/accounts/logout/", {"next": path})["Location"] == path


def test_an_address_that_is_not_verified_proves_nothing(people, invited):
    EmailAddress.objects.create(user=people.charlie, email="dora@example.org", verified=False)
    path = invited("dora@example.org")
    assert browser_of(people.charlie).post(path).status_code == 403
    assert role_of("charlie@example.org", people.acme) is None


def test_a_link_works_once(people, invited):
    path = invited("charlie@example.org")
    browser = browser_of(people.charlie)
    assert browser.post(path).status_code == 302
    assert browser.post(path).status_code == 404


@pytest.mark.parametrize("why", ["unknown", "expired", "revoked"])
def test_a_link_that_opens_nothing_says_what_to_do(people, invited, why):
    path = invited("dora@example.org")
    invitation = Invitation.objects.get()
    if why == "unknown":
        path = "/accounts/invitations/AAAA/"
    elif why == "expired":
        Invitation.objects.update(expires_at=now())
    else:
        revoke_invitation(member(people.acme.pk, Role.OWNER, people.alice.pk), invitation)
    for answer in (Client().get(path), Client().post(path, {"name": "Dóra", "password": PASSWORD})):
        assert answer.status_code == 404
        assert "Ask the person who invited you to send a new one." in text_of(answer)


def test_accepting_needs_the_page(people, invited):
    path = invited("charlie@example.org")
    assert browser_of(people.charlie, csrf=True).post(path).status_code == 403
    assert role_of("charlie@example.org", people.acme) is None


@pytest.mark.parametrize(("language", "role"), [("en", "Editor"), ("tr", "Düzenleyici"), ("hu", "Szerkesztő")])
def test_the_mail_speaks_the_language_of_its_reader(language, role):
    context = {"inviter": "O'Hara & <b>", "workspace": "Acme & Co", "role": "EDITOR", "name": ""}
    context |= {"link": "https://x.test/a", "expires_at": now()}
    with override(language):
        subject, text, html = (
            render_to_string(f"accounts/email/invitation_{part}", context)
            for part in ("subject.txt", "message.txt", "message.html")
        )
    assert "Acme & Co" in subject
    assert len(subject.strip().splitlines()) == 1
    assert role in text
    assert "O'Hara & <b>" in text
    assert "https://x.test/a" in text
    assert f'<html lang="{language}">' in html
    assert "<b>" not in html
    assert role in html


# --- headers


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/accounts/nothing/", "/bot", "/nothing"])
def test_pages_run_no_inline_script_and_fit_in_no_frame(db, path):
    answer = Client().get(path)
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.parametrize("path", ["/api/v1/sites", "/v1/x", "/api/health", "/_allauth/app/v1/config", "/api/schema/"])
def test_data_is_never_a_page(db, path):
    assert Client().get(path)["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_only_the_admin_may_run_inline_scripts(people):
    people.alice.is_staff = True
    people.alice.save()
    browser = browser_of(people.alice)
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in browser.get("/admin/")["Content-Security-Policy"]
    docs = browser.get("/api/docs/")["Content-Security-Policy"]
    assert "script-src" not in docs  # so default-src 'self' holds for scripts
    assert "unsafe-eval" not in docs


def test_no_template_of_ours_carries_inline_style_or_script(people):
    browser = browser_of(people.alice)
    for path in ("", "email/", "password/change/", "2fa/", "sessions/", "logout/", "reauthenticate/"):
        page = browser.get(f"/accounts/{path}").content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=", page), path
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", page), path


# --- languages


@pytest.mark.parametrize(
    ("header", "language", "word"),
    [
        ("tr", "tr", "Giriş Yap"),
        ("hu-HU,hu;q=0.9", "hu", "Belépés"),
        ("de,fr;q=0.8", "en", "Sign In"),
        ("", "en", "Sign In"),
    ],
)
def test_a_page_speaks_the_language_that_the_browser_asks_for(db, header, language, word):
    answer = Client().get("/accounts/login/", headers={"accept-language": header})
    assert f'<html lang="{language}">' in answer.content.decode()
    assert answer["Content-Language"] == language
    assert word in text_of(answer)


def test_the_switch_outlives_the_page_and_wins_over_the_browser(db):
    browser = Client(headers={"accept-language": "hu"})
    answer = browser.post("/i18n/setlang/", {"language": "tr", "next": "/accounts/signup/"})
    assert answer["Location"] == "/accounts/signup/"
    assert '<html lang="tr">' in browser.get("/accounts/signup/").content.decode()
    assert '<html lang="tr">' in browser.get("/accounts/login/").content.decode()


def test_the_switch_leads_nowhere_else(db):
    answer = Client().post("/i18n/setlang/", {"language": "tr", "next": "https://evil.example/"})
    assert not answer["Location"].startswith("https://evil")


def test_the_switch_names_languages_in_themselves(db):
    page = Client().get("/accounts/login/", headers={"accept-language": "tr"}).content.decode()
    for code, name in (("en", "English"), ("tr", "Türkçe"), ("hu", "Magyar")):
        assert re.search(rf'value="{code}" lang="{code}"[^>]*>{name}<', page)
    assert page.count("aria-current") == 1


def test_an_api_error_speaks_the_language_that_the_caller_asks_for(db):
    answer = Client().get("/api/v1/sites", headers={"accept-language": "tr"})
    assert "API anahtarı eksik ya da geçersiz." in answer.content.decode()
