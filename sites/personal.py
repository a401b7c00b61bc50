"""Personal data of sites: who asked about insights."""

from collections.abc import Iterable

from ajansops.kit.personal import JSON, PersonalData, kept
from sites.models import Chat


def _chats(user_id: int) -> Iterable[JSON]:
    fields = ("workspace_id", "mode", "status", "created_at", "ended_at")
    return Chat.objects.filter(user=user_id).order_by("created_at").values(*fields).iterator()


ENTRIES = (
    PersonalData("sites.Chat", "chats", "When they asked about insights. It stays: it names nobody.", _chats, kept),
)
