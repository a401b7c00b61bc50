"""How many rows of its plan's gauges a workspace has."""

from accounts.models import ApiKey, Invitation, Membership


def count_members(workspace_id: int) -> int:
    """With the invitations that may still be accepted: each keeps a place."""
    invited = Invitation.objects.open().filter(workspace_id=workspace_id).count()
    return Membership.objects.filter(workspace_id=workspace_id).count() + invited


def count_keys(workspace_id: int) -> int:
    """With those that have expired, which an update brings back; a rotated one is the one it was rotated to."""
    return ApiKey.objects.listed().filter(workspace_id=workspace_id, grace_ends_at=None).count()
