"""`Idempotency-Key`: the first answer to a request is the answer to every repetition of it, byte for byte, for a day.

The record is written in the transaction of the work, so a crash leaves both or neither; two at once never both work.
See docs/decisions/0007.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import RequestDataTooBig
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import get_language
from rest_framework.request import Request

from ajansops.api.errors import PayloadTooLarge
from ajansops.api.models import IdempotencyRecord
from ajansops.kit.actor import NO_WORKSPACE, Actor
from ajansops.kit.clock import now
from ajansops.kit.crypto import decrypt, encrypt
from ajansops.kit.errors import DomainError, Kind

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEY = re.compile(r"[\x20-\x7e]{1,255}")
QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')  # a string of RFC 8941
KEPT = timedelta(hours=24)
REAPED = timedelta(hours=48)
ABANDONED = timedelta(seconds=90)  # after that whoever began outside a transaction is dead: no call takes so long
BEGUN = 0  # in place of a status
BATCH = 5000
PURPOSE = "idempotency"
OF_THE_ANSWER = ("Content-Type", "Content-Disposition", "Content-Language", "Location")  # the rest is of each call


class InvalidIdempotencyKey(DomainError):
    """The Idempotency-Key must have 1 to 255 printable ASCII characters."""

    code = "invalid_idempotency_key"
    kind = Kind.MALFORMED


class IdempotencyKeyReused(DomainError):
    """This Idempotency-Key was used with another request."""

    code = "idempotency_key_reused"
    kind = Kind.INVALID


class IdempotencyInFlight(DomainError):
    """The first request with this Idempotency-Key is still being worked on."""

    code = "idempotency_in_flight"
    kind = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose key it is, and for which request."""

    workspace_id: int
    credential: str
    key: str
    fingerprint: str

    @property
    def lock(self) -> int:
        """64 bits of its own."""
        name = json.dumps([self.workspace_id, self.credential, self.key])
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)

    def known(self) -> bool:
        """Whether there is an answer, without a lock."""
        return self._mine().filter(created_at__gte=now() - KEPT).exists()

    def record(self) -> IdempotencyRecord | None:
        """What is kept; what is too old is not, and goes."""
        self._mine().filter(created_at__lt=now() - KEPT).delete()
        return self._mine().first()

    def keep(self, answer: HttpResponse) -> None:
        """For those that come again."""
        IdempotencyRecord.objects.create(**self._key(), fingerprint=self.fingerprint, **_kept(answer))

    @transaction.atomic
    def begin(self) -> tuple[IdempotencyRecord, bool]:
        """Take the key before work that no transaction can hold. Or else, with False, what is kept of it already."""
        self._mine().filter(status=BEGUN, created_at__lt=now() - ABANDONED).delete()
        self.record()
        begun = {"fingerprint": self.fingerprint, "status": BEGUN, "headers": {}, "body": b""}
        return IdempotencyRecord.objects.get_or_create(**self._key(), defaults=begun)

    def end(self, row: IdempotencyRecord, answer: HttpResponseBase | None) -> None:
        """Keep the answer in the place that `begin` took, or give it back. Nothing, when that was taken for dead."""
        begun = IdempotencyRecord.objects.filter(pk=row.pk, status=BEGUN)
        if isinstance(answer, HttpResponse):
            begun.update(**_kept(answer))
        else:
            begun.delete()

    def _key(self) -> dict[str, Any]:
        return {"workspace_id": self.workspace_id, "credential": self.credential, "key": self.key}

    def _mine(self) -> QuerySet[IdempotencyRecord]:
        return IdempotencyRecord.objects.filter(**self._key())


def _kept(answer: HttpResponse) -> dict[str, Any]:
    """Encrypted, whatever it is: some answers hold a key that is shown once."""
    return {
        "status": answer.status_code,
        "headers": {name: answer[name] for name in OF_THE_ANSWER if name in answer},
        "body": encrypt(PURPOSE, zlib.compress(answer.content)),
    }


def guard(view: Any, request: Request) -> bool:
    """Called when the call is known to be allowed: have the view's handler answer once. Raises for a bad key; False
    without one.
    """
    text = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if text is None or request.method not in UNSAFE or request.auth is None:
        return False
    if not view.surface.idempotent:
        return False
    key, method = parse(text), request.method.lower()
    once = _once_outside if view.outside else _once
    setattr(view, method, partial(once, view, getattr(view, method), key))
    return True


