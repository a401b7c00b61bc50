"""Who is written for, and how: personas, audiences, special days and brands."""

from typing import Any

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.events import tell
from ajansops.kit.permissions import Permission
from ajansops.kit.writer import Writer
from content.models import Audience, Brand, Persona, SpecialDay


class BrandWriter(Writer):
    """One brand of a workspace is the default."""

    def before_save(self, actor: Actor, row: Any) -> None:
        """The one that was gives way."""
        if row.is_default:
            defaults = Brand.objects.filter(workspace_id=row.workspace_id, is_default=True).exclude(pk=row.pk)
            former = list(defaults.values_list("pk", flat=True))
            if former:
                defaults.update(is_default=False, updated_at=now())
                tell(actor, "brand.updated", Brand.objects.filter(pk__in=former))


PERSONAS = Writer(Persona, "persona", Permission.ADD_PERSONA, Permission.CHANGE_PERSONA, Permission.DELETE_PERSONA)
AUDIENCES = Writer(
    Audience, "audience", Permission.ADD_AUDIENCE, Permission.CHANGE_AUDIENCE, Permission.DELETE_AUDIENCE
)
SPECIAL_DAYS = Writer(
    SpecialDay, "special_day", Permission.ADD_SPECIAL_DAY, Permission.CHANGE_SPECIAL_DAY, Permission.DELETE_SPECIAL_DAY
)
BRANDS = BrandWriter(Brand, "brand", Permission.ADD_BRAND, Permission.CHANGE_BRAND, Permission.DELETE_BRAND)
