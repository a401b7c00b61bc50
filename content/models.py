"""Products, who is written for, and what was written; posts."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext

from ajansops.kit.constraints import SameWorkspace
from ajansops.kit.counting import CountedRows
from ajansops.kit.entitlements import Feature
from ajansops.kit.slugs import slug_of
from ajansops.kit.tenancy import Tenancy, WorkspaceOwned, WorkspaceQuerySet
from content.markup import line, post_html
from content.querysets import PostQuerySet, ProductQuerySet, VariantQuerySet

SKU_LENGTH = 120
TITLE_LENGTH = 500
POST_TITLE_LENGTH = 300
SLUG_LENGTH = 200
MAX_BODY = 100_000  # characters of Markdown; the worst of them take more than a second to render


class Product(WorkspaceOwned):
    """What a shop sells. `description` is HTML that was sanitised before it came here."""

    gauge: ClassVar[Feature | None] = Feature.PRODUCTS

    sku = models.CharField(max_length=SKU_LENGTH)
    title = models.CharField(max_length=TITLE_LENGTH)
    description = models.TextField(blank=True)
    categories = models.JSONField(default=list, blank=True)
    pictures = models.JSONField(default=list, blank=True, help_text="URLs, best first.")
    primary_picture = models.CharField(max_length=2048, blank=True)
    tags = models.JSONField(default=list, blank=True)
    suggested_tags = models.JSONField(default=list, blank=True, help_text="Wait until somebody approves them.")
    attributes = models.JSONField(default=list, blank=True, help_text='Pairs: [["Size", "Regular, Large"], …].')
    external_handle = models.CharField(max_length=255, blank=True, help_text="Its name in the shop it came from.")
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "sku"], condition=Q(deleted_at__isnull=True), name="product_sku_once"
            ),
            models.UniqueConstraint(
                fields=["workspace", "external_handle"],
                condition=Q(deleted_at__isnull=True) & ~Q(external_handle=""),
                name="product_handle_once",
            ),
            CountedRows(name="product_count", condition=Q(deleted_at__isnull=True)),
            models.UniqueConstraint(fields=["workspace", "id"], name="product_of_workspace"),
        ]

    def __str__(self) -> str:
        return self.title


class Named(WorkspaceOwned):
    """Something with a name that is unique in its workspace."""

    name = models.CharField(max_length=120)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="%(class)s_name_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="%(class)s_of_workspace"),
        ]

    def __str__(self) -> str:
        return self.name


class Persona(Named):
    """A kind of reader: what they know, want and doubt."""

    description = models.TextField(blank=True, max_length=2000)


class Audience(Named):
    """A group of buyers with an interest in common."""

    description = models.TextField(blank=True, max_length=2000)


class SpecialDay(Named):
    """An occasion to buy. One without a date moves from year to year."""

    date = models.DateField(null=True, blank=True)


class Brand(Named):
    """How the workspace speaks. The default one applies to everything that is generated."""

    voice = models.TextField(blank=True, max_length=2000)
    banned_words = models.JSONField(default=list, blank=True)
    required_words = models.JSONField(default=list, blank=True)
    samples = models.JSONField(default=list, blank=True)
    is_default = models.BooleanField(default=False)

    class Meta(Named.Meta):
        constraints = [
            *Named.Meta.constraints,
            models.UniqueConstraint(fields=["workspace"], condition=Q(is_default=True), name="brand_one_default"),
        ]


class VariantType(models.TextChoices):
    """The texts of a product; the values are those of `ai.contract.ContentType`."""

    TITLE = "title"
    DESCRIPTION = "description"
    GOOGLE_FEED = "google_feed"


class VariantStatus(models.TextChoices):
    """WAITING → GENERATED → APPROVED or REJECTED → PUBLISHED; FAILED when nothing could be written."""

    WAITING = "WAITING"
    GENERATED = "GENERATED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    PUBLISHED = "PUBLISHED"
    FAILED = "FAILED"


def _or_zero(field: str) -> Coalesce:
    """Nulls are distinct in a unique index; zero is no id."""
    return Coalesce(field, Value(0), output_field=models.BigIntegerField())


class Variant(WorkspaceOwned):
    """One text of a product for one reader, occasion and language. Without a persona it is for everybody.

    It goes with its persona, audience or special day: without them nobody could say whom it was written for.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    content_type = models.CharField(max_length=11, choices=VariantType)
    persona = models.ForeignKey(Persona, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    audience = models.ForeignKey(Audience, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    special_day = models.ForeignKey(SpecialDay, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=5, help_text="Such as tr-TR.")
    body = models.TextField(blank=True)
    status = models.CharField(max_length=9, choices=VariantStatus, default=VariantStatus.WAITING)
    error = models.TextField(blank=True, help_text="Why the last try wrote nothing.")
    provider = models.CharField(max_length=20, blank=True)
    usage = models.JSONField(default=dict, blank=True)

    product_id: int
    persona_id: int | None
    audience_id: int | None
    special_day_id: int | None

    objects = VariantQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                "product",
                "content_type",
                _or_zero("persona"),
                _or_zero("audience"),
                _or_zero("special_day"),
                "language",
                name="variant_once",
            ),
            SameWorkspace("product", name="variant_product_same_workspace"),
            SameWorkspace("persona", name="variant_persona_same_workspace"),
            SameWorkspace("audience", name="variant_audience_same_workspace"),
            SameWorkspace("special_day", name="variant_special_day_same_workspace"),
            models.CheckConstraint(condition=Q(content_type__in=VariantType.values), name="variant_type_known"),
            models.CheckConstraint(condition=Q(status__in=VariantStatus.values), name="variant_status_known"),
        ]
        indexes = [models.Index(fields=["workspace", "status"], name="variant_by_status")]

    def __str__(self) -> str:
        return f"{self.get_content_type_display()} of {self.product_id}, {self.language}"


