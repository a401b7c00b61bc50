"""What the outside is told about content."""

from dataclasses import dataclass
from typing import ClassVar

from ajansops.kit.permissions import Permission
from ajansops.kit.public_events import JSON, PublicEvent


@dataclass(frozen=True, slots=True)
class PostEvent(PublicEvent):
    """Something happened to a post."""

    serializer: ClassVar[str] = "content.api.posts.PostSerializer"
    path: ClassVar[str] = "posts"
    right: ClassVar[Permission] = Permission.VIEW_POST
    example: ClassVar[JSON] = {
        "id": 12,
        "site_id": 3,
        "title": "Spring tea",
        "slug": "spring-tea",
        "body": "# Spring tea",
        "html": "<h1>Spring tea</h1>",
        "excerpt": "",
        "seo_title": "",
        "seo_description": "",
        "canonical_url": "https://tea.example/spring-tea",
        "tags": ["tea"],
        "author_id": 5,
        "status": "published",
        "publish_at": None,
        "published_at": "2026-01-15T10:30:00Z",
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class PostCreated(PostEvent):
    """A post was made."""

    type: ClassVar[str] = "post.created"


@dataclass(frozen=True, slots=True)
class PostUpdated(PostEvent):
    """A post was changed; `data` is as it is now."""

    type: ClassVar[str] = "post.updated"


@dataclass(frozen=True, slots=True)
class PostDeleted(PostEvent):
    """A post was deleted; `data` is as it was."""

    type: ClassVar[str] = "post.deleted"


@dataclass(frozen=True, slots=True)
class PostPublished(PostEvent):
    """A post is public from now on."""

    type: ClassVar[str] = "post.published"


@dataclass(frozen=True, slots=True)
class PostUnpublished(PostEvent):
    """A post is a draft again."""

    type: ClassVar[str] = "post.unpublished"


@dataclass(frozen=True, slots=True)
class PostScheduled(PostEvent):
    """A post will be public at `publish_at`."""

    type: ClassVar[str] = "post.scheduled"


@dataclass(frozen=True, slots=True)
class PostArchived(PostEvent):
    """A post was put away."""

    type: ClassVar[str] = "post.archived"


@dataclass(frozen=True, slots=True)
class ProductEvent(PublicEvent):
    """Something happened to a product."""

    serializer: ClassVar[str] = "content.api.serializers.ProductSerializer"
    path: ClassVar[str] = "products"
    right: ClassVar[Permission] = Permission.VIEW_PRODUCT
    example: ClassVar[JSON] = {
        "id": 41,
        "sku": "TEA-1",
        "title": "Green tea",
        "description": "<p>Leaves.</p>",
        "categories": ["Tea"],
        "pictures": [],
        "primary_picture": "",
        "tags": ["green"],
        "suggested_tags": [],
        "attributes": [["Size", "100 g"]],
        "external_handle": "green-tea",
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class ProductCreated(ProductEvent):
    """A product was made."""

    type: ClassVar[str] = "product.created"


@dataclass(frozen=True, slots=True)
class ProductUpdated(ProductEvent):
    """A product was changed; `data` is as it is now."""

    type: ClassVar[str] = "product.updated"


@dataclass(frozen=True, slots=True)
class ProductDeleted(ProductEvent):
    """A product was deleted, and with it its texts; `data` is as it was."""

    type: ClassVar[str] = "product.deleted"


@dataclass(frozen=True, slots=True)
class VariantEvent(PublicEvent):
    """Something happened to a text."""

    serializer: ClassVar[str] = "content.api.serializers.VariantSerializer"
    path: ClassVar[str] = "variants"
    right: ClassVar[Permission] = Permission.VIEW_VARIANT
    example: ClassVar[JSON] = {
        "id": 90,
        "uid": "0b9c3c1e-6a0f-4f0e-9a53-0d1a1f0a7b11",
        "product_id": 41,
        "content_type": "description",
        "persona_id": None,
        "audience_id": None,
        "special_day_id": None,
        "language": "tr-TR",
        "body": "Yeşil çay.",
        "status": "APPROVED",
        "error": "",
        "provider": "offline",
        "usage": {},
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class VariantGenerated(VariantEvent):
    """A job has written a text of a product, anew where there was one."""

    type: ClassVar[str] = "variant.generated"
    example: ClassVar[JSON] = VariantEvent.example | {"status": "GENERATED"}


@dataclass(frozen=True, slots=True)
class VariantFailed(VariantEvent):
    """A job could not write a text of a product; `error` says why. One that was there stays, with its status."""

    type: ClassVar[str] = "variant.failed"
    example: ClassVar[JSON] = VariantEvent.example | {
        "body": "",
        "status": "FAILED",
        "error": "An outside service did not answer as it should.",
        "provider": "",
    }


@dataclass(frozen=True, slots=True)
class VariantUpdated(VariantEvent):
    """A text of a product was approved or rejected."""

    type: ClassVar[str] = "variant.updated"


@dataclass(frozen=True, slots=True)
class PersonaEvent(PublicEvent):
    """Something happened to a persona."""

    serializer: ClassVar[str] = "content.api.readers.PersonaSerializer"
    path: ClassVar[str] = "personas"
    right: ClassVar[Permission] = Permission.VIEW_PERSONA
    example: ClassVar[JSON] = {
        "id": 7,
        "name": "Tea lover",
        "description": "Drinks three cups a day.",
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class PersonaCreated(PersonaEvent):
    """A persona was made."""

    type: ClassVar[str] = "persona.created"


@dataclass(frozen=True, slots=True)
class PersonaUpdated(PersonaEvent):
    """A persona was changed; `data` is as it is now."""

    type: ClassVar[str] = "persona.updated"


@dataclass(frozen=True, slots=True)
class PersonaDeleted(PersonaEvent):
    """A persona was deleted, and with it what was written for it; `data` is as it was."""

    type: ClassVar[str] = "persona.deleted"


@dataclass(frozen=True, slots=True)
class AudienceEvent(PublicEvent):
    """Something happened to an audience."""

    serializer: ClassVar[str] = "content.api.readers.AudienceSerializer"
    path: ClassVar[str] = "audiences"
    right: ClassVar[Permission] = Permission.VIEW_AUDIENCE
    example: ClassVar[JSON] = {
        "id": 7,
        "name": "Offices",
        "description": "Buy in bulk.",
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class AudienceCreated(AudienceEvent):
    """An audience was made."""

    type: ClassVar[str] = "audience.created"


@dataclass(frozen=True, slots=True)
class AudienceUpdated(AudienceEvent):
    """An audience was changed; `data` is as it is now."""

    type: ClassVar[str] = "audience.updated"


@dataclass(frozen=True, slots=True)
class AudienceDeleted(AudienceEvent):
    """An audience was deleted, and with it what was written for it; `data` is as it was."""

    type: ClassVar[str] = "audience.deleted"


@dataclass(frozen=True, slots=True)
class SpecialDayEvent(PublicEvent):
    """Something happened to a special day."""

    serializer: ClassVar[str] = "content.api.readers.SpecialDaySerializer"
    path: ClassVar[str] = "special-days"
    right: ClassVar[Permission] = Permission.VIEW_SPECIAL_DAY
    example: ClassVar[JSON] = {
        "id": 7,
        "name": "Mother's Day",
        "date": "2026-05-10",
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class SpecialDayCreated(SpecialDayEvent):
    """A special day was made."""

    type: ClassVar[str] = "special_day.created"


@dataclass(frozen=True, slots=True)
class SpecialDayUpdated(SpecialDayEvent):
    """A special day was changed; `data` is as it is now."""

    type: ClassVar[str] = "special_day.updated"


@dataclass(frozen=True, slots=True)
class SpecialDayDeleted(SpecialDayEvent):
    """A special day was deleted, and with it what was written for it; `data` is as it was."""

    type: ClassVar[str] = "special_day.deleted"


@dataclass(frozen=True, slots=True)
class BrandEvent(PublicEvent):
    """Something happened to a brand."""

    serializer: ClassVar[str] = "content.api.readers.BrandSerializer"
    path: ClassVar[str] = "brands"
    right: ClassVar[Permission] = Permission.VIEW_BRAND
    example: ClassVar[JSON] = {
        "id": 7,
        "name": "Demlik",
        "voice": "Warm.",
        "banned_words": [],
        "required_words": [],
        "samples": [],
        "is_default": True,
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class BrandCreated(BrandEvent):
    """A brand was made."""

    type: ClassVar[str] = "brand.created"


@dataclass(frozen=True, slots=True)
class BrandUpdated(BrandEvent):
    """A brand was changed; `data` is as it is now."""

    type: ClassVar[str] = "brand.updated"


@dataclass(frozen=True, slots=True)
class BrandDeleted(BrandEvent):
    """A brand was deleted; `data` is as it was."""

    type: ClassVar[str] = "brand.deleted"


EVENTS = (
    PostCreated,
    PostUpdated,
    PostDeleted,
    PostPublished,
    PostUnpublished,
    PostScheduled,
    PostArchived,
    ProductCreated,
    ProductUpdated,
    ProductDeleted,
    VariantGenerated,
    VariantFailed,
    VariantUpdated,
    PersonaCreated,
    PersonaUpdated,
    PersonaDeleted,
    AudienceCreated,
    AudienceUpdated,
    AudienceDeleted,
    SpecialDayCreated,
    SpecialDayUpdated,
    SpecialDayDeleted,
    BrandCreated,
    BrandUpdated,
    BrandDeleted,
)
