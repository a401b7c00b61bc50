"""Invitations on core and app: one use, seven days, only for whom they were meant."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail

from accounts.models import Invitation, Membership, User
from accounts.roles import Role
from accounts.services.invitations import InvitationGone, accept, accept_as_new, deliver, deliver_unsent, find
from accounts.services.members import add_member
from accounts.services.people import create_user
from ajansops.kit.clock import now
from ajansops.kit.errors import AccessDenied, Conflict
from tests.conftest import Api

PATH = "/api/v1/invitations"
APP = "/api/users/invite"
BODY = {"email": "Dora@Example.org", "role": "EDITOR", "name": "Dóra"}

pytestmark = pytest.mark.django_db(transaction=True)  # mail goes out on commit


def token() -> str:
    """Of the last mail."""
    return re.search(r"/accounts/invitations/([\w-]+)", mail.outbox[-1].body)[1]


def invited(people, **changes) -> str:
    answer = Api(user=people.alice).post(PATH, BODY | changes)
    assert answer.status_code == 201, answer.content
    return token()


@pytest.mark.parametrize("path", [PATH, APP])
def test_it_works(people, path):
    answer = Api(user=people.alice).post(path, BODY)
    assert answer.status_code == 201, answer.content
    data = answer.json()["data"]
    assert (data["email"], data["role"], data["status"]) == ("dora@example.org", "EDITOR", "pending")
    assert mail.outbox[0].to == ["dora@example.org"]
    assert "Acme" in mail.outbox[0].body
    secret = token()
    assert secret not in answer.content.decode()
    assert secret not in str(list(Invitation.objects.values()))
    user = accept_as_new(secret, name="Dóra", password="a-long-password")
    assert Membership.objects.get(user=user, workspace=people.acme).role == Role.EDITOR
    assert user.emailaddress_set.get().verified is True


def test_the_app_surface_shows_ids_as_text_in_its_envelope(people):
    body = Api(user=people.alice).post(APP, BODY).json()
    assert body["success"] is True
    assert isinstance(body["data"]["id"], str)


def test_a_link_is_good_once(people):
    secret = invited(people)
    accept_as_new(secret, name="", password="a-long-password")
    for again in (find, lambda t: accept(people.bob, t), lambda t: accept_as_new(t, name="", password="x" * 12)):
        with pytest.raises(InvitationGone):
            again(secret)
    assert User.objects.get(email="dora@example.org").name == "Dóra", "the name it was sent with"


@pytest.mark.parametrize(
    "ended", ["expired", "revoked", "resent", "workspace deleted", "unknown", "demoted", "removed"]
)
def test_a_link_that_ended_opens_nothing(people, ended):
    add_member(people.acme, people.bob, Role.ADMIN)
    by = people.bob if ended in {"demoted", "removed"} else people.alice
    alice = Api(user=people.alice)
    made = Api(user=by).post(PATH, BODY).json()["data"]["id"]
    secret = token()
    later = now()
    match ended:
        case "expired":
            later += timedelta(days=7, seconds=1)
        case "revoked":
            assert alice.delete(f"{PATH}/{made}").status_code == 204
        case "resent":
            assert alice.post(f"{PATH}/{made}/resend").status_code == 200
            assert find(token()).pk == made
        case "workspace deleted":
            alice.delete(f"/api/v1/workspaces/{people.acme.pk}")
        case "unknown":
            secret = secret[:-1]
        case "demoted":
            add_member(people.acme, people.bob, Role.EDITOR)
        case "removed":
            alice.delete(f"/api/v1/members/{Membership.objects.get(user=people.bob).pk}")
    with time_machine.travel(later), pytest.raises(InvitationGone):
        find(secret)


def test_an_existing_user_joins_with_the_invited_address_only(people):
    secret = invited(people, email="charlie@example.org")
    with pytest.raises(Conflict):
        accept_as_new(secret, name="", password="a-long-password")
    with pytest.raises(AccessDenied):
        accept(people.bob, secret)
    assert accept(people.charlie, secret).role == Role.EDITOR


def test_an_unverified_address_proves_nothing(people):
    secret = invited(people, email="eve@example.org")
    people.bob.emailaddress_set.create(email="eve@example.org", verified=False)
    with pytest.raises(AccessDenied):
        accept(people.bob, secret)


def test_accepting_never_lowers_a_role(people):
    user = create_user(email="dora@example.org")
    secret = invited(people, role="VIEWER")
    add_member(people.acme, user, Role.ADMIN)
    assert accept(user, secret).role == Role.ADMIN


@pytest.mark.parametrize("path", [PATH, APP])
@pytest.mark.parametrize(
    ("email", "status"),
    [("bob@example.org", 409), ("BOB@EXAMPLE.ORG", 409), ("dora@example.org", 409), ("nobody", 422), ("", 422)],
)
def test_whom_one_cannot_invite(people, path, email, status):
    invited(people)
    answer = Api(user=people.alice).post(path, {"email": email, "role": "VIEWER"})
    assert answer.status_code == (400 if status == 422 and path == APP else status)
    if status == 409:
        assert "email" in answer.json()["errors"]
    assert Invitation.objects.count() == 1


def test_an_expired_one_makes_room_for_another(people):
    invited(people)
    with time_machine.travel(now() + timedelta(days=8)):
        assert Api(user=people.alice).post(PATH, BODY).status_code == 201


@pytest.mark.parametrize(
    ("mine", "role", "status"),
    [
        (Role.VIEWER, "VIEWER", 403),
        (Role.EDITOR, "VIEWER", 403),
        (Role.ADMIN, "ADMIN", 201),
        (Role.ADMIN, "OWNER", 422),
        (Role.OWNER, "OWNER", 422),
        (Role.OWNER, "ADMIN", 201),
    ],
)
def test_nobody_invites_above_themselves_or_an_owner(people, mine, role, status):
    add_member(people.acme, people.bob, mine)
    answer = Api(user=people.bob).post(PATH, BODY | {"role": role})
    assert answer.status_code == status
    assert len(mail.outbox) == (status == 201)


@pytest.mark.parametrize("path", [PATH, APP])
def test_ten_an_hour(people, path):
    api = Api(user=people.alice)
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        for number in range(10):
            assert api.post(path, BODY | {"email": f"d{number}@example.org"}).status_code == 201
        assert api.post(path, BODY | {"email": "d1@example.org"}).status_code == 429, "refused ones do not count"
        answer = api.post(path, BODY | {"email": "eleventh@example.org"})
        assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
        assert answer.json().get("code", answer.json()["error"]) == "rate_limit_exceeded"
        made = Invitation.objects.first()
        assert api.post(f"{PATH}/{made.pk}/resend").status_code == 429
        add_member(people.acme, people.bob, Role.ADMIN)
        assert Api(user=people.bob).post(path, BODY | {"email": "b@example.org"}).status_code == 201, "each their own"
        clock.shift(timedelta(hours=1, seconds=1))
        assert api.post(path, BODY | {"email": "eleventh@example.org"}).status_code == 201


def test_a_mail_that_could_not_go_out_goes_out_later(people, settings):
    settings.EMAIL_BACKEND = "tests.accounts.backends.Down"
    assert Api(user=people.alice).post(PATH, BODY).status_code == 201
    made = Invitation.objects.get()
    assert made.sent_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert deliver_unsent() == {"invitations_sent": 0}, "not while the request may still be at it"
    with time_machine.travel(now() + timedelta(minutes=1)):
        assert deliver_unsent() == {"invitations_sent": 1}
        assert deliver_unsent() == {"invitations_sent": 0}
    assert find(token()).pk == made.pk
    assert deliver(made.pk) is False, "once is enough"


def test_mail_of_a_test_key_stays_in_the_house(people, key_for, settings, tmp_path):
    settings.EMAIL_FILES = tmp_path
    key = key_for(people.acme, test=True)
    assert Api(key=key).post(PATH, BODY).status_code == 201
    assert mail.outbox == []
    assert "dora@example.org" in next(tmp_path.iterdir()).read_text()


def test_the_mail_speaks_the_workspaces_language(people):
    Api(user=people.alice).patch(f"/api/v1/workspaces/{people.acme.pk}", {"settings": {"locale": "hu_HU"}})
    english = "invited"
    invited(people)
    assert english not in mail.outbox[0].body
