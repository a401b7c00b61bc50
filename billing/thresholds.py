"""Telling a workspace that much of a limit is used: as an event, and by mail to its owners; each once a period."""

import structlog
from django.db import DatabaseError, transaction

from accounts.actors import system
from ajansops.kit.clock import iso, now
from ajansops.kit.events import publish
from ajansops.kit.tenancy import lock_workspace_soon
from billing.models import NoticeKind, UsageNotice
from billing.notices import notify

log = structlog.get_logger(__name__)

AT_ONCE = 100


def tell_thresholds() -> dict[str, int]:
    """Those the ledger has noted. Apart from it: whoever spends a unit must not wait for the log's lock."""
    waiting = UsageNotice.objects.filter(told_at=None).order_by("pk").values_list("pk", "period__workspace_id")
    told = 0
    for pk, workspace_id in waiting[:AT_ONCE]:
        try:
            told += _tell(pk, workspace_id)
        except DatabaseError:  # somebody has the workspace's lock, say: the next run finds it again
            log.warning("usage_threshold_not_told_yet", workspace_id=workspace_id, exc_info=True)
    return {"usage_thresholds_told": told}


@transaction.atomic
def _tell(pk: int, workspace_id: int) -> bool:
    lock_workspace_soon(workspace_id)
    if not UsageNotice.objects.filter(pk=pk, told_at=None).update(told_at=now()):
        return False
    row = UsageNotice.objects.select_related("period").get(pk=pk)
    facts = {
        "feature": row.feature,
        "percent": row.percent,
        "used": row.used,
        "limit": row.limit,
        "reset_at": iso(row.period.end),
    }
    notify(NoticeKind.USAGE_THRESHOLD, workspace_id, f"usage:{row.pk}", facts=facts)
    publish(system(workspace_id), "usage.threshold", row)
    return True
