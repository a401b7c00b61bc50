"""Ways back in, and ways to more, that an attack by fresh eyes has tried. Each test is one that worked once."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection, connections

from accounts.activity import verify
from accounts.actors import operator
from accounts.models import Activity, ApiKey, Invitation, Membership, User, Workspace, normal_email
from accounts.roles import Role
from accounts.services import invitations, members, workspaces
from accounts.services.erasure import erase_user
from accounts.services.members import LastOwner, add_member
from accounts.services.people import create_user
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import AccessDenied, NotFound
from ajansops.kit.identity import identity
from billing.services import set_plan
from tests.accounts.test_admin import address, post, staff
from tests.accounts.test_erasure import everything
from tests.accounts.test_invitations import token
from tests.conftest import Api

KEYS, MEMBERS, INVITATIONS = "/api/v1/api-keys", "/api/v1/members", "/api/v1/invitations"


@pytest.fixture
def ada(people) -> User:
    """A second ADMIN."""
    user = create_user(email="ada@example.org", password="ada-password")
    add_member(people.acme, user, Role.ADMIN)
    return user


def actor_of(user: User, workspace) -> Actor:
    return identity().actor_for_user(user.pk, workspace=str(workspace.pk), request_id="r")


def test_a_key_that_somebody_rotated_ends_with_them(people, ada):
    add_member(people.acme, people.bob, Role.ADMIN)
    key = Api(user=people.bob).post(KEYS, {"name": "integration"}).json()["data"]
    taken = Api(user=ada).post(f"{KEYS}/{key['id']}/rotate", {"grace_period_hours": 720}).json()["data"]
    line = Activity.objects.filter(action="api_key.created").latest("id")
    assert line.user == ada
    members.remove_member(operator(people.acme.pk), Membership.objects.get(user=ada))
    assert Api(key=taken["key"]).get(MEMBERS).status_code == 401
    assert Api(key=key["key"]).get(MEMBERS).status_code == 200


def test_a_request_that_came_in_before_a_removal_ends_with_it(people, ada):
    actor, bob = actor_of(ada, people.acme), Membership.objects.get(user=people.bob)
    members.remove_member(operator(people.acme.pk), Membership.objects.get(user=ada))
    for call in (
        lambda: invitations.invite(actor, email="ada2@example.org", role="ADMIN"),
        lambda: members.change_role(actor, bob, role="ADMIN"),
        lambda: members.remove_member(actor, bob),
    ):
        with pytest.raises(AccessDenied):
            call()
    assert not Invitation.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["deactivated", "removed behind the service", "demoted behind the service"])
def test_an_invitation_is_worth_what_its_sender_may_do_now(people, ada, what):
    invitations.invite(actor_of(ada, people.acme), email="ada2@example.org", role="ADMIN")
    secret = token()
    assert invitations.find(secret)
    match what:
        case "deactivated":
            User.objects.filter(pk=ada.pk).update(is_active=False)
        case "removed behind the service":
            Membership.objects.filter(user=ada).delete()
        case _:
            Membership.objects.filter(user=ada).update(role=Role.EDITOR)
    for call in (
        lambda: invitations.find(secret),
        lambda: invitations.accept_as_new(secret, name="", password="x" * 12),
    ):
        with pytest.raises(invitations.InvitationGone):
            call()


def test_a_key_of_a_low_tier_takes_no_higher_one(people, key_for):
    set_plan(people.acme.pk, "growth")
    low = Api(user=people.alice).post(KEYS, {"name": "low", "scopes": ["*"], "rate_limit_tier": "free"}).json()["data"]
    high = Api(user=people.alice).post(KEYS, {"name": "high", "scopes": ["sites:read"]}).json()["data"]
    assert Api(key=low["key"]).post(f"{KEYS}/{high['id']}/rotate").status_code == 403
    capped = Api(user=people.alice).post(KEYS, {"name": "capped", "rate_limit_tier": "pro"}).json()["data"]
    set_plan(people.acme.pk, "enterprise")
    shown = Api(user=people.alice).get(f"{KEYS}/{capped['id']}").json()["data"]
    assert shown["rate_limit_tier"] == "pro", "it was meant as a limit"


def test_a_key_does_not_outlive_itself(people):
    with time_machine.travel("2026-01-15T10:00:00Z", tick=False) as clock:
        body = {"name": "K", "scopes": ["*"], "expires_at": "2026-01-15T12:00:00Z"}
        key = Api(user=people.alice).post(KEYS, body).json()["data"]
        api = Api(key=key["key"])
        assert api.patch(f"{KEYS}/{key['id']}", {"expires_at": None}).status_code == 403
        assert api.post(KEYS, {"name": "C", "expires_at": "2027-01-01T00:00:00Z"}).status_code == 403
        assert api.post(KEYS, {"name": "C"}).json()["data"]["expires_at"] == "2026-01-15T12:00:00Z"
        endless = Api(user=people.alice).post(KEYS, {"name": "L", "scopes": ["sites:read"]}).json()["data"]["id"]
        assert api.post(f"{KEYS}/{endless}/rotate").status_code == 403
        clock.shift(timedelta(hours=3))
        answer = Api(user=people.alice).post(f"{KEYS}/{key['id']}/rotate")
        assert (answer.status_code, answer.json()["error"]) == (409, "key_expired")


def test_keys_without_a_person_share_their_invitations(people, key_for):
    for number in range(10):
        api = Api(key=key_for(people.acme))
        assert api.post(INVITATIONS, {"email": f"d{number}@example.org", "role": "VIEWER"}).status_code == 201
    assert (
        Api(key=key_for(people.acme)).post(INVITATIONS, {"email": "e@example.org", "role": "VIEWER"}).status_code == 429
    )


@pytest.mark.django_db(transaction=True)
def test_a_test_key_sends_no_second_mail_of_a_live_invitation(people, key_for, settings, tmp_path):
    settings.EMAIL_FILES = tmp_path
    made = Api(user=people.alice).post(INVITATIONS, {"email": "d@example.org", "role": "VIEWER"}).json()["data"]["id"]
    mail.outbox.clear()
    assert Api(key=key_for(people.acme, test=True)).post(f"{INVITATIONS}/{made}/resend").status_code == 200
    assert (mail.outbox, len(list(tmp_path.iterdir()))) == ([], 1)


def test_a_workspace_keeps_its_owner_whatever_the_command(people):
    with pytest.raises(LastOwner):
        add_member(people.acme, people.alice, Role.VIEWER)
    assert Membership.objects.get(user=people.alice).role == Role.OWNER


def test_an_empty_change_changes_nothing(people):
    row = Membership.objects.get(user=people.bob)
    answer = Api(user=people.alice).patch(f"{MEMBERS}/{row.pk}", {})
    assert (answer.status_code, answer.json()["data"]["role"]) == (200, "VIEWER")


def test_a_members_second_address_is_not_invited(people):
    people.bob.emailaddress_set.create(email="second@example.org", verified=True)
    answer = Api(user=people.alice).post(INVITATIONS, {"email": "second@example.org", "role": "VIEWER"})
    assert answer.status_code == 409


@pytest.mark.django_db(transaction=True)
def test_nothing_of_an_erased_person_is_left_in_the_admins_own_log(people):
    fields = {"workspace": people.acme.pk, "email": "secret.person@example.org", "name": "", "role": "EDITOR"}
    post(staff(people.alice), address(Invitation, "add"), **fields)
    user = invitations.accept_as_new(token(), name="Secret", password="x" * 12)
    assert everything().count("secret.person@example.org") >= 3
    erase_user(user)
    assert "secret.person@example.org" not in everything()


def test_what_ends_with_a_member_is_in_the_log(people, ada, key_for):
    key_for(people.acme, creator=ada)
    invitations.invite(actor_of(ada, people.acme), email="d@example.org", role="VIEWER")
    members.remove_member(operator(people.acme.pk), Membership.objects.get(user=ada))
    told = list(Activity.objects.filter(workspace=people.acme).order_by("-seq").values_list("action", flat=True)[:3])
    assert told == ["member.deleted", "api_key.revoked", "invitation.revoked"]


def test_a_secret_in_a_name_is_not_in_the_log(people, key_for):
    raw = key_for(people.acme)
    Api(user=people.alice).patch(f"/api/v1/workspaces/{people.acme.pk}", {"name": f"Acme {raw}"})
    assert raw not in str(list(Activity.objects.values()))


@pytest.mark.parametrize(
    "text",
    [
        "a@xn--a.test",
        "a@[127.0.0.1]",
        "a@⒈.test",
        "a b@example.org",
        "<x>@example.org",
        "a" * 250 + "@example.org",
        "a@",
    ],
)
def test_an_address_that_is_none_is_refused_everywhere(people, text):
    with pytest.raises(ValueError, match="e-mail"):
        normal_email(text)
    assert Api(user=people.alice).post(INVITATIONS, {"email": text, "role": "VIEWER"}).status_code == 422
    for path, field in (("/accounts/signup/", "password1"), ("/accounts/password/reset/", "x")):
        assert Api().client.post(path, {"email": text, field: "a-long-password"}).status_code == 200
    body = {"email": text, "password": "a-long-password"}
    for path in ("signup", "login"):
        assert Api().post(f"/_allauth/browser/v1/auth/{path}", body).status_code in {400, 401}


def test_a_code_that_was_waited_for_does_not_bring_an_erased_person_back(db):
    client = Api().client
    client.post("/accounts/signup/", {"email": "ghost@example.org", "password1": "a-long-password"})
    assert Session.objects.count() >= 1
    erase_user(User.objects.get(email="ghost@example.org"))
    assert "ghost@example.org" not in everything()
    assert not [row for row in Session.objects.all() if "ghost@example.org" in str(row.get_decoded())]


def test_a_credential_that_is_no_text_is_401(db):
    assert Api(authorization="Basic \xe9").get(KEYS).status_code == 401


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
@pytest.mark.parametrize(
    "body", ["[" * 5000, '{"email":' * 2000, '{"email": "a@example.org", "password": "\\ud800"}', "{"]
)
def test_a_headless_body_that_cannot_be_read_is_400(db, body, content_type):
    assert Api().post("/_allauth/browser/v1/auth/login", body, content_type=content_type).status_code == 400


def test_another_spelling_of_the_address_signs_in_and_shares_the_count_of_failures(people):
    create_user(email="kisi@bücher.example", password="a-long-password")
    client = Api().client
    client.post("/accounts/login/", {"login": "kisi@BÜCHER.example", "password": "a-long-password"})
    assert client.get("/api/v1/workspaces").status_code == 200


def test_another_site_does_not_use_up_the_exports(people):
    api = Api(user=people.alice)
    assert api.get("/api/account/export", Sec_Fetch_Site="cross-site").status_code == 403
    assert api.get("/api/account/export", Sec_Fetch_Site="same-origin").status_code == 200


def test_a_restored_workspace_is_not_purged(people):
    workspaces.delete_workspace(operator(people.acme.pk), people.acme)
    with time_machine.travel(now() + timedelta(days=31)):
        late = list(Workspace.objects.past_grace().values_list("pk", flat=True))
        workspaces.restore_workspace(operator(people.acme.pk), people.acme)
        assert [workspaces._purge(pk) for pk in late] == [False]
    with pytest.raises(NotFound):
        workspaces.restore_workspace(operator(people.acme.pk), people.acme)


def test_a_log_that_is_gone_whole_is_noticed(people):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_activity WHERE workspace_id = %s", [people.acme.pk])
        cursor.execute("DELETE FROM accounts_activityhead WHERE chain = %s", [people.acme.pk])
    assert {verdict.chain for verdict in verify() if verdict.reason} == {people.acme.pk}


# --- side by side -----------------------------------------------------------------------------------------------------


def together(*calls) -> list[Exception]:
    """Each call again and again in a thread of its own, all at the same time; what they raised."""
    gate, raised = threading.Barrier(len(calls)), []

    def run(call):
        gate.wait()
        try:
            for number in range(8):
                call(number)
        except Exception as error:  # noqa: BLE001  # the test looks at it
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.django_db(transaction=True)
def test_services_of_one_workspace_never_wait_for_each_other_in_a_circle(people, ada, key_for):
    """Without one order of locks PostgreSQL ends some of these as deadlocks."""
    acme = operator(people.acme.pk)
    bob = Membership.objects.get(user=people.bob)
    key_for(people.acme)
    key = ApiKey.objects.get()
    api = Api(user=people.alice)
    product = api.post("/api/v1/products", {"sku": "mine", "title": "T"}).json()["data"]["id"]

    def create_persona(number: int) -> None:
        answer = api.post("/api/v1/personas", {"name": f"{threading.get_ident()}-{number}"})
        assert answer.status_code == 201, answer.content

    def come_and_go(number: int) -> None:
        made = api.post("/api/v1/products", {"sku": "same", "title": "T"})
        assert made.status_code in {201, 409}, made.content
        if made.status_code == 201:
            assert api.delete(f"/api/v1/products/{made.json()['data']['id']}").status_code == 204

    def take_the_sku(number: int) -> None:
        answer = api.patch(f"/api/v1/products/{product}", {"sku": "same" if number % 2 else "mine"})
        assert answer.status_code in {200, 409}, answer.content

    def rename(number: int) -> None:
        workspaces.update_workspace(acme, people.acme, name=f"N{number}", slug=f"acme-{number}")

    def change_role(number: int) -> None:
        members.change_role(acme, bob, role="EDITOR" if number % 2 else "VIEWER")

    def rename_key(number: int) -> None:
        answer = api.patch(f"{KEYS}/{key.pk}", {"name": f"K{number}"})
        assert answer.status_code == 200, answer.content

    def look(number: int) -> None:
        assert [verdict for verdict in verify() if verdict.reason] == [], "a false alarm"

    assert (
        together(create_persona, create_persona, come_and_go, take_the_sku, rename, change_role, rename_key, look) == []
    )
    assert [verdict for verdict in verify() if verdict.reason] == []
