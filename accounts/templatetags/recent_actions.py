"""What staff did last in the admin, as its front page shows it."""

from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django.template import Context, Library

register = Library()


@register.simple_tag(takes_context=True)
def recent_actions(context: Context, most: int = 10) -> list[LogEntry]:
    """One's own, but for those on rows one can no longer open: a name must not outlive the membership."""
    request: HttpRequest = context["request"]
    entries = LogEntry.objects.filter(user=request.user.pk).select_related("content_type").order_by("-action_time")
    return [entry for entry in entries[:most] if request.user.is_superuser or can_open(request, entry)]


def can_open(request: HttpRequest, entry: LogEntry) -> bool:
    """Whether the page of the row would open now; a deleted one's would not."""
    model = entry.content_type.model_class() if entry.content_type else None
    if model is None or not site.is_registered(model):
        return False
    page = site.get_model_admin(model)
    row = page.get_object(request, entry.object_id or "")
    return row is not None and page.has_view_permission(request, row)
