"""How many rows of its plan's gauges a workspace has."""

from django.db.models import Count, Q

from accounts.models import ApiKey, Invitation, Membership


def count_members(workspace_id: int) -> int:
    """With the invitations that may still be accepted: each keeps a place."""
    invited = Invitation.objects.open().filter(workspace_id=workspace_id).count()
    return Membership.objects.filter(workspace_id=workspace_id).count() + invited


def count_keys(workspace_id: int) -> int:
    """With those that have expired, which an update brings back. One in its grace is the one it was rotated to; what
    is in grace besides, of a key that was rotated again or whose new one is revoked, counts: it opens as much.
    """
    rows, in_grace = ApiKey.objects.listed().filter(workspace_id=workspace_id), Q(grace_ends_at__isnull=False)
    found = rows.aggregate(
        keys=Count("pk"),
        families=Count("family", distinct=True),
        rotated=Count("family", distinct=True, filter=in_grace),
        rotated_to=Count("family", distinct=True, filter=~in_grace),
    )
    in_both: int = found["rotated"] + found["rotated_to"] - found["families"]
    keys: int = found["keys"] - in_both
    return keys
