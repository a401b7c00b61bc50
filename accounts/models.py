"""People, workspaces, who is in which, who is invited, keys, and what all of them did."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import uuid
import zoneinfo
from functools import cache, cached_property
from typing import Any, ClassVar

import idna
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext

from accounts.querysets import (
    ActivityQuerySet,
    ApiKeyQuerySet,
    InvitationQuerySet,
    MembershipQuerySet,
    WorkspacesQuerySet,
)
from accounts.roles import INVITABLE, Role
from ajansops.kit.clock import iso_us
from ajansops.kit.counting import CountedRows
from ajansops.kit.entitlements import Feature
from ajansops.kit.errors import Invalid
from ajansops.kit.language import Language, base_language, parse_locale
from ajansops.kit.tenancy import Tenancy, TimeStamped, WorkspaceOwned

MAX_EMAIL = 254
NOT_LOCAL = re.compile(r"[\s<>()\[\]\\,;:\"\x00-\x1f]")  # what no mailbox needs, and headers and pages suffer from


def normal_email(address: str) -> str:
    """The form in which two spellings of one mailbox are equal: NFC, local part case-folded, domain by IDNA.

    Dotted and dotless i stay different letters, in every locale. Raises ValueError for what is no address.
    """
    local, at, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    if not (local and at and domain) or NOT_LOCAL.search(local):
        raise ValueError("not an e-mail address")
    try:
        normal = f"{local.casefold()}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError as error:
        raise ValueError("the domain of the e-mail address is not valid") from error
    if len(normal) > MAX_EMAIL:
        raise ValueError("the e-mail address is too long")
    return normal


class UserManager(BaseUserManager["User"]):
    """Users by e-mail."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Raises ValueError for what is no address."""
        user: User = self.model(email=normal_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """For `createsuperuser`."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Signing in does not care how the address is spelled."""
        try:
            return self.get(email=normal_email(username or ""))
        except ValueError as error:
            raise self.model.DoesNotExist from error


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address is the login."""

    tenancy: ClassVar[Tenancy] = Tenancy.USER
    personal: ClassVar[frozenset[str]] = frozenset({"email", "name"})
    unlogged: ClassVar[frozenset[str]] = frozenset({"password", "last_login"})

    email = models.EmailField(max_length=MAX_EMAIL, unique=True)
    name = models.CharField(max_length=255, blank=True)
    is_staff = models.BooleanField(default=False, help_text="May open the admin, for the workspaces they are in.")
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(db_default=Now())
    current_workspace = models.ForeignKey(
        "Workspace", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email

    @cached_property
    def roles(self) -> dict[int | None, str]:
        """By workspace. Read once, as Django does with permissions, for each object and so for each request: a page of
        the admin asks sixty times.
        """
        memberships = self.memberships.filter(workspace__deleted_at=None)
        return dict(memberships.values_list("workspace_id", "role"))

    def get_full_name(self) -> str:
        """For the admin's greeting."""
        return str(self)

    get_short_name = get_full_name


def default_settings() -> dict[str, str]:
    """Of a new workspace."""
    return {"timezone": "UTC", "locale": "en-US"}


@cache
def timezones() -> frozenset[str]:
    """Names of the tz database. Reading its folder takes milliseconds, so once."""
    return frozenset(zoneinfo.available_timezones())


def check_settings(value: Any) -> None:
    """A known time zone and one of our locales, nothing else."""
    if not isinstance(value, dict) or set(value) - {"timezone", "locale"}:
        raise ValidationError(gettext("Only timezone and locale can be set."))
    if value.get("timezone", "UTC") not in timezones():
        raise ValidationError(gettext("Unknown time zone."))
    try:
        known = parse_locale(str(value.get("locale", "en-US"))) == value.get("locale", "en-US")
    except Invalid:
        known = False
    if not known:
        raise ValidationError(gettext("Unknown locale."))


class Workspace(TimeStamped):
    """A tenant. Its plan is in `billing`; a deleted one is kept until its grace ends."""

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=63, unique=True)
    settings = models.JSONField(default=default_settings, validators=[check_settings])
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = WorkspacesQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def workspace_id(self) -> int:
        """A workspace is its own tenant."""
        return self.pk

    @property
    def language(self) -> Language:
        """In which it is written to."""
        return base_language(self.settings.get("locale", "en-US"))


class Membership(WorkspaceOwned):
    """Who is in a workspace, as what."""

    gauge: ClassVar[Feature | None] = Feature.MEMBERS

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role)

    user_id: int

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}"


