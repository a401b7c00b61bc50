"""Review of what was written."""

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Workspace
from ajansops.kit.actor import Actor
from ajansops.kit.errors import Conflict, NotFound
from ajansops.kit.events import changed, publish, snapshot
from ajansops.kit.permissions import Permission
from content.models import Variant, VariantStatus

REVIEWABLE = {VariantStatus.GENERATED, VariantStatus.APPROVED, VariantStatus.REJECTED}


class NotReviewable(Conflict):
    """Only a generated text can be approved or rejected."""


def approve_variant(actor: Actor, variant: Variant) -> Variant:
    """It may be published. Approving twice is harmless."""
    return _review(actor, variant, VariantStatus.APPROVED)


def reject_variant(actor: Actor, variant: Variant) -> Variant:
    """It may not, until it is generated or approved again."""
    return _review(actor, variant, VariantStatus.REJECTED)


@transaction.atomic
def _review(actor: Actor, variant: Variant, status: VariantStatus) -> Variant:
    actor.require(Permission.CHANGE_VARIANT, on=variant)
    Workspace.objects.lock(actor.workspace_id)
    row: Variant | None = Variant.objects.visible_to(actor).select_for_update().filter(pk=variant.pk).first()
    if row is None:
        raise NotFound
    if row.status not in REVIEWABLE:
        message = gettext("A variant that is %(status)s cannot be approved or rejected.")
        raise NotReviewable(message % {"status": row.status})
    before = snapshot(row)
    row.status = status
    row.save(update_fields=["status", "updated_at"])
    publish(actor, "variant.updated", row, changed(row, before))
    return row
