"""Claude through Anthropic's SDK. Importing it costs seconds and 75 MiB: only `registry` does, when first needed."""

import asyncio
import html
import logging
import math
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import anthropic
import nh3
from anthropic.types import ImageBlockParam, TextBlockParam
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from ajansops.ai import audit_prompts, prompts
from ajansops.ai.claude_stream import ClaudeAnswer
from ajansops.ai.claude_wire import FAULTS, Reply, failure, read, summed, usage_of
from ajansops.ai.contract import (
    Audited,
    AuditTask,
    ChatTask,
    ContentType,
    Evidence,
    Finding,
    Image,
    ProviderBusy,
    ProviderFailed,
    Severity,
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
TAGS_TASK, AUDIT_TASK, CHAT_TASK = "tags", "audit", "chat"  # beside the content types, keys of `models`

_VISION_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_MAX_IMAGE_BYTES = 3_700_000  # the API takes 5 MB of base64
_IMAGE_SIDE = 1568  # pixels; the model scales larger pictures down itself
_DEFAULT_WAIT = 10.0  # seconds, for a 429 that does not say how long
_MAX_WAIT = 3600.0
_DESCRIPTION_TAGS = {"p", "ul", "li", "b", "strong", "em"}
_AUDIT_TOKENS = 8192
_CHAT_TOKENS = 2048
_MAX_TITLE = 200  # characters of what an audit says; longer is cut
_MAX_BODY = 4_000


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1)


class _Tags(BaseModel):
    model_config = ConfigDict(extra="forbid")
    tags: list[str] = Field(min_length=1)


class _Evidence(BaseModel):
    model_config = ConfigDict(extra="forbid")
    metric: str
    value: FiniteFloat
    baseline: FiniteFloat | None
    change: FiniteFloat | None


class _Insight(BaseModel):
    model_config = ConfigDict(extra="forbid")
    entity_id: str
    severity: Severity
    title: str = Field(min_length=1)
    body: str = Field(min_length=1)
    evidence: _Evidence


class _Audit(BaseModel):
    model_config = ConfigDict(extra="forbid")
    executive_summary: str = Field(min_length=1)
    account_health_score: int = Field(ge=0, le=100)
    insights: list[_Insight]


Shape = TypeVar("Shape", _Text, _Tags, _Audit)


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

    async def audit(self, task: AuditTask) -> Audited:
        """As `write`."""
        turn = [_block(audit_prompts.audit(task))]
        answer, usage = await self._ask(AUDIT_TASK, audit_prompts.AUDIT, turn, _Audit, _AUDIT_TOKENS)
        findings = tuple(_finding(insight) for insight in answer.insights)
        summary = _plain(answer.executive_summary)[:_MAX_BODY]
        return Audited(summary, answer.account_health_score, findings, usage)

    def chat(self, task: ChatTask) -> ClaudeAnswer:
        """Nothing is sent before it begins."""
        model = self._models.get(CHAT_TASK, self._model)
        return ClaudeAnswer(lambda: self._stream(model, audit_prompts.chat(task)), model)

    async def aclose(self) -> None:
        """Give back connections."""
        await self._client.close()

    async def _ask(
        self,
        task: str,
        system: str,
        blocks: Sequence[TextBlockParam | ImageBlockParam],
        shape: type[Shape],
        max_tokens: int,
    ) -> tuple[Shape, Usage]:
        """The answer, asked for a second time when the first is not of the shape, and the usage of both."""
        model = self._models.get(task, self._model)
        usage = Usage(model)
        for turn in (blocks, [*blocks, _block(prompts.AGAIN)]):
            reply = await self._send(model, system, turn, shape, max_tokens)
            usage = summed(usage, usage_of(model, reply.usage))
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
    ) -> Reply:
        try:
            async with asyncio.timeout(self._deadline):
                message = await self._client.messages.create(
                    model=model,
                    max_tokens=max_tokens,
                    system=[_cached(system)],
                    messages=[{"role": "user", "content": list(blocks)}],
                    output_config={"format": {"type": "json_schema", "schema": anthropic.transform_schema(shape)}},
                )
        except FAULTS as error:
            raise failure(error) from error
        return read(message)

    async def _stream(self, model: str, turn: str) -> Any:
        try:
            async with asyncio.timeout(self._deadline):
                return await self._client.messages.create(
                    model=model,
                    max_tokens=_CHAT_TOKENS,
                    system=[_cached(audit_prompts.CHAT)],
                    messages=[{"role": "user", "content": [_block(turn)]}],
                    stream=True,
                )
        except FAULTS as error:
            raise failure(error) from error


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


def _block(text: str) -> TextBlockParam:
    return {"type": "text", "text": text}


def _cached(system: str) -> TextBlockParam:
    """Kept by the API for five minutes, where it is long enough for that."""
    return {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}


def _finding(insight: _Insight) -> Finding:
    cited = insight.evidence
    return Finding(
        entity_id=insight.entity_id,
        severity=insight.severity,
        title=_plain(insight.title)[:_MAX_TITLE],
        body=_plain(insight.body)[:_MAX_BODY],
        evidence=Evidence(cited.metric, cited.value, cited.baseline, cited.change),
    )


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