class Invitation(WorkspaceOwned):
    """A way in for one address, once. The token is made when the mail is sent, and only its digest is kept."""

    gauge: ClassVar[Feature | None] = Feature.MEMBERS
    personal: ClassVar[frozenset[str]] = frozenset({"email", "name"})
    unlogged: ClassVar[frozenset[str]] = frozenset({"token_digest"})

    email = models.EmailField(max_length=MAX_EMAIL, help_text="In its normal form.")
    name = models.CharField(max_length=255, blank=True)
    role = models.CharField(max_length=6, choices=INVITABLE)
    inviter = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    token_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, help_text="None: the mail is still to be sent.")
    accepted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    test_mode = models.BooleanField(default=False, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Of sending the mail.")

    inviter_id: int | None

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="invitation_once_open",
            ),
            models.CheckConstraint(condition=Q(role__in=["ADMIN", "EDITOR", "VIEWER"]), name="invitation_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.email}, {self.get_role_display()}"


class ApiKey(WorkspaceOwned):
    """A key of one workspace. Only the digest is kept; `creator` is None for one that an operator made by command."""

    gauge: ClassVar[Feature | None] = Feature.API_KEYS
    unlogged: ClassVar[frozenset[str]] = frozenset({"digest", "public_id", "family"})

    name = models.CharField(max_length=255)
    creator = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    public_id = models.CharField(max_length=8, unique=True, editable=False)
    prefix = models.CharField(max_length=11, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    tier = models.CharField(max_length=10, blank=True, help_text="Lower than the workspace's, or empty for the same.")
    test = models.BooleanField(default=False, help_text="Nothing it does leaves the house.")
    family = models.UUIDField(default=uuid.uuid4, editable=False, help_text="The same for all keys it was rotated to.")
    expires_at = models.DateTimeField(null=True, blank=True)
    grace_ends_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Rotated; alive until then.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    creator_id: int | None

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="api_key_of_workspace")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


PLATFORM = 0  # the chain of what happens in no workspace


class Activity(models.Model):
    """One line of the log: append-only, and chained per workspace, so that a changed or missing line shows.

    People and keys are plain ids, as what they point to may be made anonymous or deleted while the log stays as it is.
    """

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    workspace = models.ForeignKey(Workspace, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.PositiveBigIntegerField(help_text="From 1 in each workspace, without gaps.")
    action = models.CharField(max_length=64)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    key_id = models.BigIntegerField(null=True, help_text="The API key that acted, as `user`.")
    role = models.CharField(max_length=6, blank=True, help_text="As what they acted.")
    via = models.CharField(max_length=8)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=80)
    details = models.TextField(help_text="Canonical JSON: hashed as it stands, so no column type may rewrite it.")
    request_id = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    workspace_id: int | None
    user_id: int | None

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "activity"
        ordering = ("-id",)
        constraints = [
            CountedRows(name="activity_count"),
            models.UniqueConstraint(
                Coalesce(F("workspace"), Value(PLATFORM), output_field=models.BigIntegerField()),
                "seq",
                name="activity_seq_once",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-id"], name="activity_newest"),
            models.Index(fields=["user", "-id"], name="activity_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"

    def save(self, *args: Any, **options: Any) -> None:
        """Once."""
        if not self._state.adding:
            raise TypeError("The activity log is append-only.")
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Never."""
        raise TypeError("The activity log is append-only.")

    @property
    def changes(self) -> dict[str, Any]:
        """Pairs of before and after by field."""
        changes: dict[str, Any] = json.loads(self.details)
        return changes

    def computed_hash(self) -> str:
        """SHA-256 of the line before and of everything this one says."""
        said = [getattr(self, name) for name in HASHED]
        text = json.dumps([*said, iso_us(self.created_at)], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


HASHED = (
    "previous_hash",
    "workspace_id",
    "seq",
    "action",
    "user_id",
    "key_id",
    "role",
    "via",
    "object_type",
    "object_id",
    "details",
    "request_id",
)


class ActivityHead(models.Model):
    """The end of a chain: its lock while a line is added, and what shows that the last lines were cut off."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    chain = models.BigIntegerField(primary_key=True, help_text="A workspace's id, or PLATFORM.")
    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="", blank=True)


class ActionWindow(models.Model):
    """When somebody last did something that is limited: `times` are seconds since 1970, oldest first."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    key = models.CharField(max_length=128, unique=True)
    times = models.JSONField(default=list)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)
