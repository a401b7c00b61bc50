"""Claude through Anthropic's SDK. Importing it costs seconds and 75 MiB: only `registry` does, when first needed."""

import asyncio
import html
import logging
import math
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import anthropic
import nh3
from anthropic.types import ImageBlockParam, Message, MessageParam, TextBlockParam
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ajansops.ai import prompts
from ajansops.ai.contract import (
    ContentType,
    Image,
    ProviderBusy,
    ProviderFailed,
    Tagged,
    TagTask,
    Usage,
    WriteTask,
    Written,
)
from ajansops.ai.offline import pictures
from ajansops.ai.offline.tags import clean
from ajansops.ai.offline.words import plain
from ajansops.kit.clock import now

logger = logging.getLogger(__name__)

ANTHROPIC_URL = "https://api.anthropic.com"
TAGS_TASK = "tags"  # beside the content types, a key of `models`

_VISION_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_MAX_IMAGE_BYTES = 3_700_000  # the API takes 5 MB of base64
_IMAGE_SIDE = 1568  # pixels; the model scales larger pictures down itself
_DEFAULT_WAIT = 10.0  # seconds, for a 429 that does not say how long
_MAX_WAIT = 3600.0
_DESCRIPTION_TAGS = {"p", "ul", "li", "b", "strong", "em"}

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


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1)