def parse(text: str) -> str:
    """The key in the header, bare or as a quoted string. Raises `InvalidIdempotencyKey`."""
    text = text.strip(" \t")  # not by Python's wider idea of white space
    quoted = QUOTED.fullmatch(text)
    key = re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else text
    if not KEY.fullmatch(key):
        raise InvalidIdempotencyKey
    return key


def _once(
    view: Any, work: Callable[..., HttpResponseBase], key: str, request: Request, /, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    claim = _claim(view, key, request)
    if view.ahead and not claim.known():
        view.ahead()
    with transaction.atomic():
        if not _alone(claim):
            raise IdempotencyInFlight(retry_after=1)
        if known := claim.record():
            return _replay(known, claim)
        answer = _worked(view, work, request, *args, **kwargs)
        if isinstance(answer, HttpResponse):
            claim.keep(answer)
        return answer


def _once_outside(
    view: Any, work: Callable[..., HttpResponseBase], key: str, request: Request, /, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    """Before the work the key is taken in a transaction of its own, and after it the answer is kept in another.

    Of a process that dies in between, nobody knows whether the outside was reached: after `ABANDONED` it is done again.
    """
    claim = _claim(view, key, request)
    row, ours = claim.begin()
    if not ours:
        return _replay(row, claim)
    answer = None
    try:
        answer = _rendered(view, work(request, *args, **kwargs), request, *args, **kwargs)
    finally:
        claim.end(row, answer)
    return answer


def _claim(view: Any, key: str, request: Request) -> Claim:
    made = request._request  # noqa: SLF001  # DRF's own way back
    return Claim(_workspace(view), view.actor.credential, key, _fingerprint(made))


def _worked(view: Any, work: Callable[..., Any], request: Request, /, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The answer as it will be sent. A conflict is one, though nothing of the work stays.

    Every other error leaves nothing behind, and so nothing to keep: whoever corrects it may use the key again.
    """
    try:
        with transaction.atomic():
            answer = work(request, *args, **kwargs)
    except DomainError as error:
        if error.kind is not Kind.CONFLICT:
            raise
        answer = view.handle_exception(error)
    return _rendered(view, answer, request, *args, **kwargs)


def _rendered(view: Any, answer: Any, request: Request, /, *args: Any, **kwargs: Any) -> HttpResponseBase:
    answer = view.finalize_response(request, answer, *args, **kwargs)
    answer.headers.setdefault("Content-Language", get_language())  # the repetition may prefer another
    return answer.render() if hasattr(answer, "render") else answer


def _replay(known: IdempotencyRecord, claim: Claim) -> HttpResponse:
    if known.fingerprint != claim.fingerprint:
        raise IdempotencyKeyReused
    if known.status == BEGUN:
        raise IdempotencyInFlight(retry_after=1)
    body = zlib.decompress(decrypt(PURPOSE, bytes(known.body)))
    answer = HttpResponse(body, status=known.status, headers=known.headers)
    if "Content-Type" not in known.headers:
        del answer["Content-Type"]
    answer[REPLAYED] = "true"
    return answer


def _workspace(view: Any) -> int:
    """None for what a person does outside of all: founding their first one must not make the repetition another."""
    actor: Actor = view.actor
    inside = view.needs_workspace or view.kwargs or actor.key_id  # a path names the one that it is about
    return actor.workspace_id if inside else NO_WORKSPACE


def _fingerprint(request: HttpRequest) -> str:
    """Of everything that makes it another request. Raises `PayloadTooLarge`."""
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise PayloadTooLarge from error
    pairs = parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True)
    query = urlencode(sorted(pairs, key=itemgetter(0)))  # of one name the last counts, so their order stays
    parts = [request.method or "", request.path, query, request.content_type or ""]
    return hashlib.sha256(json.dumps(parts).encode() + b"\0" + body).hexdigest()


def _alone(claim: Claim) -> bool:
    """Whether nobody works on it, until the transaction ends. One of SQLite has waited for all others when it began."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [claim.lock])
        alone: bool = cursor.fetchone()[0]
    return alone


def reap() -> dict[str, int]:
    """Remove what is long past being asked for, some thousands at a time."""
    old = IdempotencyRecord.objects.filter(created_at__lt=now() - REAPED)
    removed = 0
    while found := list(old.values_list("pk", flat=True)[:BATCH]):
        removed += IdempotencyRecord.objects.filter(pk__in=found).delete()[0]
    return {"idempotency_records_removed": removed}
