"""One action on many posts: each succeeds or fails for itself."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.db import transaction
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.errors import DomainError, Invalid, NotFound
from ajansops.kit.permissions import Permission
from ajansops.kit.tenancy import lock_workspace
from content.models import Post, PostStatus
from content.services.posts import POSTS, moved, require_future

AT_ONCE = 50  # items of one transaction: others who write to the workspace, or to SQLite at all, wait for no more
Act = Callable[[Post], object]
Name = tuple[int | None, int | None]  # of a site and of a post; None for what is no id


class Action(StrEnum):
    """As the app reference has them."""

    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    ARCHIVE = "archive"
    SCHEDULE = "schedule"
    DELETE = "delete"


STATUS = {
    Action.PUBLISH: PostStatus.PUBLISHED,
    Action.UNPUBLISH: PostStatus.DRAFT,
    Action.ARCHIVE: PostStatus.ARCHIVED,
    Action.SCHEDULE: PostStatus.SCHEDULED,
}


def change_posts(
    actor: Actor, action: Action, names: Sequence[Name], *, publish_at: datetime | None = None
) -> list[str]:
    """What went wrong with each, in order; empty for what succeeded. `publish_at` belongs to `SCHEDULE` alone."""
    actor.require(Permission.DELETE_POST if action is Action.DELETE else Permission.PUBLISH_POST)
    _check_time(action, publish_at)
    if action is Action.DELETE:
        act: Act = partial(POSTS.remove, actor)
    else:
        act = partial(moved, actor, status=STATUS[action], publish_at=publish_at)
    chunks = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
    return [error for chunk in chunks for error in _changed(actor, act, chunk)]


def _check_time(action: Action, publish_at: datetime | None) -> None:
    if (publish_at is not None) is not (action is Action.SCHEDULE):
        raise Invalid(errors={"publish_at": [gettext("This belongs to scheduling, and scheduling needs it.")]})
    if publish_at is not None:
        require_future(publish_at)


@transaction.atomic
def _changed(actor: Actor, act: Act, names: Sequence[Name]) -> list[str]:
    lock_workspace(actor.workspace_id)
    rows = Post.objects.visible_to(actor).filter(pk__in={post for _, post in names if post is not None})
    found = {(row.site_id, row.pk): row for row in rows.order_by("pk").select_for_update()}
    return [_tried(act, found, name) for name in names]


def _tried(act: Act, found: Mapping[Name, Post], name: Name) -> str:
    try:
        if name not in found:
            raise NotFound
        with transaction.atomic():
            act(found[name])
    except DomainError as error:
        return error.message
    return ""
