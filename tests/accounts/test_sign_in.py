"""Signing in through the public doors: pages and the headless API. Nothing here reaches into allauth."""

import base64
import hashlib
import hmac
import json
import re
import struct
import time

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import User

PASSWORD = "a-long-password-9"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def browser() -> Client:
    return Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})


def code_in(message) -> str:
    """The code stands on a line of its own."""
    found = re.search(r"^([A-Z0-9-]{6,12})$", message.body, re.MULTILINE)
    assert found, message.body
    return found[1]


def totp(secret: str, *, step: int = 0) -> str:
    """RFC 6238, written down here so that the product is not its own judge."""
    counter = struct.pack(">Q", int(time.time()) // 30 + step)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def sign_in(client: Client, user: User, password: str):
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def reauthenticate(client: Client, password: str) -> None:
    answer = client.post("/accounts/reauthenticate/", {"password": password})
    assert answer.status_code == 302, answer.content


def activate_totp(client: Client, password: str) -> str:
    reauthenticate(client, password)
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]* value="([A-Z2-7]+)"', page)[1]
    answer = client.post("/accounts/2fa/totp/activate/", {"code": totp(secret)})
    assert answer.status_code == 302, answer.content
    return secret


def shape(answer) -> tuple[int, str, str]:
    """Status, where to, and the page without what differs by nature: tokens and the address that was typed."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    return answer.status_code, answer.headers.get("Location", ""), re.sub(r"[\w.+-]+@example\.org", "ADDRESS", text)


# --- signing up


def test_the_code_from_the_mail_signs_a_new_person_in(browser):
    answer = browser.post("/accounts/signup/", {"email": "dora@example.org", "password1": PASSWORD})
    assert answer["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(browser)
    assert mail.outbox[0].to == ["dora@example.org"]

    answer = browser.post("/accounts/confirm-email/", {"code": code_in(mail.outbox[0])})
    assert answer["Location"] == "/accounts/"
    assert is_signed_in(browser)


def test_a_wrong_code_signs_nobody_in_and_three_end_the_attempt(browser):
    browser.post("/accounts/signup/", {"email": "dora@example.org", "password1": PASSWORD})
    answers = [browser.post("/accounts/confirm-email/", {"code": "WRONG1"}) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert answers[2].status_code == 302
    browser.post("/accounts/confirm-email/", {"code": code_in(mail.outbox[0])})
    assert not is_signed_in(browser)


@pytest.mark.parametrize("password", ["short", "1234567890", "dora@example.org"])
def test_a_weak_password_is_refused_beside_its_field(browser, password):
    answer = browser.post("/accounts/signup/", {"email": "dora@example.org", "password1": password})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert 'id="id_password1_error"' in page
    assert re.search(r'<input[^>]*name="password1"[^>]*aria-invalid="true"', page)
    assert re.search(r'aria-describedby="[^"]*id_password1_error', page)
    assert not User.objects.filter(email="dora@example.org").exists()


# --- no door says who has an account


def test_sign_up_answers_the_same_for_a_taken_address_and_its_owner_gets_a_mail(people):
    shapes, pages = [], []
    for address in ("alice@example.org", "nobody@example.org"):
        client = Client()
        shapes.append(shape(client.post("/accounts/signup/", {"email": address, "password1": PASSWORD})))
        pages.append(shape(client.get("/accounts/confirm-email/")))
    assert shapes[0] == shapes[1]
    assert pages[0] == pages[1]
    to_owner, to_new = mail.outbox
    assert to_owner.to == ["alice@example.org"]
    assert "already" in to_owner.body.lower()
    assert code_in(to_new)
    assert User.objects.filter(email="alice@example.org").count() == 1


def test_sign_up_with_a_taken_address_does_not_change_its_password(people, browser):
    Client().post("/accounts/signup/", {"email": "alice@example.org", "password1": PASSWORD})
    assert sign_in(browser, people.alice, "alice-password").status_code == 302


def test_another_spelling_of_a_taken_address_is_taken(people):
    Client().post("/accounts/signup/", {"email": "ALICE@Example.ORG", "password1": PASSWORD})
    assert User.objects.filter(email__iexact="alice@example.org").count() == 1


def test_sign_in_answers_the_same_for_a_wrong_password_and_an_unknown_address(people):
    answers = [
        Client().post("/accounts/login/", {"login": address, "password": "wrong-password"})
        for address in ("alice@example.org", "nobody@example.org")
    ]
    assert shape(answers[0]) == shape(answers[1])


def test_reset_answers_the_same_for_known_and_unknown_addresses(people):
    answers = [
        Client().post("/accounts/password/reset/", {"email": address})
        for address in ("alice@example.org", "nobody@example.org")
    ]
    assert shape(answers[0]) == shape(answers[1])
    assert [message.to for message in mail.outbox] == [["alice@example.org"], ["nobody@example.org"]]
    assert "/accounts/password/reset/key/" in mail.outbox[0].body
    assert "/accounts/password/reset/key/" not in mail.outbox[1].body


@pytest.mark.parametrize("path", ["auth/login", "auth/signup", "auth/password/request"])
def test_the_headless_api_answers_the_same_for_known_and_unknown_addresses(people, path):
    bodies = []
    for address in ("alice@example.org", "nobody@example.org"):
        answer = Headless().post(path, {"email": address, "password": PASSWORD})
        text = re.sub(r"[\w.+-]+@example\.org", "ADDRESS", answer.content.decode())
        bodies.append((answer.status_code, re.sub(r'"session_token": ?"[^"]+"', "", text)))
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    ("door", "body"),
    [
        ("/accounts/login/", {"login": "{address}", "password": "wrong-password"}),
        ("/accounts/signup/", {"email": "{address}", "password1": PASSWORD}),
        ("/_allauth/app/v1/auth/login", {"email": "{address}", "password": "wrong-password"}),
        ("/_allauth/app/v1/auth/signup", {"email": "{address}", "password": PASSWORD}),
    ],
)
def test_a_known_address_costs_as_many_hashes_as_an_unknown_one(people, monkeypatch, door, body):
    """A hash takes a third of a second in production, so the clock would tell."""
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda self, *args, **kwargs: hashed.append(1) or encode(self, *args, **kwargs)
    )
    counts = []
    for address in ("alice@example.org", "nobody@example.org"):
        hashed.clear()
        data = {name: value.format(address=address) for name, value in body.items()}
        content_type = {"content_type": "application/json"} if "_allauth" in door else {}
        Client().post(door, data, **content_type)
        counts.append(len(hashed))
    assert counts[0] == counts[1] > 0


# --- limits


def test_after_five_wrong_passwords_the_right_one_has_to_wait(people, browser):
    for _ in range(5):
        sign_in(browser, people.alice, "wrong")
    answer = sign_in(browser, people.alice, "alice-password")
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.content.decode()
    assert not is_signed_in(browser)
    assert sign_in(Client(), people.bob, "bob-password").status_code == 302  # another account is not locked


def test_one_address_cannot_try_many_accounts(people):
    for number in range(10):
        Client().post("/accounts/login/", {"login": f"user{number}@example.org", "password": "wrong"})
    assert sign_in(Client(), people.alice, "alice-password").status_code == 200
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert sign_in(elsewhere, people.alice, "alice-password").status_code == 302


def test_too_many_sign_ups_from_one_address_get_our_429_page(db):
    for number in range(20):
        Client().post("/accounts/signup/", {"email": f"user{number}@example.org", "password1": "short"})
    answer = Client().post("/accounts/signup/", {"email": "user@example.org", "password1": PASSWORD})
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
    assert not User.objects.filter(email="user@example.org").exists()


# --- passwords


def test_the_link_of_the_reset_mail_sets_a_new_password_once(people, browser):
    browser.post("/accounts/password/reset/", {"email": "alice@example.org"})
    link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", mail.outbox[0].body)[1]
    form = browser.get(link, follow=True)
    where = form.redirect_chain[-1][0]
    answer = browser.post(where, {"password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 302
    assert sign_in(Client(), people.alice, "alice-password").status_code == 200
    assert sign_in(Client(), people.alice, PASSWORD).status_code == 302
    assert [message.to for message in mail.outbox] == [["alice@example.org"]] * 2, "its owner is told"
    again = Client().get(link, follow=True)
    assert "password1" not in again.content.decode()


def test_changing_the_password_ends_the_other_sessions(people, browser):
    elsewhere = Client()
    sign_in(browser, people.alice, "alice-password")
    sign_in(elsewhere, people.alice, "alice-password")
    reauthenticate(browser, "alice-password")
    data = {"oldpassword": "alice-password", "password1": PASSWORD, "password2": PASSWORD}
    assert browser.post("/accounts/password/change/", data).status_code == 302
    assert not is_signed_in(elsewhere)
    assert sign_in(Client(), people.alice, PASSWORD).status_code == 302


def test_resetting_the_password_ends_all_sessions(people, browser):
    sign_in(browser, people.alice, "alice-password")
    people.alice.set_password(PASSWORD)
    people.alice.save()
    assert not is_signed_in(browser)


def test_signing_in_gives_the_session_a_new_key(people, browser):
    browser.get("/accounts/login/")
    browser.session.save()
    sign_in(browser, people.alice, "alice-password")
    first = browser.session.session_key
    browser.post("/accounts/logout/")
    sign_in(browser, people.alice, "alice-password")
    assert browser.session.session_key != first


# --- the second factor


def test_two_factor_needs_the_password_again(people, browser):
    sign_in(browser, people.alice, "alice-password")
    answer = browser.get("/accounts/2fa/totp/activate/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")


@pytest.mark.django_db(transaction=True)  # the mail goes out after the commit
def test_with_totp_the_password_alone_does_not_sign_in(people, browser):
    sign_in(browser, people.alice, "alice-password")
    secret = activate_totp(browser, "alice-password")
    assert [message.to for message in mail.outbox] == [["alice@example.org"]], "its owner is told"

    other = Client()
    assert sign_in(other, people.alice, "alice-password")["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(other)
    assert other.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert not is_signed_in(other)
    cache.clear()  # a code counts once; the next step's is as good and was not used
    assert other.post("/accounts/2fa/authenticate/", {"code": totp(secret, step=1)}).status_code == 302
    assert is_signed_in(other)


def test_the_admin_asks_for_the_second_factor_too(people, browser):
    people.alice.is_staff = True
    people.alice.save()
    sign_in(browser, people.alice, "alice-password")
    activate_totp(browser, "alice-password")
    other = Client()
    where = other.get("/admin/login/?next=/admin/")["Location"]
    other.post(where, {"login": people.alice.email, "password": "alice-password"})
    assert other.get("/admin/").status_code == 302


def test_a_recovery_code_signs_in_once(people, browser):
    sign_in(browser, people.alice, "alice-password")
    activate_totp(browser, "alice-password")
    page = browser.get("/accounts/2fa/recovery-codes/").content.decode()
    codes = re.search(r"<textarea[^>]*>([^<]+)</textarea>", page)[1].split()
    assert len(codes) == 10
    download = browser.get("/accounts/2fa/recovery-codes/download/")
    assert codes[0] in download.content.decode()
    assert "attachment" in download["Content-Disposition"]

    other, third = Client(), Client()
    sign_in(other, people.alice, "alice-password")
    assert other.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert is_signed_in(other)
    sign_in(third, people.alice, "alice-password")
    assert third.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 200
    assert not is_signed_in(third)


# --- the headless API, for clients that are no browser


class Headless:
    """`app` client: a session token in a header."""

    def __init__(self) -> None:
        self.client, self.token = Client(), ""

    def call(self, method: str, path: str, body: object = None):
        headers = {"x-session-token": self.token} if self.token else {}
        answer = self.client.generic(
            method, f"/_allauth/app/v1/{path}", json.dumps(body) if body else "", "application/json", headers=headers
        )
        meta = answer.json().get("meta", {}) if answer.content else {}
        self.token = meta.get("session_token", self.token)
        return answer

    def get(self, path: str):
        return self.call("GET", path)

    def post(self, path: str, body: object):
        return self.call("POST", path, body)


def test_headless_sign_up_is_confirmed_by_the_code_from_the_mail():
    app = Headless()
    pending = app.post("auth/signup", {"email": "dora@example.org", "password": PASSWORD})
    assert pending.status_code == 401
    assert {"id": "verify_email", "is_pending": True}.items() <= next(
        flow.items() for flow in pending.json()["data"]["flows"] if flow.get("is_pending")
    )
    answer = app.post("auth/email/verify", {"key": code_in(mail.outbox[0])})
    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["email"] == "dora@example.org"


def test_headless_sign_in_lists_and_ends_sessions(people):
    first, second = Headless(), Headless()
    for app in (first, second):
        answer = app.post("auth/login", {"email": "alice@example.org", "password": "alice-password"})
        assert answer.status_code == 200
    sessions = first.get("auth/sessions").json()["data"]
    assert len(sessions) == 2
    others = [session["id"] for session in sessions if not session["is_current"]]
    first.call("DELETE", "auth/sessions", {"sessions": others})
    assert second.get("auth/session").status_code in {401, 410}
    assert first.get("auth/session").status_code == 200


def test_a_headless_reset_leads_to_the_page(people, settings):
    Headless().post("auth/password/request", {"email": "alice@example.org"})
    link = re.search(r"https?://\S+", mail.outbox[0].body)[0]
    assert link.startswith(f"{settings.ENV.public_url}/accounts/password/reset/key/")
    page = Client().get(link.removeprefix(settings.ENV.public_url), follow=True)
    assert "password1" in page.content.decode()


def test_the_headless_api_serves_browsers_with_cookies_and_their_token(people):
    browser = Client(enforce_csrf_checks=True)
    body = json.dumps({"email": "alice@example.org", "password": "alice-password"})
    refused = browser.post("/_allauth/browser/v1/auth/login", body, "application/json")
    assert refused.status_code == 403
    browser.get("/_allauth/browser/v1/config")
    token = browser.cookies["csrftoken"].value
    answer = browser.post("/_allauth/browser/v1/auth/login", body, "application/json", headers={"x-csrftoken": token})
    assert answer.status_code == 200
    assert is_signed_in(browser)  # pages and API share the session


# --- addresses


def test_adding_an_address_answers_the_same_for_a_taken_one(people):
    answers = []
    for address in ("bob@example.org", "nobody@example.org"):
        cache.clear()
        client = Client()
        sign_in(client, people.alice, "alice-password")
        reauthenticate(client, "alice-password")
        answer = client.post("/accounts/email/", {"action_add": "", "email": address})
        answers.append((answer.status_code, answer.headers.get("Location"), shape(client.get("/accounts/"))))
    assert answers[0] == answers[1]
    assert not people.alice.emailaddress_set.filter(email="bob@example.org", verified=True).exists()


def test_another_code_can_be_asked_for(db, browser):
    browser.post("/accounts/signup/", {"email": "dora@example.org", "password1": PASSWORD})
    cache.clear()  # not within ten seconds
    browser.post("/accounts/confirm-email/", {"action": "resend"})
    first, second = (code_in(message) for message in mail.outbox)
    assert first != second
    browser.post("/accounts/confirm-email/", {"code": second})
    assert is_signed_in(browser)
