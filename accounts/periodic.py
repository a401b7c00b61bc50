"""What accounts does again and again."""

from accounts.limits import forget_old_actions
from accounts.services.invitations import deliver_unsent
from accounts.services.workspaces import purge_workspaces
from ajansops.kit.periodic import Periodic
from ajansops.kit.slots import Every


def tidy() -> dict[str, int]:
    """Idempotent."""
    return {**purge_workspaces(), "action_windows_removed": forget_old_actions()}


TASKS = (
    Periodic("send_invitations", Every(60), deliver_unsent),
    Periodic("purge_workspaces", Every(3600), tidy),
)
