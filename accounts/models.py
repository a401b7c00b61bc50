"""People, workspaces, who is in which, and keys."""

from __future__ import annotations

import unicodedata
import zoneinfo
from typing import Any, ClassVar

import idna
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.querysets import ApiKeyQuerySet, WorkspacesQuerySet
from accounts.roles import Role
from ajansops.kit.language import LOCALES
from ajansops.kit.tenancy import Tenancy, TimeStamped, WorkspaceOwned, WorkspaceQuerySet


def normal_email(address: str) -> str:
    """The form in which two spellings of one mailbox are equal: NFC, local part case-folded, domain by IDNA.

    Dotted and dotless i stay different letters, in every locale. Raises ValueError for what is no address.
    """
    local, at, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    if not (local and at and domain):
        raise ValueError("not an e-mail address")
    try:
        return f"{local.casefold()}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError as error:
        raise ValueError("the domain of the e-mail address is not valid") from error


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

    email = models.EmailField(max_length=254, unique=True)
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

    def get_full_name(self) -> str:
        """For the admin's greeting."""
        return str(self)

    get_short_name = get_full_name


def default_settings() -> dict[str, str]:
    """Of a new workspace."""
    return {"timezone": "UTC", "locale": "en-US"}


def check_settings(value: Any) -> None:
    """A known time zone and one of our locales, nothing else."""
    if not isinstance(value, dict) or set(value) - {"timezone", "locale"}:
        raise ValidationError(gettext("Only timezone and locale can be set."))
    if value.get("timezone", "UTC") not in zoneinfo.available_timezones():
        raise ValidationError(gettext("Unknown time zone."))
    if value.get("locale", "en-US") not in LOCALES.values():
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


class Membership(WorkspaceOwned):
    """Who is in a workspace, as what."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}"


class ApiKey(WorkspaceOwned):
    """A key of one workspace. Only the digest is kept; `creator` is None for one that an operator made by command."""

    name = models.CharField(max_length=255)
    creator = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    public_id = models.CharField(max_length=8, unique=True, editable=False)
    prefix = models.CharField(max_length=11, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    test = models.BooleanField(default=False, help_text="Nothing it does leaves the house.")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
