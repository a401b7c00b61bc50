"""Audits and chats on the insight surface, as its reference shows them."""

from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.ai.contract import ChatTask, ProviderFailed, Turn
from ajansops.api.streams import PLAIN, UNBUFFERED, StreamBroken, TextStream, Visit, let_go, outside, visit_of
from ajansops.api.throttling import AUDIT, CHAT
from ajansops.api.views import SurfaceView
from ajansops.kit.permissions import Permission
from jobs.api.answers import StartedSerializer
from sites.api.answers import AuditRunSerializer
from sites.api.audit_serializers import AuditBody, ChatBody
from sites.api.language import language_for
from sites.audits.chats import Conversation, start_chat
from sites.audits.context import Context
from sites.audits.services import run_audit, start_audit_job
from sites.models import Audit, Insight

ASYNC = "respond-async"  # RFC 7240
MODE = "X-Pinqo-Mode"
BROKEN = b"\n[error: upstream_error]\n"  # the last line of an answer that broke off


class AuditRunView(SurfaceView):
    """One audit of the figures that are sent."""

    rights = {"post": Permission.ADD_AUDIT}
    by_address = AUDIT
    body = AuditBody
    answers = {"post": {200: AuditRunSerializer, 202: StartedSerializer}}
    faults = {"post": (409, 502)}

    def post(self, request: Request) -> Response:
        """The result; with `Prefer: respond-async` 202 and the job that will store it."""
        body = self.parsed(AuditBody)
        context, site = Context(**body["context"]), body.get("site")
        language = language_for(request, self.actor)
        if ASYNC in request.headers.get("Prefer", "").lower():
            job = start_audit_job(self.actor, context, language, site=site)
            answer = self.reply({"jobId": job.pk}, status=202)
            answer["Preference-Applied"] = ASYNC
            return answer
        http = request._request  # noqa: SLF001  # DRF's own way back
        audit = run_audit(self.actor, context, language, site=site, run=lambda work: outside(http, work))
        answer = self.reply(_audit(audit))
        answer["Content-Language"] = audit.language
        return answer


class ChatInsightView(SurfaceView):
    """A question about one insight."""

    rights = {"post": Permission.ADD_CHAT}
    by_address = CHAT
    body = ChatBody
    answers = {"post": {200: "text/plain"}}
    faults = {"post": (409, 502)}

    def post(self, request: Request) -> HttpResponseBase:
        """Plain text as it is written; whole where there is no event loop. Until its first piece errors are JSON."""
        task = _task(request, self)
        chat = start_chat(self.actor, task)
        http = request._request  # noqa: SLF001
        if visit := visit_of(http):
            visit.closing.push_async_callback(_ended, chat)
            outside(http, chat.open)
            return TextStream(_pieces(chat, visit), {MODE: chat.mode})
        try:
            text = outside(http, lambda: _whole(chat))
        finally:
            chat.settle()
        headers = {**UNBUFFERED, MODE: chat.mode}
        return HttpResponse(text, content_type=PLAIN, headers=headers)


async def _pieces(chat: Conversation, visit: Visit) -> AsyncIterator[bytes]:
    """Until the client goes away."""
    await let_go()
    try:
        async for piece in chat.pieces():
            if visit.gone.is_set():
                return
            yield piece.encode()
    except ProviderFailed as error:
        yield BROKEN
        raise StreamBroken from error


async def _whole(chat: Conversation) -> str:
    try:
        await chat.open()
        return "".join([piece async for piece in chat.pieces()])
    finally:
        await chat.close()


async def _ended(chat: Conversation) -> None:
    """After the last byte, or instead of it."""
    try:
        await chat.close()
    finally:
        await sync_to_async(chat.settle)()


def _task(request: Request, view: ChatInsightView) -> ChatTask:
    body = view.parsed(ChatBody)
    insight: dict[str, Any] = dict(body["insight"])
    evidence = insight.pop("evidence")
    return ChatTask(
        language=language_for(request, view.actor),
        facts=tuple((name, value) for name, value in insight.items() if value),
        evidence=tuple(evidence.items()),
        turns=tuple(Turn(turn["role"], turn["content"]) for turn in body["messages"]),
    )


def _audit(audit: Audit) -> dict[str, Any]:
    return {
        "mode": audit.mode,
        "auditId": audit.pk,
        "output": {
            "executive_summary": audit.executive_summary,
            "account_health_score": audit.account_health_score,
            "insights": [_insight(insight) for insight in audit.insights.all()],
            "dropped_insights": audit.dropped_insights,
        },
        "usage": {
            "promptTokens": audit.input_tokens,
            "cachedTokens": audit.cached_tokens,
            "completionTokens": audit.output_tokens,
            "costUsd": round(float(audit.cost_usd), 6),
            "elapsedMs": audit.elapsed_ms,
        },
    }


def _insight(insight: Insight) -> dict[str, Any]:
    return {
        "id": insight.pk,
        "entityId": insight.entity_id,
        "entityName": insight.entity_name,
        "severity": insight.severity,
        "status": insight.status,
        "title": insight.title,
        "body": insight.body,
        "metricEvidence": insight.metric_evidence,
    }
