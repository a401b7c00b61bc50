"""Products, readers, texts and posts in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import action, display

from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin, TenantAdmin
from content.models import Audience, Brand, Persona, Post, Product, SpecialDay, Variant, VariantRevision
from content.services.posts import archive_post, publish_post, unpublish_post
from content.services.variants import approve_variant, reject_variant

STATUS_COLOURS = {
    "WAITING": "default",
    "GENERATED": "info",
    "APPROVED": "success",
    "REJECTED": "warning",
    "PUBLISHED": "success",
    "FAILED": "danger",
}
POST_COLOURS = {"draft": "default", "scheduled": "info", "published": "success", "archived": "warning"}


class VariantInline(TabularInline):
    """The texts of a product."""

    model = Variant
    fields = ("content_type", "language", "persona", "audience", "status", "body")
    readonly_fields = fields
    extra = 0
    can_delete = False
    tab = True
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever sees the product sees its texts."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Jobs write them."""
        return False


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    list_display = ("title", "sku", "tags_shown", "suggested_shown", "workspace", "updated_at")
    list_filter = (BY_WORKSPACE,)
    list_select_related = ("workspace",)
    search_fields = ("title", "sku")
    fields = (
        "title",
        "sku",
        "workspace",
        "description",
        "categories",
        "attributes",
        "tags",
        "suggested_tags",
        "pictures",
        "deleted_at",
    )
    json_fields = ("categories", "attributes", "tags", "suggested_tags", "pictures")
    inlines = (VariantInline,)

    @display(description="Tags")
    def tags_shown(self, product: Product) -> str:
        """In a row."""
        return ", ".join(product.tags)

    @display(description="Suggested")
    def suggested_shown(self, product: Product) -> str:
        """In a row."""
        return ", ".join(product.suggested_tags)


class RevisionInline(TabularInline):
    """Earlier texts."""

    model = VariantRevision
    fields = ("created_at", "provider", "job_id", "body")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whoever sees the text sees its history."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Jobs write them."""
        return False


@admin.register(Variant)
class VariantAdmin(ReadOnlyAdmin):
    list_display = ("product", "content_type", "language", "status_shown", "body_shown", "provider", "updated_at")
    list_filter = ("status", "content_type", "language", BY_WORKSPACE)
    list_select_related = ("product",)
    search_fields = ("product__title", "product__sku", "body")
    fields = (
        "product",
        "content_type",
        "language",
        "persona",
        "audience",
        "special_day",
        "status",
        "error",
        "body",
        "provider",
        "usage",
    )
    json_fields = ("usage",)
    inlines = (RevisionInline,)
    actions = ("approve", "reject")

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_shown(self, variant: Variant) -> str:
        """As a coloured label."""
        return variant.status

    @display(description="Text")
    def body_shown(self, variant: Variant) -> str:
        """Its beginning."""
        return variant.body if len(variant.body) <= 90 else f"{variant.body[:90]}…"

    @action(description="Approve")
    def approve(self, request: HttpRequest, variants: QuerySet[Variant]) -> None:
        """By the service that the API calls too."""
        self.for_each(request, variants, approve_variant, "Approved")

    @action(description="Reject")
    def reject(self, request: HttpRequest, variants: QuerySet[Variant]) -> None:
        """By the service that the API calls too."""
        self.for_each(request, variants, reject_variant, "Rejected")


@admin.register(Persona, Audience)
class ReaderAdmin(TenantAdmin):
    list_display = ("name", "description", "workspace")
    list_filter = (BY_WORKSPACE,)
    search_fields = ("name",)
    fields = ("workspace", "name", "description")


@admin.register(SpecialDay)
class SpecialDayAdmin(TenantAdmin):
    list_display = ("name", "date", "workspace")
    list_filter = (BY_WORKSPACE,)
    fields = ("workspace", "name", "date")


@admin.register(Brand)
class BrandAdmin(TenantAdmin):
    list_display = ("name", "is_default", "workspace")
    list_filter = (BY_WORKSPACE,)
    fields = ("workspace", "name", "is_default", "voice", "banned_words", "required_words", "samples")


@admin.register(Post)
class PostAdmin(TenantAdmin):
    list_display = ("title", "status_shown", "site", "workspace", "publish_at", "published_at", "updated_at")
    list_filter = ("status", BY_WORKSPACE)
    list_select_related = ("site", "workspace")
    search_fields = ("title", "slug")
    fields = (
        "workspace",
        "site",
        "title",
        "slug",
        "body",
        "excerpt",
        "seo_title",
        "seo_description",
        "canonical_url",
        "tags",
        "author",
        "status",
        "publish_at",
        "published_at",
    )
    readonly_fields = ("status", "publish_at", "published_at")
    actions = ("publish", "unpublish", "archive")

    @display(description="Status", ordering="status", label=POST_COLOURS)
    def status_shown(self, post: Post) -> str:
        """As a coloured label."""
        return post.status

    @action(description="Publish")
    def publish(self, request: HttpRequest, posts: QuerySet[Post]) -> None:
        """By the service that the API calls too."""
        self.for_each(request, posts, publish_post, "Published")

    @action(description="Unpublish")
    def unpublish(self, request: HttpRequest, posts: QuerySet[Post]) -> None:
        """By the service that the API calls too."""
        self.for_each(request, posts, unpublish_post, "Unpublished")

    @action(description="Archive")
    def archive(self, request: HttpRequest, posts: QuerySet[Post]) -> None:
        """By the service that the API calls too."""
        self.for_each(request, posts, archive_post, "Archived")
