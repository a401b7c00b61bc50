"""The months in which meters are counted: UTC instants, computed once when something is first counted, then kept.

A month begins at the anchor's day and time: the subscription's, or else when the workspace was made. A month that has
no such day begins at its last, and the next one again at the anchor's: 31 January, 28 February, 31 March.
"""

from calendar import monthrange
from datetime import UTC, datetime

from accounts.models import Workspace
from ajansops.kit.clock import now
from billing.models import Period, Subscription


def boundary(anchor: datetime, months: int) -> datetime:
    """So many months after the anchor."""
    anchor = anchor.astimezone(UTC)
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, monthrange(year, month + 1)[1]))


def last_boundary(anchor: datetime, moment: datetime) -> int:
    """The number of the last boundary at or before `moment`, counted from the anchor."""
    anchor, moment = anchor.astimezone(UTC), moment.astimezone(UTC)
    months = (moment.year - anchor.year) * 12 + moment.month - anchor.month
    return months if boundary(anchor, months) <= moment else months - 1


def current_period(workspace_id: int) -> Period:
    """The one in force, perhaps not in the database yet: reading writes nothing.

    When the anchor has changed, the period that is open stays as it is, and the next one begins at its end.
    """
    moment = now()
    last = Period.objects.filter(workspace_id=workspace_id).order_by("-start").first()
    if last and moment < last.end:
        return last
    anchor = _anchor(workspace_id)
    number = last_boundary(anchor, moment)
    start = max(boundary(anchor, number), last.end) if last else boundary(anchor, number)
    return Period(workspace_id=workspace_id, start=start, end=boundary(anchor, number + 1))


def open_period(workspace_id: int) -> Period:
    """The same, kept. The workspace is locked."""
    period = current_period(workspace_id)
    if period.pk is None:
        period.save()
    return period


def _anchor(workspace_id: int) -> datetime:
    anchors = Subscription.objects.filter(workspace_id=workspace_id).values_list("anchor", flat=True)
    anchor: datetime = anchors.first() or Workspace.objects.values_list("created_at", flat=True).get(pk=workspace_id)
    return anchor
