"""An answer of Claude's that is arriving, event by event."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from ajansops.ai.claude_wire import FAULTS, Tokens, failure, usage_of
from ajansops.ai.contract import ProviderFailed, Usage

IDLE_SECONDS = 30.0  # between two events
TOTAL_SECONDS = 300.0
_CHARS_A_TOKEN = 3  # of Turkish and Hungarian text, at least; for an answer that was cut before its count came


class ClaudeAnswer:
    """Over a stream of the Messages API, which `request` opens."""

    def __init__(self, request: Callable[[], Awaitable[Any]], model: str) -> None:
        self._request = request
        self._stream: Any = None
        self._events: Any = None
        self._model = model
        self._tokens = Tokens()
        self._first = ""
        self._chars = 0
        self._stop_reason = ""
        self._over = False
        self._deadline = 0.0

    @property
    def usage(self) -> Usage:
        """The API's count; output that it has not counted yet is estimated from the text."""
        said = 0 if self._over else math.ceil(self._chars / _CHARS_A_TOKEN)
        output = max(self._tokens.output_tokens, said)
        return usage_of(self._model, self._tokens.model_copy(update={"output_tokens": output}))

    async def begin(self) -> None:
        """Until the first piece of text is here. Raises `ProviderFailed`."""
        self._stream = await self._request()
        self._events = aiter(self._stream)
        self._deadline = asyncio.get_running_loop().time() + TOTAL_SECONDS
        while not (self._first or self._over):
            self._first = await self._next()
        if not self._first:
            raise ProviderFailed("Claude declined to answer this." if self._refused else "Claude answered nothing.")

    async def __aiter__(self) -> AsyncIterator[str]:
        """Pieces as they come."""
        yield self._first
        while not self._over:
            if piece := await self._next():
                yield piece
        if self._refused:
            raise ProviderFailed("Claude broke off its answer.")

    async def aclose(self) -> None:
        """The connection goes, so that the model stops writing."""
        if self._stream is not None:
            await self._stream.close()

    @property
    def _refused(self) -> bool:
        return self._stop_reason == "refusal"

    async def _next(self) -> str:
        """The text of the next event; empty for most kinds of event."""
        until = min(self._deadline, asyncio.get_running_loop().time() + IDLE_SECONDS)
        try:
            async with asyncio.timeout_at(until):
                event = await anext(self._events)
        except StopAsyncIteration:
            raise ProviderFailed("Claude's answer broke off.") from None
        except FAULTS as error:
            raise failure(error) from error
        return self._take(event.to_dict(warnings=False) if hasattr(event, "to_dict") else event)

    def _take(self, event: Any) -> str:
        """Only what we need, of whatever shape: the SDK checks nothing."""
        match event:
            case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}}:
                self._chars += len(text)
                return text
            case {"type": "message_start", "message": {"usage": dict(counts)}}:
                self._count(counts)
            case {"type": "message_delta", "delta": dict(delta)}:
                self._stop_reason = str(delta.get("stop_reason") or "")
                self._count(event.get("usage") or {})
            case {"type": "message_stop"}:
                self._over = True
        return ""

    def _count(self, counts: dict[str, Any]) -> None:
        """Each count is of all until now, so the last one holds."""
        known = {name: value for name, value in counts.items() if name in Tokens.model_fields and type(value) is int}
        self._tokens = self._tokens.model_copy(update=known)
