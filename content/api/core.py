"""Products and variants on the core surface."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.filters import Number, OneOf, Search
from ajansops.api.lists import Include
from ajansops.api.views import CrudViewSet, ReadViewSet, SurfaceView, crud
from ajansops.kit.actor import Actor
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from content.api.parsers import CSV, FORM, CsvParser, UploadParser
from content.api.readers import AudienceSerializer, PersonaSerializer, SpecialDaySerializer
from content.api.serializers import (
    TAGS,
    GenerateBody,
    ProductBody,
    ProductSerializer,
    TagsBody,
    VariantSerializer,
    product_number,
)
from content.api.wanted import wanted
from content.models import Product, Variant, VariantType
from content.services.generation import start_generations
from content.services.imports import start_import
from content.services.products import approve_tags, create_product, delete_product, reject_tags, update_product
from content.services.variants import approve_variant, reject_variant
from jobs.api.serializers import JobSerializer


class ProductViewSet(CrudViewSet):
    """Newest first; `?search=` looks in title and SKU."""

    model = Product
    output = ProductSerializer
    filters = {"search": Search(("title", "sku"))}
    input = ProductBody
    create_row = create_product
    change_row = update_product
    remove_row = delete_product
    noun = "Product"
    bodies = {"approve": TagsBody, "reject": TagsBody}
    rights = crud(
        Permission.VIEW_PRODUCT, Permission.ADD_PRODUCT, Permission.CHANGE_PRODUCT, Permission.DELETE_PRODUCT
    ) | {"approve": Permission.CHANGE_PRODUCT, "reject": Permission.CHANGE_PRODUCT}

    def rows_of(self, actor: Actor) -> QuerySet[Any]:
        """Without the deleted ones."""
        return Product.objects.visible_to(actor).live().order_by("-id")

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **_path: str) -> Response:
        """Suggested tags become tags."""
        row = approve_tags(self.actor, self.row(), self.parsed(TagsBody).get("tags"))
        return self.reply(self.show(row), message=gettext("Tags approved."))

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, **_path: str) -> Response:
        """Suggested tags are dropped."""
        row = reject_tags(self.actor, self.row(), self.parsed(TagsBody).get("tags"))
        return self.reply(self.show(row), message=gettext("Tags rejected."))


class ProductImportView(SurfaceView):
    """A product file: `text/csv`, or a form with the part `file`."""

    rights = {"post": Permission.ADD_PRODUCT}
    parser_classes = [CsvParser, UploadParser]
    body = {"text/csv": CSV, "multipart/form-data": FORM}
    answers = {"post": {202: JobSerializer}}

    def post(self, request: Request) -> Response:
        """202 with the job; its failed items are the report."""
        file: dict[str, Any] = dict(request.data)  # what our parsers make; an empty body is a QueryDict
        job = start_import(self.actor, file.get("data", b""), file.get("filename", ""))
        return self.reply(JobSerializer(job).data, message=gettext("Import started."), status=202)


class VariantViewSet(ReadViewSet):
    """Newest first; `?status=`, `?content_type=` and `?product_id=` narrow."""

    model = Variant
    output = VariantSerializer
    filters = {
        "content_type": OneOf("content_type", VariantType.values),
        "product_id": Number("product_id", product_number),
        "search": Search(("body",)),
    }
    includes = {
        "product": Include(lambda: ProductSerializer, Permission.VIEW_PRODUCT),
        "persona": Include(lambda: PersonaSerializer, Permission.VIEW_PERSONA),
        "audience": Include(lambda: AudienceSerializer, Permission.VIEW_AUDIENCE),
        "special_day": Include(lambda: SpecialDaySerializer, Permission.VIEW_SPECIAL_DAY),
    }
    noun = "Variant"
    rights = {
        "list": Permission.VIEW_VARIANT,
        "retrieve": Permission.VIEW_VARIANT,
        "approve": Permission.CHANGE_VARIANT,
        "reject": Permission.CHANGE_VARIANT,
    }

    def rows(self) -> QuerySet[Any]:
        """Of one product when the path names it."""
        rows = Variant.objects.visible_to(self.actor).of_live_products().order_by("-id")
        return rows.filter(product=self._product()) if "product" in self.kwargs else rows

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, **_path: str) -> Response:
        """It may be published."""
        return self.reply(self.show(approve_variant(self.actor, self.row())), message=gettext("Variant approved."))

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, **_path: str) -> Response:
        """It may not."""
        return self.reply(self.show(reject_variant(self.actor, self.row())), message=gettext("Variant rejected."))

    def _product(self) -> Product:
        number = product_number(self.kwargs["product"])
        product: Product | None = Product.objects.visible_to(self.actor).live().filter(pk=number).first()
        if product is None:
            raise NotFound
        return product


class GenerateView(SurfaceView):
    """Texts and tags for products."""

    rights = {"post": Permission.GENERATE_CONTENT}
    body = GenerateBody
    answers = {"post": {202: [JobSerializer], 200: [JobSerializer]}}
    faults = {"post": (429,)}

    def post(self, request: Request) -> Response:
        """202 with one job a content type; 200 when no product matches and there is nothing to do."""
        body = self.parsed(GenerateBody)
        types = body["content_types"]
        texts = [one for one in types if one != TAGS]
        jobs = start_generations(self.actor, wanted(self.actor, body, texts), tags=TAGS in types)
        if not jobs:
            return self.reply([], message=gettext("There is nothing to generate."))
        return self.reply(JobSerializer(jobs, many=True).data, message=gettext("Generation started."), status=202)
