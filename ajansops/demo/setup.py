"""The demo's own workspace, sign-in and key. Made once; the password and the key are new each time."""

import secrets
from dataclasses import dataclass

from accounts.models import ApiKey, User, Workspace
from accounts.services import api_keys, people, workspaces
from ajansops.kit.clock import now

EMAIL = "demo@ajansops.example"
SLUG = "demo"


@dataclass(frozen=True, slots=True)
class Access:
    """How to get in."""

    workspace_id: int
    email: str
    password: str
    key: str


def prepare() -> Access:
    """On the database of the settings, which has its migrations."""
    password = secrets.token_urlsafe(9)
    user = User.objects.filter(email=EMAIL).first() or people.create_user(email=EMAIL, name="Demo", staff=True)
    user.set_password(password)
    user.save(update_fields=["password"])
    workspace = Workspace.objects.filter(slug=SLUG).first()
    if workspace is None:
        workspace = workspaces.create_workspace(name="Demo agency", slug=SLUG, plan="enterprise", owner=user)
    ApiKey.objects.filter(workspace=workspace, name="Demo", revoked_at=None).update(revoked_at=now())
    _, key = api_keys.create_api_key(workspace, name="Demo", creator=user)
    return Access(workspace.pk, EMAIL, password, key)
