"""Posts on the core surface."""

from typing import Any, ClassVar

from django.core.validators import URLValidator
from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import PersonSerializer, people
from ajansops.api.fields import WorkspaceRelatedField
from ajansops.api.filters import Holds, Number, RowOf, Search
from ajansops.api.lists import Include
from ajansops.api.serializers import Body, Row
from ajansops.api.views import CrudViewSet, crud
from ajansops.kit.permissions import Permission
from content.api.serializers import texts
from content.models import MAX_BODY, POST_TITLE_LENGTH, SLUG_LENGTH, Post
from content.services.posts import POSTS, archive_post, publish_post, schedule_post, unpublish_post
from sites.api.core import SITE
from sites.models import Site
from sites.selectors import get_site


def _text(length: int, **options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=length, allow_blank=True, default="", **options)


class PostBody(Body):
    """A post as clients write it. Without `slug` a new one gets one of its title, and an old one keeps its own."""

    site_id = WorkspaceRelatedField(Site, source="site")
    title = serializers.CharField(max_length=POST_TITLE_LENGTH)
    slug = serializers.SlugField(max_length=SLUG_LENGTH, allow_blank=True, required=False)
    body = _text(MAX_BODY, trim_whitespace=False, help_text="Markdown.")
    excerpt, seo_title, seo_description = _text(1000), _text(255), _text(500)
    canonical_url = _text(2000, validators=[URLValidator(["http", "https"])])
    tags = texts(100, 50)
    author_id = WorkspaceRelatedField(people, source="author", allow_null=True, required=False)


class PostChange(PostBody):
    """It stays where it is unless another site is named."""

    site_id = WorkspaceRelatedField(Site, source="site", required=False)


class ScheduleBody(Body):
    """When."""

    publish_at = serializers.DateTimeField()


class PostSerializer(Row):
    """A post."""

    class Meta:
        model = Post
        fields = (
            *("id", "site_id", "title", "slug", "body", "html", "excerpt", "seo_title", "seo_description"),
            *("canonical_url", "tags", "author_id", "status", "publish_at", "published_at", "created_at", "updated_at"),
        )


class PostViewSet(CrudViewSet):
    """Newest first; `?status=`, `?site_id=`, `?author_id=`, `?tag=` and `?search=` narrow."""

    model, output, input, change_input, noun = Post, PostSerializer, PostBody, PostChange, "Post"
    create_row, change_row, remove_row = POSTS.create, POSTS.update, POSTS.remove
    filters = {
        "search": Search(("title",)),
        "site_id": RowOf("site", get_site),
        "author_id": Number("author"),
        "tag": Holds("tags"),
    }
    includes = {"site": SITE, "author": Include(lambda: PersonSerializer, Permission.VIEW_MEMBER)}
    bodies: ClassVar = {"schedule": ScheduleBody}
    rights: ClassVar = crud(
        Permission.VIEW_POST, Permission.ADD_POST, Permission.CHANGE_POST, Permission.DELETE_POST
    ) | dict.fromkeys(("publish", "unpublish", "archive", "schedule"), Permission.PUBLISH_POST)

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, **_path: str) -> Response:
        """Public from now on."""
        return self.reply(self.show(publish_post(self.actor, self.row())), message=gettext("Post published."))

    @action(detail=True, methods=["post"])
    def unpublish(self, request: Request, **_path: str) -> Response:
        """A draft again."""
        return self.reply(self.show(unpublish_post(self.actor, self.row())), message=gettext("Post unpublished."))

    @action(detail=True, methods=["post"])
    def archive(self, request: Request, **_path: str) -> Response:
        """Out of sight, and kept."""
        return self.reply(self.show(archive_post(self.actor, self.row())), message=gettext("Post archived."))

    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, **_path: str) -> Response:
        """Published at `publish_at`."""
        row = schedule_post(self.actor, self.row(), **self.parsed(ScheduleBody))
        return self.reply(self.show(row), message=gettext("Post scheduled."))
