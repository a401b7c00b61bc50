"""The kind `chaos`: `work` pays a provider, which keeps the intent log, and `save` writes a row of the effect log.

An item's key says what becomes of it, so that the end of every job is known when it starts:
`bad-…` fails for good, `flaky-…` fails at its first call, `finds-…` finds two more, everything else is done.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from asgiref.sync import sync_to_async

from ajansops.kit.errors import UpstreamError
from ajansops.kit.runners import Item, ItemFailed, JobView, NewItem, Runner, Saved
from tests.chaos.faults import GUARD_OFF, die_at
from tests.chaos.models import Effect

KIND = "chaos"
LAST = "last"  # what `drained` adds
MOODS = ("plain", "flaky", "plain", "finds", "plain", "bad", "plain")


def keys_at_start(count: int) -> list[str]:
    """Of a job with so many items."""
    return [f"{MOODS[n % len(MOODS)]}-{n}" for n in range(count)]


def found_by(key: str) -> list[str]:
    """The keys that an item adds once it is done."""
    return [f"plain-{key}.{n}" for n in range(2)] if key.startswith("finds-") else []


def keys_at_end(count: int) -> dict[str, bool]:
    """All keys that the job has when nobody cancelled it, and whether each is done rather than failed."""
    start = keys_at_start(count)
    found = [key for one in start for key in found_by(one)]
    return {key: not key.startswith("bad-") for key in [*start, *found, LAST]}


class ChaosRunner(Runner[str, str]):
    """What the harness counts."""

    kind = KIND

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def load(self, items: Sequence[Item]) -> Mapping[int, str]:
        die_at("in_load")
        return {item.id: f"{item.job.id}/{item.key}" for item in items}

    def provider(self, *, test_mode: bool) -> str:
        return KIND

    async def work(self, item: Item, given: str) -> str:
        die_at("before_call")
        self._session = self._session or aiohttp.ClientSession()
        async with self._session.post(os.environ["CHAOS_PROVIDER"], params={"key": given}) as answer:
            said = await answer.text()
        die_at("after_call")
        if answer.status == 422:
            raise ItemFailed(said)
        if answer.status != 200:
            raise UpstreamError(said)
        if GUARD_OFF == "transaction":
            await sync_to_async(write_effect)(item)
            die_at("after_effect")
        return said

    def save(self, item: Item, output: str) -> Saved:
        die_at("before_effect")
        if GUARD_OFF != "transaction":
            write_effect(item)
            die_at("after_effect")
        return Saved({"said": output}, [NewItem(key) for key in found_by(item.key)])

    def drained(self, job: JobView) -> Sequence[NewItem]:
        die_at("in_drained")
        return [NewItem(LAST)]

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


def write_effect(item: Item) -> Any:
    return Effect.objects.create(job=item.job.id, key=item.key, attempt=item.attempt)
