"""Writes of products."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from accounts.models import Workspace
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, admit
from ajansops.kit.errors import Conflict, NotFound
from ajansops.kit.events import changed, created, deleted, publish, snapshot
from ajansops.kit.permissions import Permission
from content.facts import without
from content.markup import line, shop_html
from content.models import Product


@transaction.atomic
def create_product(actor: Actor, *, sku: str, title: str, **fields: Any) -> Product:
    """Raises `Conflict` for a SKU or handle that a product of the workspace has."""
    actor.require(Permission.ADD_PRODUCT)
    Workspace.objects.lock(actor.workspace_id)
    admit(actor, Feature.PRODUCTS)
    product = Product(workspace_id=actor.workspace_id, **cleaned_fields({"sku": sku, "title": title, **fields}))
    _save(product)
    publish(actor, "product.created", product, created(product))
    return product


@transaction.atomic
def update_product(actor: Actor, product: Product, **fields: Any) -> Product:
    """As `create_product`; what is not given stays."""
    actor.require(Permission.CHANGE_PRODUCT, on=product)
    row = _locked(actor, product)
    before = snapshot(row)
    cleaned = cleaned_fields(fields)
    for name, value in cleaned.items():
        setattr(row, name, value)
    _save(row, update_fields=[*cleaned, "updated_at"])
    publish(actor, "product.updated", row, changed(row, before))
    return row


@transaction.atomic
def delete_product(actor: Actor, product: Product) -> None:
    """It leaves every list and frees its SKU; the row stays for what refers to it."""
    actor.require(Permission.DELETE_PRODUCT, on=product)
    row = _locked(actor, product)
    row.deleted_at = now()
    row.save(update_fields=["deleted_at", "updated_at"])
    publish(actor, "product.deleted", row, deleted(row))


def approve_tags(actor: Actor, product: Product, tags: Collection[str] | None = None) -> Product:
    """Move these suggestions, or all, into the tags. What was not suggested is left out."""
    return _settle_tags(actor, product, tags, lambda row, chosen: row.tags + without(chosen, row.tags))


def reject_tags(actor: Actor, product: Product, tags: Collection[str] | None = None) -> Product:
    """Drop these suggestions, or all."""
    return _settle_tags(actor, product, tags, lambda row, chosen: row.tags)


def cleaned_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Safe HTML, titles on one line, and the first picture as the primary one unless another is named."""
    cleaned = dict(fields)
    if "description" in cleaned:
        cleaned["description"] = shop_html(cleaned["description"])
    for name in {"title", "sku"} & cleaned.keys():
        cleaned[name] = line(cleaned[name])
    if "pictures" in cleaned and not cleaned.get("primary_picture"):
        cleaned["primary_picture"] = next(iter(cleaned["pictures"]), "")
    return cleaned


def _locked(actor: Actor, product: Product) -> Product:
    """As it is now. `NotFound` when it was deleted meanwhile."""
    Workspace.objects.lock(actor.workspace_id)
    row: Product | None = Product.objects.visible_to(actor).live().select_for_update().filter(pk=product.pk).first()
    if row is None:
        raise NotFound
    return row


def _save(product: Product, *, update_fields: Sequence[str] | None = None) -> None:
    try:
        with transaction.atomic():
            product.save(update_fields=update_fields)
    except IntegrityError as error:
        raise _conflict(product, error) from error


def _conflict(product: Product, error: IntegrityError) -> Exception:
    others = Product.objects.live().filter(workspace_id=product.workspace_id).exclude(pk=product.pk)
    for field in ("sku", "external_handle"):
        value = getattr(product, field)
        if value and others.filter(**{field: value}).exists():
            return Conflict(errors={field: [gettext("Another product has this value.")]})
    return error


@transaction.atomic
def _settle_tags(
    actor: Actor, product: Product, tags: Collection[str] | None, new_tags: Callable[[Product, list[str]], list[str]]
) -> Product:
    actor.require(Permission.CHANGE_PRODUCT, on=product)
    row = _locked(actor, product)
    before = snapshot(row)
    chosen = row.suggested_tags if tags is None else [tag for tag in row.suggested_tags if tag in set(tags)]
    row.tags = new_tags(row, chosen)
    row.suggested_tags = without(row.suggested_tags, chosen)
    row.save(update_fields=["tags", "suggested_tags", "updated_at"])
    publish(actor, "product.updated", row, changed(row, before))
    return row