class VariantRevision(models.Model):
    """A text as a job wrote it. The newest one is the variant's body."""

    tenancy: ClassVar[Tenancy] = Tenancy.CHILD
    tenant_path: ClassVar[str] = "variant__workspace"

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="revisions")
    body = models.TextField()
    provider = models.CharField(max_length=20)
    job_id = models.CharField(max_length=80, help_text="Jobs are cleaned away earlier than texts: no foreign key.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)


class PostStatus(models.TextChoices):
    """Any may follow any, but that what is published is not scheduled."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Post(WorkspaceOwned):
    """A text of a client's site. `html` is made of `body`, and made safe, by `clean`, before it comes here."""

    gauge: ClassVar[Feature | None] = Feature.POSTS
    unlogged: ClassVar[frozenset[str]] = frozenset({"html"})  # says the same as the body

    site = models.ForeignKey("sites.Site", on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=POST_TITLE_LENGTH)
    slug = models.SlugField(
        max_length=SLUG_LENGTH,
        blank=True,
        db_index=False,
        help_text="Once a site; made of the title where it is empty.",
    )
    body = models.TextField(max_length=MAX_BODY, blank=True, help_text="Markdown.")
    html = models.TextField(blank=True, editable=False)
    excerpt = models.TextField(max_length=1000, blank=True)
    seo_title = models.CharField(max_length=255, blank=True)
    seo_description = models.CharField(max_length=500, blank=True)
    canonical_url = models.CharField(max_length=2000, blank=True, validators=[URLValidator(["http", "https"])])
    tags = models.JSONField(default=list, blank=True)
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=9, choices=PostStatus, default=PostStatus.DRAFT)
    publish_at = models.DateTimeField(null=True, blank=True, help_text="When it will be, while it is scheduled.")
    published_at = models.DateTimeField(null=True, blank=True, help_text="When it last became public.")

    site_id: int
    author_id: int | None

    objects = PostQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["site", "slug"], name="post_slug_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="post_of_workspace"),
            CountedRows(name="post_count"),
            SameWorkspace("site", name="post_site_same_workspace"),
            models.CheckConstraint(condition=~Q(slug=""), name="post_has_slug"),
            models.CheckConstraint(condition=Q(status__in=PostStatus.values), name="post_status_known"),
            models.CheckConstraint(
                condition=Q(status="scheduled", publish_at__isnull=False)
                | (~Q(status="scheduled") & Q(publish_at__isnull=True)),
                name="post_scheduled_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="published") | Q(published_at__isnull=False), name="post_published_has_time"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "status", "-id"], name="post_by_status"),
            models.Index(fields=["publish_at"], condition=Q(status="scheduled"), name="post_due"),
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Raises ValidationError for a title without a word, and for tags that are none."""
        self.title, self.tags = line(self.title), self.tags or []
        errors = {}
        if not self.title:
            errors["title"] = [gettext("Nothing is left of this once it is made safe.")]
        if not (isinstance(self.tags, list) and all(isinstance(tag, str) for tag in self.tags)):
            errors["tags"] = [gettext("A list of texts.")]
        if errors:
            raise ValidationError(errors)
        self.slug = self.slug.lower() or slug_of(self.title, most=SLUG_LENGTH) or "post"
        self.html = post_html(self.body)
