"""What Anthropic's API sends, read with care, and what it costs. Shared by `claude` and `claude_stream`."""

import logging
from collections.abc import Mapping
from decimal import Decimal

import anthropic
import httpx2
from anthropic.types import Message
from pydantic import BaseModel, ValidationError

from ajansops.ai.contract import ProviderFailed, Usage

logger = logging.getLogger(__name__)

# What a call may raise. ValueError: a body that is not JSON; httpx2's own: a stream that breaks off in a chunk.
FAULTS = (anthropic.AnthropicError, httpx2.HTTPError, TimeoutError, ValueError)

# USD per million tokens (input, output): list price as configured here, from Anthropic's pricing page for the 4.5 to 5
# generation. A family's newer models cost the same or less, so a budget is never overrun by this table.
PRICES: Mapping[str, tuple[Decimal, Decimal]] = {
    "haiku": (Decimal(1), Decimal(5)),
    "sonnet": (Decimal(3), Decimal(15)),
    "opus": (Decimal(5), Decimal(25)),
    "": (Decimal(10), Decimal(50)),  # any other model: the dearest
}
_CACHE_WRITE = Decimal("1.25")  # times the input price, for five minutes
_CACHE_READ = Decimal("0.1")
_MILLION = Decimal(1_000_000)


class Tokens(BaseModel):
    """As counted by the API."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class Block(BaseModel):
    """A part of a message."""

    type: str = ""
    text: str | None = None


class Reply(BaseModel):
    """What we read of a message. The SDK checks nothing: a broken answer would surface as an AttributeError."""

    content: list[Block]
    stop_reason: str | None = None
    usage: Tokens = Tokens()

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(block.text or "" for block in self.content if block.type == "text")


def failure(error: Exception) -> ProviderFailed:
    """The error in our words. A refused key is never repeated, and neither is what the service says about it."""
    if isinstance(error, anthropic.APIStatusError):
        if error.status_code in (401, 403):
            return ProviderFailed("Anthropic refused the API key.", status=error.status_code)
        logger.warning(
            "Claude answered %s: %.300s (request %s)", error.status_code, error.api_message, error.request_id
        )
        return ProviderFailed(f"Claude answered with status {error.status_code}.", status=error.status_code)
    if isinstance(error, anthropic.APITimeoutError | TimeoutError):
        return ProviderFailed("Claude did not answer in time.")
    if isinstance(error, anthropic.APIConnectionError | httpx2.HTTPError):
        return ProviderFailed("Claude could not be reached.")
    return ProviderFailed("Claude's answer could not be read.")


def read(message: object) -> Reply:
    """Raises `ProviderFailed`."""
    try:
        body = message.to_dict(warnings=False) if isinstance(message, Message) else message
        return Reply.model_validate(body)
    except ValidationError as error:
        raise ProviderFailed("Claude's answer could not be read.") from error


def usage_of(model: str, tokens: Tokens) -> Usage:
    """With its price. What is written to the cache, or read from it, is input too."""
    written, cached = tokens.cache_creation_input_tokens or 0, tokens.cache_read_input_tokens or 0
    per_input, per_output = next(price for family, price in PRICES.items() if family in model)
    weighed = tokens.input_tokens + written * _CACHE_WRITE + cached * _CACHE_READ
    return Usage(
        model=model,
        input_tokens=tokens.input_tokens + written + cached,
        cached_tokens=cached,
        output_tokens=tokens.output_tokens,
        cost_usd=(weighed * per_input + tokens.output_tokens * per_output) / _MILLION,
    )


def summed(one: Usage, two: Usage) -> Usage:
    """Two calls for one answer."""
    return Usage(
        model=one.model,
        input_tokens=one.input_tokens + two.input_tokens,
        cached_tokens=one.cached_tokens + two.cached_tokens,
        output_tokens=one.output_tokens + two.output_tokens,
        cost_usd=one.cost_usd + two.cost_usd,
    )
