"""The progress of a job as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from collections.abc import AsyncIterator, Collection
from hashlib import blake2b
from time import monotonic
from typing import Any

import orjson
from django.http import HttpResponse, HttpResponseBase
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.streams import UNBUFFERED, TextStream, Visit, let_go, visit_of
from ajansops.api.views import SurfaceView
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from jobs.watching import PLACES, Snapshot, Watch, Watchers

EVENTS = "text/event-stream"
RETRY = b"retry: 1000\n\n"  # milliseconds until a client comes again
ALIVE = b": still here\n\n"
ALIVE_EVERY = 15.0  # seconds without an event
LONGEST = 300.0  # seconds of one stream; the client goes on in the next


class JobEventSerializer(JobSerializer):
    """A job without what never changes and may be large, and without the time of changes that are not shown."""

    class Meta(JobSerializer.Meta):
        fields = tuple(  # type: ignore[assignment]  # as many as are left
            name for name in JobSerializer.Meta.fields if name not in {"configuration", "updated_at"}
        )


def read(job_ids: Collection[str]) -> dict[str, Snapshot]:
    """One query. Whoever calls has asked whether they may be seen."""
    rows = Job.objects.filter(pk__in=job_ids).defer("configuration", "memory")
    return {job.pk: snapshot(job) for job in rows}


def snapshot(job: Job) -> Snapshot:
    """As one event. Its id is of all that is shown, so that none is left out that says something new."""
    data = orjson.dumps(JobEventSerializer().to_representation(job))
    known = blake2b(data, digest_size=8).hexdigest()
    name = job.status if job.is_final else "progress"
    return Snapshot(known, b"id: %b\nevent: %b\ndata: %b\n\n" % (known.encode(), name.encode(), data), job.is_final)


WATCHERS = Watchers(read)


class EventStream(JSONRenderer):
    """What is negotiated. Nothing is rendered: errors are JSON whatever is asked for."""

    media_type = EVENTS


class JobEventsView(SurfaceView):
    """How a job gets on."""

    rights = {"get": Permission.VIEW_JOB}
    answers = {"get": {200: EVENTS, 204: None}}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """By the type of the stream."""
        if not force:
            self.get_content_negotiator().select_renderer(request, [EventStream()])
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request, pk: str) -> HttpResponseBase:
        """Server-sent events: `progress` while it lives, then one of `completed`, `failed` and `cancelled`, then the
        end. `data` is the job as JSON, whole in each event. It begins with the job as it is now, unless
        `Last-Event-ID` says that this is known; 204 when it is known and final. A comment every 15 seconds; after 300
        the stream ends, and the client comes again.
        """
        job = Job.objects.visible_to(self.actor).defer("configuration", "memory").filter(pk=pk).first()
        if job is None:
            raise NotFound
        now, known = snapshot(job), request.headers.get("Last-Event-ID", "")
        if now.is_final and now.id == known:
            return Response(status=204)
        http = request._request  # noqa: SLF001  # DRF's own way back
        visit = visit_of(http) if http.method == "GET" else None
        if visit is None:  # no event loop to wait on, or only the head is asked for: the client comes again by itself
            whole = RETRY + (now.event if now.id != known else b"")
            return HttpResponse(whole, content_type=EVENTS, headers=UNBUFFERED)
        PLACES.take(self.actor)
        visit.closing.callback(PLACES.leave, self.actor)
        return TextStream(_events(Watch(self.actor, pk, now), known, visit), content_type=EVENTS)


async def _events(watch: Watch, known: str, visit: Visit) -> AsyncIterator[bytes]:
    """Until the job has ended, nobody listens or may listen any more, or the time is up."""
    await let_go()
    ends_at = monotonic() + LONGEST
    yield RETRY
    with WATCHERS.looking_for(watch):
        while (now := watch.latest) and not visit.gone.is_set():
            if now.id != known:
                yield now.event
                known = now.id
            left = ends_at - monotonic()
            if now.is_final or left <= 0:
                return
            if not await watch.changed(min(ALIVE_EVERY, left)):
                yield ALIVE
