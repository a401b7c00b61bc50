"""The log of what everybody did: written in the transaction of the change, one chain of hashes a workspace."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction

from accounts.models import PLATFORM, Activity, ActivityHead, Membership, User, Workspace
from ajansops.kit.actor import NO_WORKSPACE, Actor
from ajansops.kit.clock import now
from ajansops.kit.events import Changes, Event, publish


def record(event: Event) -> None:
    """A listener of `kit.events`. Whoever writes to the same chain waits until this transaction ends."""
    actor = event.actor
    chain = actor.workspace_id or PLATFORM
    Workspace.objects.lock(chain)  # before the head: the foreign keys of this transaction want it too, at the latest
    head = _locked_head(chain)
    line = Activity(
        workspace_id=actor.workspace_id or None,
        seq=head.seq + 1,
        action=event.type,
        user_id=actor.user_id,
        key_id=actor.key_id,
        role=actor.role,
        via=actor.via.value,
        object_type=event.subject._meta.label,
        object_id=str(event.subject.pk),
        details=_canonical(event.changes),
        request_id=actor.request_id,
        created_at=now(),
        previous_hash=head.hash,
    )
    line.hash = line.computed_hash()
    line.save(force_insert=True)
    ActivityHead.objects.filter(pk=chain).update(seq=line.seq, hash=line.hash)


def _locked_head(chain: int) -> ActivityHead:
    """Made with the first line, of which several may be written at once."""
    heads = ActivityHead.objects.select_for_update()
    try:
        return heads.get(pk=chain)
    except ActivityHead.DoesNotExist:
        ActivityHead.objects.bulk_create([ActivityHead(chain=chain)], ignore_conflicts=True)
        return heads.get(pk=chain)


@transaction.atomic
def record_of_person(user: User, actor: Actor, action: str, changes: Changes | None = None) -> None:
    """What a person did to their own account, in the log of every workspace they are in; of the platform if in none."""
    memberships = Membership.objects.in_force().filter(user=user).order_by("workspace_id")
    places = [(m.workspace_id, m.role) for m in memberships] or [(NO_WORKSPACE, "")]
    for workspace_id, role in places:
        told = Actor(
            workspace_id,
            frozenset(),
            user_id=actor.user_id,
            key_id=actor.key_id,
            request_id=actor.request_id,
            role=role,
            via=actor.via,
        )
        publish(told, action, user, changes)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one chain. `broken` is the first line that is not as it was written, `reason` says how; None when all are."""

    chain: int
    lines: int
    hash: str
    broken: Activity | None = None
    reason: str = ""


def verify(chains: Iterable[int] | None = None) -> Iterator[Verdict]:
    """Every chain, or these; the platform's is `PLATFORM`. A chain without a head is one as well: of deleted heads."""
    for chain in sorted(set(_chains() if chains is None else chains)):
        yield _verify(chain)


def _chains() -> set[int]:
    """Also of workspaces whose lines and end are all gone: each was made with a line, or got its end by a migration."""
    heads = set(ActivityHead.objects.values_list("pk", flat=True)) | set(Workspace.objects.values_list("pk", flat=True))
    return heads | {
        chain or PLATFORM for chain in Activity.objects.order_by().values_list("workspace", flat=True).distinct()
    }


def _verify(chain: int) -> Verdict:
    """The end is read before the lines: those that are added meanwhile only have to continue it."""
    head = ActivityHead.objects.filter(pk=chain).first()
    seq, last = 0, ""
    line: Activity | None = None
    for line in Activity.objects.filter(workspace=chain or None).order_by("seq").iterator():
        if reason := _fault(line, seq, last):
            return Verdict(chain, seq, last, line, reason)
        seq, last = line.seq, line.hash
        if head and seq == head.seq and last != head.hash:
            return Verdict(chain, seq, last, line, "it is not the end that was kept")
    if head is None and line is None and not Workspace.objects.filter(pk=chain).exists():
        return Verdict(chain, 0, "")  # purged since we began
    if head is None or seq < head.seq:
        return Verdict(chain, seq, last, line, "lines after this one are missing" if head else "the end is not known")
    return Verdict(chain, seq, last)


def _fault(line: Activity, seq: int, last: str) -> str:
    if line.seq != seq + 1:
        return f"line {seq + 1} before it is missing"
    if line.previous_hash != last:
        return "it does not continue the line before it"
    return "" if line.hash == line.computed_hash() else "it was changed"


def _canonical(changes: Changes) -> str:
    return json.dumps(changes, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
