"""Posts: writing them, and what becomes of them in public."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from accounts.actors import system
from accounts.models import Membership
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import Conflict, Invalid
from ajansops.kit.events import changed, publish, snapshot
from ajansops.kit.permissions import Permission
from ajansops.kit.slugs import slug_of
from ajansops.kit.tenancy import lock_workspace
from ajansops.kit.writer import Writer
from content.facts import without
from content.markup import line
from content.models import SLUG_LENGTH, Post, PostStatus
from sites.models import Site

ROOM = 10  # characters of a slug that may be needed to make it unique
TOLD = {
    PostStatus.DRAFT: "post.unpublished",
    PostStatus.SCHEDULED: "post.scheduled",
    PostStatus.PUBLISHED: "post.published",
    PostStatus.ARCHIVED: "post.archived",
}


class PostPublished(Conflict):
    """A published post cannot be scheduled; unpublish it first."""


class PostWriter(Writer):
    """What is written. `status` and its times belong to the functions below."""

    def cleaned(self, actor: Actor, row: Post, fields: dict[str, Any]) -> dict[str, Any]:
        """A new one is by whoever makes it. One without a slug gets one that is free on its site."""
        made = fields if row.pk else {"author_id": _writer(actor)} | fields
        if errors := _strangers(actor, made):
            raise Invalid(errors=errors)
        if "tags" in made:
            made = made | {"tags": without(filter(None, map(line, made["tags"])), ())}
        if not made.get("slug", row.slug):
            made = made | {"slug": _free_slug(row, made)}
        return made


POSTS = PostWriter(Post, "post", Permission.ADD_POST, Permission.CHANGE_POST, Permission.DELETE_POST, unique="slug")


def publish_post(actor: Actor, post: Post) -> Post:
    """Public from now on. As with the others, what it is already is no change and no event."""
    return _move(actor, post, PostStatus.PUBLISHED)


def unpublish_post(actor: Actor, post: Post) -> Post:
    """A draft again, also from the archive or the schedule."""
    return _move(actor, post, PostStatus.DRAFT)


def archive_post(actor: Actor, post: Post) -> Post:
    """Out of sight, and kept."""
    return _move(actor, post, PostStatus.ARCHIVED)


def schedule_post(actor: Actor, post: Post, *, publish_at: datetime) -> Post:
    """Published by `publish_due` when the time comes. Raises `Invalid` for a time that has passed."""
    require_future(publish_at)
    return _move(actor, post, PostStatus.SCHEDULED, publish_at)


def require_future(publish_at: datetime) -> None:
    """Raises `Invalid` naming the field."""
    if publish_at <= now():
        raise Invalid(errors={"publish_at": [gettext("Must be in the future.")]})


def publish_due() -> dict[str, int]:
    """Scheduled posts whose time has come: a transaction each, exactly once under any number of schedulers."""
    due = list(Post.objects.due(now()).order_by("publish_at").values_list("workspace_id", "pk"))
    return {"posts_published": sum(_publish_due(*names) for names in due)}


def moved(actor: Actor, row: Post, status: PostStatus, publish_at: datetime | None = None) -> Post:
    """In the transaction of a caller who holds the row's lock."""
    if (row.status, row.publish_at) == (status, publish_at):
        return row
    if status is PostStatus.SCHEDULED and row.status == PostStatus.PUBLISHED:
        raise PostPublished
    before = snapshot(row)
    row.status, row.publish_at = status, publish_at
    if status is PostStatus.PUBLISHED:
        row.published_at = now()
    row.save(update_fields=["status", "publish_at", "published_at", "updated_at"])
    publish(actor, TOLD[status], row, changed(row, before))
    return row


@transaction.atomic
def _move(actor: Actor, post: Post, status: PostStatus, publish_at: datetime | None = None) -> Post:
    actor.require(Permission.PUBLISH_POST, on=post)
    return moved(actor, POSTS.locked(actor, post), status, publish_at)


@transaction.atomic
def _publish_due(workspace_id: int, pk: int) -> bool:
    """Unless it was changed meanwhile: the row is asked again under its lock."""
    lock_workspace(workspace_id)
    row = Post.objects.due(now()).select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        return False
    moved(system(workspace_id), row, PostStatus.PUBLISHED)
    return True


def _writer(actor: Actor) -> int | None:
    """The person, or the maker of the key; nobody for a command, and for a superuser who is not a member."""
    members = Membership.objects.visible_to(actor).in_force().filter(user=actor.user_id)
    return members.values_list("user_id", flat=True).first() if actor.user_id else None


def _strangers(actor: Actor, made: Mapping[str, Any]) -> dict[str, list[str]]:
    """Asked under the workspace's lock, so that nobody leaves and no site goes meanwhile."""
    author, site = made.get("author"), made.get("site")
    known = {
        "author_id": not author or Membership.objects.visible_to(actor).in_force().filter(user=author).exists(),
        "site_id": not site or Site.objects.visible_to(actor).filter(pk=site.pk).exists(),
    }
    return {name: [gettext("Does not exist.")] for name, found in known.items() if not found}


def _free_slug(row: Post, made: Mapping[str, Any]) -> str:
    """The title's own, or the first of its numbered ones; the workspace's lock keeps it free."""
    base = slug_of(made.get("title", row.title), most=SLUG_LENGTH - ROOM) or "post"
    others = Post.objects.filter(site=made.get("site", row.site_id)).exclude(pk=row.pk)
    alike = others.filter(Q(slug=base) | Q(slug__startswith=f"{base}-"))
    taken = set(alike.values_list("slug", flat=True))
    return next(slug for slug in _numbered(base) if slug not in taken)


def _numbered(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base}-{number}" for number in count(2))
