"""Personal data of leads: whose task they are. The contacts in them are other people's and in nobody's export."""

from collections.abc import Iterable

from ajansops.kit.personal import JSON, PersonalData, disown
from leads.models import Lead


def _assigned(user_id: int) -> Iterable[JSON]:
    return Lead.objects.filter(owner=user_id).values("id", "workspace_id", "status", "created_at").iterator()


def _unassign(user_id: int) -> int:
    return disown(Lead.objects.filter(owner=user_id), "owner", "lead.updated")


ENTRIES = (PersonalData("leads.Lead", "leads", "Leads assigned to them. They stay, unassigned.", _assigned, _unassign),)