class _Tags(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tags: list[str] = Field(min_length=1)


class _Tokens(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Block(BaseModel):
    type: str = ""
    text: str | None = None


class _Reply(BaseModel):
    """What we read of a message. The SDK checks nothing: a broken answer would surface as an AttributeError."""

    content: list[_Block]
    stop_reason: str | None = None
    usage: _Tokens = _Tokens()

    @property
    def text(self) -> str:
        return "".join(block.text or "" for block in self.content if block.type == "text")


Answer = TypeVar("Answer", _Text, _Tags)


class Claude:
    """One client, for one event loop. `timeout` is seconds of one attempt; `models` overrides `model` by task."""

    name = "claude"

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str | None = None,
        model: str = "claude-sonnet-4-6",
        max_retries: int = 2,
        timeout: float = 60,
        models: Mapping[str, str] | None = None,
    ) -> None:
        self._model = model
        self._models = dict(models or {})
        # A server may ask for a wait of days between two attempts, or drip a byte a minute: this ends both.
        self._deadline = timeout * (max_retries + 1) + 10
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key,
            base_url=base_url or ANTHROPIC_URL,
            max_retries=max_retries,
            timeout=timeout,
            middleware=[_busy_at_once],
        )

    async def write(self, task: WriteTask) -> Written:
        """Raises `ProviderBusy`, or `ProviderFailed` after the SDK's retries and one question more."""
        max_tokens = min(8192, 512 + task.max_chars)  # Turkish and Hungarian take up to a token for two characters
        system = prompts.system(task.content_type)
        answer, usage = await self._ask(task.content_type, system, [_block(prompts.write(task))], _Text, max_tokens)
        text = _sanitised(answer.text) if task.content_type is ContentType.DESCRIPTION else _plain(answer.text)
        if not text:
            raise ProviderFailed("Claude wrote an empty text.")
        return Written(text, usage)

    async def tag(self, task: TagTask) -> Tagged:
        """As `write`; raises `BadPicture` when an image has to be converted and cannot be read."""
        blocks: list[TextBlockParam | ImageBlockParam] = [_block(prompts.tag(task))]
        if task.image:
            blocks.insert(0, _picture(await _fit_for_vision(task.image)))
        answer, usage = await self._ask(TAGS_TASK, prompts.TAGS, blocks, _Tags, 1024)
        found = clean(answer.tags, task.language, task.max_tags)
        if not found:
            raise ProviderFailed("Claude gave no usable tags.")
        return Tagged(found, usage)

    async def aclose(self) -> None:
        """Give back connections."""
        await self._client.close()

    async def _ask(
        self,
        task: str,
        system: str,
        blocks: Sequence[TextBlockParam | ImageBlockParam],
        shape: type[Answer],
        max_tokens: int,
    ) -> tuple[Answer, Usage]:
        """The answer, asked for a second time when the first is not of the shape, and the usage of both."""
        model = self._models.get(task, self._model)
        usage = Usage(model)
        for turn in (blocks, [*blocks, _block(prompts.AGAIN)]):
            reply = await self._send(model, system, turn, shape, max_tokens)
            usage = _sum(usage, _usage(model, reply.usage))
            if reply.stop_reason == "refusal":
                raise ProviderFailed("Claude declined to write this.")
            try:
                return shape.model_validate_json(reply.text), usage
            except ValidationError as error:
                logger.warning(
                    "Claude's answer is not of the shape: %s (stop_reason %s)", error.title, reply.stop_reason
                )
        raise ProviderFailed("Claude's answers were not of the agreed shape.")

    async def _send(
        self,
        model: str,
        system: str,
        blocks: Sequence[TextBlockParam | ImageBlockParam],
        shape: type[BaseModel],
        max_tokens: int,
    ) -> _Reply:
        turn: MessageParam = {"role": "user", "content": list(blocks)}
        try:
            async with asyncio.timeout(self._deadline):
                message = await self._client.messages.create(
                    model=model,
                    max_tokens=max_tokens,
                    system=[{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
                    messages=[turn],
                    output_config={"format": {"type": "json_schema", "schema": _schema(shape)}},
                )
        except (anthropic.AnthropicError, TimeoutError, ValueError) as error:  # ValueError: a body that is not JSON
            raise _failure(error) from error
        return _read(message)


async def _busy_at_once(request: Any, call_next: Any) -> Any:
    # The SDK would sleep as long as a 429 says, inside the call. Our callers wait better: they slow all work down.
    response = await call_next(request)
    if response.status_code == 429:
        await response.close()
        raise ProviderBusy(_retry_after(response.headers.get("retry-after", "")))
    return response


def _retry_after(header: str) -> float:
    """Seconds from a Retry-After header: a number or an HTTP date (RFC 9110 10.2.3)."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - now()).total_seconds()
        except (TypeError, ValueError):
            return _DEFAULT_WAIT
    return min(max(seconds, 0.0), _MAX_WAIT) if math.isfinite(seconds) else _DEFAULT_WAIT


def _failure(error: Exception) -> ProviderFailed:
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
    if isinstance(error, anthropic.APIConnectionError):
        return ProviderFailed("Claude could not be reached.")
    return ProviderFailed("Claude's answer could not be read.")


def _read(message: object) -> _Reply:
    try:
        body = message.to_dict(warnings=False) if isinstance(message, Message) else message
        return _Reply.model_validate(body)
    except ValidationError as error:
        raise ProviderFailed("Claude's answer could not be read.") from error


def _schema(shape: type[BaseModel]) -> dict[str, object]:
    """Structured output takes no length limits in its schema: those are checked on what comes back."""
    schema = shape.model_json_schema()
    fields = {
        name: {k: v for k, v in spec.items() if not k.startswith("min")} for name, spec in schema["properties"].items()
    }
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _usage(model: str, tokens: _Tokens) -> Usage:
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


def _sum(one: Usage, two: Usage) -> Usage:
    return Usage(
        model=one.model,
        input_tokens=one.input_tokens + two.input_tokens,
        cached_tokens=one.cached_tokens + two.cached_tokens,
        output_tokens=one.output_tokens + two.output_tokens,
        cost_usd=one.cost_usd + two.cost_usd,
    )


def _block(text: str) -> TextBlockParam:
    return {"type": "text", "text": text}


async def _fit_for_vision(image: Image) -> Image:
    if image.media_type in _VISION_TYPES and len(image.data) <= _MAX_IMAGE_BYTES:
        return image
    return await asyncio.to_thread(pictures.smaller, image, _IMAGE_SIDE)


def _picture(image: Image) -> ImageBlockParam:
    source = {"type": "base64", "media_type": image.media_type, "data": b64encode(image.data).decode()}
    return cast("ImageBlockParam", {"type": "image", "source": source})


def _sanitised(text: str) -> str:
    """HTML of our few tags, without attributes; plain text becomes paragraphs."""
    clean_html = nh3.clean(text, tags=_DESCRIPTION_TAGS, attributes={}).strip()
    if "<" in clean_html or not clean_html:
        return clean_html
    return "".join(f"<p>{' '.join(part.split())}</p>" for part in re.split(r"\n\s*\n", clean_html))


def _plain(text: str) -> str:
    """Without tags, also those that were escaped."""
    return plain(html.unescape(nh3.clean(html.unescape(text), tags=set())))
