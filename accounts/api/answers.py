"""The shapes of answers that are not simply a row: what the schema says of them."""

from typing import Any

from rest_framework import serializers

from accounts.api.serializers import ApiKeySerializer, WorkspaceSerializer
from accounts.models import ApiKey, Workspace
from accounts.scopes import STUDIO_SCOPES
from ajansops.api.serializers import Moment
from ajansops.kit.plans import RATE_PLAN_CHOICES, TIER_CHOICES


class NewWorkspaceSerializer(WorkspaceSerializer):
    """With where to pay, when a tier was asked for that costs."""

    requested_tier = serializers.ChoiceField(TIER_CHOICES, required=False)
    upgrade_url = serializers.CharField(required=False)

    class Meta:
        model = Workspace
        optional = ("requested_tier", "upgrade_url")
        fields = (*WorkspaceSerializer.Meta.fields, *optional)


class NewKeySerializer(ApiKeySerializer):
    """With the key, once."""

    key = serializers.CharField()

    class Meta:
        model = ApiKey
        fields = (*ApiKeySerializer.Meta.fields, "key")


class StudioWorkspaceSerializer(serializers.Serializer[Any]):
    """Which workspace."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class StudioRightsSerializer(serializers.Serializer[Any]):
    """What a credential stands for."""

    workspace = StudioWorkspaceSerializer()
    permissions = serializers.ListField(child=serializers.ChoiceField([*STUDIO_SCOPES]))
    rateLimit = serializers.ChoiceField(RATE_PLAN_CHOICES)  # noqa: N815


class LoginSerializer(StudioRightsSerializer):
    """A bearer for a day."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["Bearer"])
    expires_in = serializers.IntegerField()


class KeyNameSerializer(serializers.Serializer[Any]):
    """Which key."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField()


class MeSerializer(StudioRightsSerializer):
    """Who calls; a person has no key."""

    api_key = KeyNameSerializer(allow_null=True)


class StudioKeySerializer(KeyNameSerializer):
    """A key in the studio's words."""

    permissions = serializers.ListField(child=serializers.ChoiceField([*STUDIO_SCOPES]))
    rateLimit = serializers.ChoiceField(RATE_PLAN_CHOICES)  # noqa: N815
    workspaceId = serializers.IntegerField()  # noqa: N815
    created_at = Moment()
    last_used_at = Moment(allow_null=True)


class NewStudioKeySerializer(StudioKeySerializer):
    """With the key, once."""

    key = serializers.CharField()


class StudioKeysSerializer(serializers.Serializer[Any]):
    """All of them."""

    api_keys = StudioKeySerializer(many=True)


class DoneSerializer(serializers.Serializer[Any]):
    """It is done."""

    success = serializers.BooleanField()
    message = serializers.CharField()
