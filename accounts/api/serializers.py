"""How accounts look on the wire, and what may be sent."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from accounts.models import Activity, ApiKey, Invitation, Membership, User, Workspace, check_settings
from accounts.roles import INVITABLE, Role
from accounts.services.api_keys import MAX_GRACE_HOURS
from ajansops.api.serializers import Body, Moment, Row
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import Invalid
from ajansops.kit.language import parse_locale
from ajansops.kit.plans import TIER_CHOICES, lower_tier, tier_of


class WorkspaceSerializer(Row):
    """A workspace with the tier of its plan; locales have an underscore here, as the reference writes them."""

    tier = serializers.SerializerMethodField()
    settings = serializers.SerializerMethodField()

    class Meta:
        model = Workspace
        needs = {"tier": (), "settings": ("settings",)}
        shapes = {"settings": {"type": "object", "additionalProperties": {"type": "string"}}}
        fields = ("id", "name", "slug", "tier", "settings", "created_at", "updated_at")

    def get_tier(self, workspace: Workspace) -> str:
        """On the wire: free, starter, pro, agency, enterprise. A list has loaded them all at once."""
        tier: str = getattr(workspace, "tier", "") or tier_of(workspace.pk)
        return tier

    def get_settings(self, workspace: Workspace) -> dict[str, str]:
        """`tr_TR` rather than `tr-TR`."""
        settings: dict[str, str] = workspace.settings
        return settings | {"locale": settings.get("locale", "en-US").replace("-", "_")}


class SettingsBody(Body):
    """Both optional; what is not given stays."""

    timezone = serializers.CharField(max_length=64, required=False, help_text="A name of the tz database.")
    locale = serializers.CharField(max_length=10, required=False, help_text="English, Turkish or Hungarian: tr_TR.")

    def validate_timezone(self, name: str) -> str:
        """One that exists."""
        try:
            check_settings({"timezone": name})
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from error
        return name

    def validate_locale(self, tag: str) -> str:
        """As it is stored."""
        try:
            return parse_locale(tag, field="locale")
        except Invalid as error:
            raise serializers.ValidationError(list(error.errors["locale"])) from error


class WorkspaceChangeBody(Body):
    """What a PATCH may change; the plan is billing's."""

    name = serializers.CharField(max_length=255)
    slug = serializers.RegexField(
        r"\A[a-z0-9]+(?:-[a-z0-9]+)*\Z",
        max_length=63,
        required=False,
        error_messages={"invalid": gettext_lazy("Only lower-case letters, digits and single hyphens between them.")},
    )
    settings = SettingsBody(required=False)


class WorkspaceBody(WorkspaceChangeBody):
    """A new workspace."""

    tier = serializers.ChoiceField(TIER_CHOICES, required=False)


class ApiKeySerializer(Row):
    """A key without the key."""

    rate_limit_tier = serializers.SerializerMethodField()
    grace_period_ends_at = Moment(source="grace_ends_at")

    class Meta:
        model = ApiKey
        needs = {"rate_limit_tier": ("tier",)}
        fields = (
            "id",
            "name",
            "prefix",
            "scopes",
            "rate_limit_tier",
            "test",
            "last_used_at",
            "expires_at",
            "grace_period_ends_at",
            "created_at",
        )

    def get_rate_limit_tier(self, key: ApiKey) -> str:
        """The one in force: the workspace's when its own is none or has become higher."""
        return lower_tier(key.tier, self.context["view"].workspace_tier)


class ApiKeyBody(Body):
    """A new key; without scopes it reads and writes what its maker does."""

    name = serializers.CharField(max_length=255)
    scopes = serializers.ListField(child=serializers.CharField(max_length=64), max_length=100, required=False)
    rate_limit_tier = serializers.ChoiceField(TIER_CHOICES, required=False)
    test = serializers.BooleanField(required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class ApiKeyChangeBody(Body):
    """What a PATCH may change."""

    name = serializers.CharField(max_length=255)
    scopes = serializers.ListField(child=serializers.CharField(max_length=64), max_length=100)
    rate_limit_tier = serializers.ChoiceField(TIER_CHOICES)
    expires_at = serializers.DateTimeField(allow_null=True)


class RotateBody(Body):
    """How long both keys work."""

    grace_period_hours = serializers.IntegerField(min_value=0, max_value=MAX_GRACE_HOURS, required=False)


class LeakedKeyBody(Body):
    """The key itself."""

    key = serializers.CharField(max_length=200)


class MemberSerializer(Row):
    """A person in the workspace."""

    email = serializers.CharField(source="user.email")
    name = serializers.CharField(source="user.name")

    class Meta:
        model = Membership
        needs = {"email": ("user__email",), "name": ("user__name",)}
        fields = ("id", "user_id", "email", "name", "role", "created_at", "updated_at")


def people(actor: Actor) -> QuerySet[User]:
    """Who can be made responsible for something."""
    return User.objects.filter(memberships__workspace=actor.workspace_id, is_active=True)


class PersonSerializer(Row):
    """Whoever wrote something, or takes care of it."""

    class Meta:
        model = User
        fields = ("id", "name", "email")


class MemberBody(Body):
    """The role."""

    role = serializers.ChoiceField(Role.choices)


class InvitationSerializer(Row):
    """An invitation without its link."""

    status = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        needs = {"status": ("accepted_at", "expires_at")}
        fields = (
            "id",
            "email",
            "name",
            "role",
            "status",
            "inviter_id",
            "sent_at",
            "expires_at",
            "accepted_at",
            "created_at",
        )

    def get_status(self, invitation: Invitation) -> str:
        """pending, accepted or expired; revoked ones are not shown."""
        if invitation.accepted_at:
            return "accepted"
        return "pending" if invitation.expires_at > now() else "expired"


class InvitationBody(Body):
    """Whom, and as what."""

    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(INVITABLE)
    name = serializers.CharField(max_length=255, required=False, allow_blank=True)


class ActivitySerializer(Row):
    """A line of the log."""

    user = serializers.SerializerMethodField()
    api_key_id = serializers.IntegerField(source="key_id")
    changes = serializers.SerializerMethodField()

    class Meta:
        model = Activity
        needs = {"user": ("user__name", "user__email"), "changes": ("details",)}
        fields = (
            "id",
            "action",
            "user_id",
            "user",
            "api_key_id",
            "role",
            "via",
            "object_type",
            "object_id",
            "changes",
            "request_id",
            "created_at",
        )

    def get_user(self, line: Activity) -> str | None:
        """The name or address they have now."""
        return str(line.user) if line.user else None

    def get_changes(self, line: Activity) -> dict[str, Any]:
        """Pairs of before and after."""
        return line.changes
