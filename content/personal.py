"""Personal data of content: what people wrote."""

from collections.abc import Iterable

from ajansops.kit.personal import JSON, PersonalData, disown
from content.models import Post

FIELDS = (
    "id",
    "workspace_id",
    "site_id",
    "title",
    "slug",
    "body",
    "excerpt",
    "seo_title",
    "seo_description",
    "tags",
    "status",
    "published_at",
    "created_at",
    "updated_at",
)


def _written(user_id: int) -> Iterable[JSON]:
    return Post.objects.filter(author=user_id).order_by("id").values(*FIELDS).iterator()


def _unsign(user_id: int) -> int:
    return disown(Post.objects.filter(author=user_id), "author", "post.updated")


ENTRIES = (PersonalData("content.Post", "posts", "Posts they wrote. They stay, without an author.", _written, _unsign),)
