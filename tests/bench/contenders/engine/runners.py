"""An item that calls the local server and keeps the answer, and an item that does nothing."""

import os
from collections.abc import Sequence

from ajansops.kit import net
from ajansops.kit.runners import Item, Runner, Saved
from tests.bench.contenders.engine.models import Effect


class Fetch(Runner[None, str]):
    """Through the product's own outgoing client. It names a provider, so the engine treats it as paid for."""

    kind = "bench_fetch"

    def __init__(self) -> None:
        self._client: net.Client | None = None

    def load(self, items: Sequence[Item]) -> dict[int, None]:
        return dict.fromkeys(item.id for item in items)

    async def work(self, item: Item, given: None) -> str:
        self._client = self._client or net.open_client()
        response = await self._client.get(os.environ["BENCH_URL"])
        return response.body.decode()

    def save(self, item: Item, output: str) -> Saved:
        Effect.objects.create(key=item.key, answer=output)
        return Saved()

    def save_all(self, outputs: Sequence[tuple[Item, str]]) -> list[Saved]:
        Effect.objects.bulk_create(Effect(key=item.key, answer=output) for item, output in outputs)
        return [Saved() for _ in outputs]

    def provider(self, *, test_mode: bool) -> str:
        return "bench"

    async def aclose(self) -> None:
        if self._client:
            await self._client.aclose()


class Nothing(Runner[None, None]):
    kind = "bench_nothing"

    def load(self, items: Sequence[Item]) -> dict[int, None]:
        return dict.fromkeys(item.id for item in items)

    async def work(self, item: Item, given: None) -> None:
        return None

    def save(self, item: Item, output: None) -> Saved:
        return Saved()
