"""An answer about an insight, from the question to the bill. In between there is an event loop, and no database."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta

import structlog
from django.db import transaction

from ajansops.ai.contract import Answer, ChatTask, Provider, ProviderFailed
from ajansops.ai.registry import configured, provider
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import RateLimited
from ajansops.kit.permissions import Permission
from ajansops.kit.tenancy import lock_workspace
from sites.models import Chat, ChatStatus

log = structlog.get_logger(__name__)

AT_ONCE = 4  # answers being written for one key or person
AT_ONCE_WORKSPACE = 20
LONGEST = timedelta(minutes=6)  # an answer takes five minutes at most; one that is open longer died with its process
RETRY_AFTER = 5  # seconds, when too many are being written


class TooManyAnswers(RateLimited):
    """Too many answers are being written at once. Wait for one to end."""


class Conversation:
    """One answer: `open` it, read its `pieces`, and `settle` it in any case, wherever it ended."""

    def __init__(self, chat: Chat, asked: Provider, task: ChatTask) -> None:
        self.mode = asked.name
        self._chat = chat
        self._provider = asked
        self._answer: Answer = asked.chat(task)
        self._status = ChatStatus.ABORTED
        self._started = time.monotonic()

    async def open(self) -> None:
        """Until the first piece is there. Raises `ProviderFailed`."""
        try:
            await self._answer.begin()
        except ProviderFailed:
            self._status = ChatStatus.FAILED
            raise

    async def pieces(self) -> AsyncIterator[str]:
        """The answer as it comes. Raises `ProviderFailed` when it breaks off."""
        try:
            async for piece in self._answer:
                yield piece
        except ProviderFailed:
            self._status = ChatStatus.FAILED
            raise
        self._status = ChatStatus.COMPLETED

    async def close(self) -> None:
        """Stop the model, if it is still writing, and give back connections."""
        await self._answer.aclose()
        await self._provider.aclose()

    def settle(self) -> None:
        """Note how it ended and what it took. Uses the database."""
        usage = self._answer.usage
        elapsed_ms = round((time.monotonic() - self._started) * 1000)
        self._chat.charge(usage, elapsed_ms)
        self._chat.status, self._chat.ended_at = self._status, now()
        # A workspace that was deleted meanwhile took its rows along.
        columns = ("status", "ended_at", "model", "input_tokens", "cached_tokens", "output_tokens", "cost_usd")
        values = {name: getattr(self._chat, name) for name in (*columns, "elapsed_ms")}
        Chat.objects.filter(pk=self._chat.pk).update(**values, updated_at=now())
        log.info("chat_ended", status=self._status.value, mode=self.mode, output_tokens=usage.output_tokens)


def start_chat(actor: Actor, task: ChatTask) -> Conversation:
    """Raises `TooManyAnswers`, or the error of a provider that is not configured, before anything is done."""
    actor.require(Permission.ADD_CHAT)
    asked = provider(configured(), test_mode=actor.test_mode)
    return Conversation(_take_place(actor, asked.name), asked, task)


@transaction.atomic
def _take_place(actor: Actor, mode: str) -> Chat:
    """Counted under the workspace's lock, so that the limit is exact over all processes."""
    lock_workspace(actor.workspace_id)
    running = Chat.objects.visible_to(actor).filter(status=ChatStatus.OPEN, created_at__gt=now() - LONGEST)
    who = {"api_key_id": actor.key_id} if actor.key_id else {"user_id": actor.user_id, "api_key_id": None}
    if running.filter(**who).count() >= AT_ONCE or running.count() >= AT_ONCE_WORKSPACE:
        raise TooManyAnswers(retry_after=RETRY_AFTER)
    return Chat.objects.create(
        workspace_id=actor.workspace_id, user_id=actor.user_id, api_key_id=actor.key_id, mode=mode
    )
