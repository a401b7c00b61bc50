"""Posts on the app surface: by site, and many at a time."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.fields import row_number
from ajansops.api.parsers import CurlParser, StrictJSONParser
from ajansops.api.serializers import Body
from ajansops.api.views import SurfaceView
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from content.api.answers import BulkSerializer
from content.api.posts import PostViewSet
from content.services.bulk import Action, change_posts

MAX_ITEMS = 500


class AppPostViewSet(PostViewSet):
    """Under the site that it belongs to."""

    def row(self) -> Any:
        """Of that site, or `NotFound`."""
        row = super().row()
        if str(row.site_id) != self.kwargs["site"]:
            raise NotFound
        return row


class BulkBody(Body):
    """Items are `{siteId, postId}`: an id that is missing or none is an error of its item, not of the whole."""

    action = serializers.ChoiceField([*Action])
    items = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=MAX_ITEMS)
    publish_at = serializers.DateTimeField(required=False)


class BulkView(SurfaceView):
    """One action on many posts."""

    rights = {"post": Permission.PUBLISH_POST}  # to delete, a key needs `posts:delete` beside it
    parser_classes = [StrictJSONParser, CurlParser]
    body = BulkBody
    answers = {"post": {200: BulkSerializer}}

    def post(self, request: Request) -> Response:
        """200 with what became of each, also when none succeeded."""
        body = self.parsed(BulkBody)
        items = [(item.get("site_id"), item.get("post_id")) for item in body.pop("items")]
        names = [(row_number(site), row_number(post)) for site, post in items]
        errors = change_posts(self.actor, Action(body.pop("action")), names, **body)
        return self.reply({"results": [_result(*item, error) for item, error in zip(items, errors, strict=True)]})


def _result(site: Any, post: Any, error: str) -> dict[str, Any]:
    """Ids as the surface shows them; what is none as it was sent."""
    shown = {name: str(one) if type(one) is int else one for name, one in (("siteId", site), ("postId", post))}
    return shown | {"success": not error} | ({"error": error} if error else {})
