"""Whose a key is, remembered for a second where there is Redis, so that a busy key does not cost three queries a call.

What changes rights is forgotten by this process before it is answered, and by others within that second. Without
Redis an installation is small, and asks its database every time.
"""

from dataclasses import dataclass
from time import monotonic

from django.conf import settings
from django.db import transaction

from ajansops.kit.actor import Actor
from ajansops.kit.events import Event

SECONDS = 1.0
KEPT = 10_000
APPS = frozenset({"accounts", "billing"})  # whose rows decide what an actor may do


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor
    until: float


class RecentActors:
    """By what identifies the credential."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._changes = 0

    @property
    def changes(self) -> int:
        """How often something was forgotten. Read it before the database: `keep` refuses what was read too early."""
        return self._changes

    def find(self, credential: str) -> Actor | None:
        """None after a second."""
        known = self._known.get(credential)
        return known.actor if known and monotonic() < known.until else None

    def keep(self, credential: str, actor: Actor, *, changes: int) -> None:
        """Unless rights have changed since the database was read."""
        if not settings.ENV.redis_url:
            return
        if len(self._known) >= KEPT:
            self._known.clear()
        known = _Known(actor, monotonic() + SECONDS)
        if changes == self._changes:
            self._known[credential] = known
            if changes != self._changes:  # between the two lines
                self._known.pop(credential, None)

    def forget(self) -> None:
        """Everybody."""
        self._changes += 1
        self._known.clear()


RECENT = RecentActors()


def forget_changed(event: Event) -> None:
    """A listener of `kit.events`: now, for this transaction's own sake, and when the others can see it."""
    if event.subject._meta.app_label in APPS:
        RECENT.forget()
        transaction.on_commit(RECENT.forget)
