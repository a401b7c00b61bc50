"""Products from files, as a job: one item a product, and one for each row that cannot be imported."""

from enum import StrEnum
from typing import Any

from ajansops.kit.actor import Actor
from ajansops.kit.entitlements import Feature, entitlements
from ajansops.kit.errors import Conflict
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import NewItem
from content.facts import without
from content.imports.formats import read_products
from content.imports.found import Found
from content.models import Product
from jobs.models import Job
from jobs.services import start_large_job

IMPORT = "import"


class Change(StrEnum):
    """What has become of a product."""

    CREATED = "created"
    UPDATED = "updated"
    NONE = ""


class BelongsToAnother(Conflict):
    """Its SKU belongs to another product."""


def start_import(actor: Actor, data: bytes, filename: str) -> Job:
    """Raises `Invalid` for what is no product file. Importing a file again updates what it brought."""
    actor.require(Permission.ADD_PRODUCT)
    file = read_products(data)
    configuration = {
        "filename": filename[:255],
        "format": file.format,
        "rows": file.rows,
        "blank_rows": file.blank,
        "faulty_rows": sum(bool(one.fault) for one in file.found),
    }
    return start_large_job(actor, IMPORT, [_item(one) for one in file.found], configuration=configuration)


def _item(one: Found) -> NewItem:
    told = {"fault": one.fault} if one.fault else {"fields": one.fields}
    return NewItem(one.key, {"row": one.row, **told})


def save_imported(workspace_id: int, fields: dict[str, Any], *, admitted: bool = False) -> tuple[Product, Change]:
    """Update the product with this handle, or else this SKU; or make it.

    Raises `FeatureLimitReached`; with `admitted` the caller has asked whether there is room. The workspace is locked.
    Tags that people approved here are not in the file, so tags are added and never taken away.
    """
    product = _known(workspace_id, fields)
    if product is None:
        if not admitted:
            entitlements().admit(workspace_id, Feature.PRODUCTS)
        return Product.objects.create(workspace_id=workspace_id, **fields), Change.CREATED
    if "tags" in fields:
        fields = fields | {"tags": fields["tags"] + without(product.tags, fields["tags"])}
    new = {name: value for name, value in fields.items() if getattr(product, name) != value}
    if not new:
        return product, Change.NONE
    for name, value in new.items():
        setattr(product, name, value)
    product.save(update_fields=[*new, "updated_at"])
    return product, Change.UPDATED


def _known(workspace_id: int, fields: dict[str, Any]) -> Product | None:
    """Raises `BelongsToAnother` rather than making one product of two that share a SKU by mistake.

    Two queries, each on its unique index: one with OR would read the whole workspace for every product of a file.
    """
    live = Product.objects.live().filter(workspace_id=workspace_id).select_for_update()
    handle = fields.get("external_handle", "")
    same_handle = live.exclude(external_handle="").filter(external_handle=handle).first() if handle else None
    same_sku = live.filter(sku=fields["sku"]).first()
    if same_handle and same_sku and same_handle != same_sku:
        raise BelongsToAnother
    if handle and same_sku and same_sku.external_handle not in {"", handle}:
        raise BelongsToAnother
    return same_handle or same_sku
