"""People, invitations, keys and the log in the admin: the same services and rights as everywhere."""

from dataclasses import replace

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail

from accounts import keys
from accounts.models import Activity, ApiKey, Invitation, Membership, Workspace
from accounts.roles import Role
from accounts.services.members import add_member
from content.models import Persona
from tests.accounts.test_admin import address, post, staff
from tests.conftest import Api


@pytest.fixture
def admin(people) -> Api:
    """Bob, who is staff and ADMIN of Acme."""
    add_member(people.acme, people.bob, Role.ADMIN)
    return staff(people.bob)


def invite(api: Api, place, **changes):
    fields = {"workspace": place.pk, "email": "dora@example.org", "name": "", "role": "EDITOR"} | changes
    return post(api, address(Invitation, "add"), **fields)


@pytest.mark.django_db(transaction=True)
def test_an_invitation_is_sent(people, admin):
    answer = invite(admin, people.acme)
    assert answer.status_code == 302, answer.content.decode()
    assert mail.outbox[0].to == ["dora@example.org"]
    assert Invitation.objects.get().inviter == people.bob
    assert Activity.objects.get(action="invitation.created").via == "admin"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"email": "alice@example.org"}, "already a member"),
        ({"email": "nobody"}, "valid email"),
        ({"role": "OWNER"}, "valid choice"),
        ({"workspace": "other"}, "valid choice"),
    ],
)
def test_what_the_service_refuses_stands_in_the_form(people, admin, changes, says):
    if changes.get("workspace"):
        changes = {"workspace": people.other.pk}
    answer = invite(admin, people.acme, **changes)
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert Invitation.objects.count() == 0


def test_a_key_is_shown_once_and_only_on_that_page(people, admin):
    fields = {"workspace": people.acme.pk, "name": "K", "scopes": "sites:read, sites:write"}
    answer = post(admin, address(ApiKey, "add"), **fields)
    assert answer.status_code == 200
    raw = keys.PATTERN.search(answer.content.decode())[0]
    assert "no-store" in answer["Cache-Control"]
    assert raw not in str(answer.cookies)
    assert Api(key=raw).get("/api/v1/sites").status_code == 200
    row = ApiKey.objects.get()
    assert (row.creator, row.scopes) == (people.bob, ["sites:read", "sites:write"])
    for page in (address(ApiKey, "changelist"), address(ApiKey, "change", row.pk), "/admin/"):
        assert raw not in admin.get(page).content.decode()


def test_a_key_beyond_ones_role_is_refused_in_the_form(people, admin):
    answer = post(admin, address(ApiKey, "add"), workspace=people.acme.pk, name="K", scopes="workspaces:delete")
    assert answer.status_code == 200
    assert "workspaces:delete" in answer.content.decode()
    assert ApiKey.objects.count() == 0


def act(api: Api, model, action: str, *rows):
    fields = {"action": action, "_selected_action": [row.pk for row in rows]}
    return api.client.post(address(model, "changelist"), fields, follow=True).content.decode()


@pytest.mark.parametrize(
    ("whom", "action", "role"),
    [
        ("charlie", "make_editor", "EDITOR"),
        ("charlie", "make_admin", "ADMIN"),
        ("charlie", "make_owner", "VIEWER"),
        ("charlie", "remove", None),
        ("alice", "make_viewer", "OWNER"),
        ("alice", "remove", "OWNER"),
    ],
)
def test_roles_change_within_ones_own(people, admin, whom, action, role):
    user = getattr(people, whom)
    if whom == "charlie":
        add_member(people.acme, user, Role.VIEWER)
    row = Membership.objects.get(user=user, workspace=people.acme)
    act(admin, Membership, action, row)
    assert Membership.objects.filter(pk=row.pk).values_list("role", flat=True).first() == role


def test_the_last_owner_stays_here_too(people):
    row = Membership.objects.get(user=people.alice)
    assert "needs an owner" in act(staff(people.alice), Membership, "remove", row)
    assert Membership.objects.filter(pk=row.pk).exists()


def test_rows_of_others_cannot_be_named_in_an_action(people, admin):
    row = Membership.objects.get(user=people.charlie)
    act(admin, Membership, "remove", row)
    assert Membership.objects.filter(pk=row.pk).exists()


def test_a_superuser_deletes_and_restores_a_workspace(people):
    api = staff(people.charlie, is_superuser=True)
    act(api, Workspace, "delete_workspaces", people.acme)
    assert Workspace.objects.get(pk=people.acme.pk).deleted_at
    act(api, Workspace, "restore", people.acme)
    assert Workspace.objects.get(pk=people.acme.pk).deleted_at is None
    told = Activity.objects.filter(workspace=people.acme, user=people.charlie).values_list("action", "via", "role")
    assert list(told.order_by("seq")) == [
        ("workspace.deleted", "admin", "OWNER"),
        ("workspace.restored", "admin", "OWNER"),
    ]


def test_what_is_changed_by_a_plain_form_is_in_the_log(people, admin):
    post(admin, address(Persona, "add"), workspace=people.acme.pk, name="P", description="")
    row = Persona.objects.get()
    post(admin, address(Persona, "change", row.pk), name="Q", description="")
    post(admin, address(Persona, "delete", row.pk), post="yes")
    lines = Activity.objects.filter(action__startswith="persona.", user=people.bob).order_by("seq")
    assert [(line.action, line.via) for line in lines] == [
        ("persona.created", "admin"),
        ("persona.updated", "admin"),
        ("persona.deleted", "admin"),
    ]
    assert lines[1].changes == {"name": ["P", "Q"]}
    page = admin.get(address(Activity, "change", lines[1].pk)).content.decode()
    assert "persona.updated" in page


@pytest.mark.parametrize(
    ("required", "factor", "opens"), [(False, False, True), (True, False, False), (True, True, True)]
)
def test_the_admin_may_ask_for_a_second_factor(people, admin, settings, required, factor, opens):
    settings.ENV = replace(settings.ENV, staff_mfa_required=required)
    if factor:
        TOTP.activate(people.bob, generate_totp_secret())
    answer = admin.get("/admin/")
    assert (answer.status_code == 200) is opens
    if not opens:
        answer = admin.client.get("/admin/", follow=True)
        assert answer.redirect_chain[-1][0].startswith("/accounts/2fa/")
        assert "second factor" in answer.content.decode()
