"""How content looks on core, and what it takes."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from ajansops.ai.contract import ContentType
from ajansops.api.fields import Rows, WorkspaceRelatedIds
from ajansops.api.serializers import Body, Row
from ajansops.kit.actor import Actor
from ajansops.kit.errors import NotFound
from content.imports.found import MAX_DESCRIPTION, MAX_HANDLE
from content.models import SKU_LENGTH, TITLE_LENGTH, Audience, Persona, Product, SpecialDay, Variant

TAGS = "tags"
INT64 = 2**63
PAIRS = {  # in the schema
    "type": "array",
    "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
}


class ProductSerializer(Row):
    """A product."""

    class Meta:
        model = Product
        fields = (
            "id",
            "sku",
            "title",
            "description",
            "categories",
            "pictures",
            "primary_picture",
            "tags",
            "suggested_tags",
            "attributes",
            "external_handle",
            "created_at",
            "updated_at",
        )
        shapes = {"attributes": PAIRS}


class VariantSerializer(Row):
    """A text with its state."""

    class Meta:
        model = Variant
        fields = (
            "id",
            "uid",
            "product_id",
            "content_type",
            "persona_id",
            "audience_id",
            "special_day_id",
            "language",
            "body",
            "status",
            "error",
            "provider",
            "usage",
            "created_at",
            "updated_at",
        )


def texts(max_length: int = 200, most: int = 250) -> serializers.ListField:
    """A list of short texts; empty by default."""
    return serializers.ListField(
        child=serializers.CharField(max_length=max_length), max_length=most, required=False, default=list
    )


class Pair(serializers.ListField):
    """`["Size", "Large"]`."""

    child = serializers.CharField(max_length=2000)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=2, max_length=2, **kwargs)


class ProductBody(Body):
    """A product to make or change."""

    sku = serializers.CharField(max_length=SKU_LENGTH)
    title = serializers.CharField(max_length=TITLE_LENGTH)
    description = serializers.CharField(max_length=MAX_DESCRIPTION, allow_blank=True, required=False, default="")
    categories = texts()
    pictures = texts(2048)
    primary_picture = serializers.CharField(max_length=2048, allow_blank=True, required=False, default="")
    tags = texts()
    attributes = serializers.ListField(child=Pair(), max_length=250, required=False, default=list)
    external_handle = serializers.CharField(max_length=MAX_HANDLE, allow_blank=True, required=False, default="")


class TagsBody(Body):
    """Some of the suggestions; without `tags`, all of them."""

    tags = serializers.ListField(child=serializers.CharField(max_length=200), max_length=250, required=False)


def product_number(data: Any) -> int | None:
    """The number in an id as either surface writes it; None for anything else. Raises `NotFound` beyond 64 bits."""
    text = str(data).removeprefix("prod_") if isinstance(data, str | int) and not isinstance(data, bool) else ""
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) > 19 or int(text) >= INT64:  # digits of 2**63
        raise NotFound
    return int(text)


def live_products(actor: Actor) -> QuerySet[Product]:
    """What can be named."""
    rows: QuerySet[Product] = Product.objects.visible_to(actor).live()
    return rows


def ids(rows: Rows, prefix: str = "") -> WorkspaceRelatedIds:
    """Null, like nothing, leaves the choice to the service."""
    return WorkspaceRelatedIds(rows, prefix=prefix, required=False, allow_null=True, default=None)


class WantedBody(Body):
    """What every generation takes. Without `language`, the workspace's."""

    language = serializers.CharField(max_length=10, required=False)
    product_ids = ids(live_products, prefix="prod_")
    persona_ids = ids(Persona)
    audience_ids = ids(Audience)
    special_day_ids = ids(SpecialDay)
    only_missing = serializers.BooleanField(default=False)


class GenerateBody(WantedBody):
    """On core: any of the four."""

    content_types = serializers.ListField(
        child=serializers.ChoiceField([*ContentType, TAGS]), min_length=1, max_length=4
    )
