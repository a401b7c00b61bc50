"""One product of a file."""

from collections.abc import Iterable, Mapping, Sequence

from ajansops.kit.entitlements import Feature, FeatureLimitReached, entitlements
from ajansops.kit.errors import Conflict
from ajansops.kit.runners import JSON, Item, ItemFailed, News, Runner, Saved
from content.markup import plain
from content.models import Product
from content.services.imports import IMPORT, Change, save_imported
from content.services.products import cleaned_fields


class NoRoom(ItemFailed):
    """The plan has no room for another product."""

    code = FeatureLimitReached.code


class ImportRunner(Runner[JSON, JSON]):
    """The file was read when the job started: what is left is to clean and to save."""

    kind = IMPORT
    locks_workspace = True  # so that nobody else makes a product between the count of them and ours

    def load(self, items: Sequence[Item]) -> Mapping[int, JSON]:
        """All is in the payload."""
        return {item.id: item.payload for item in items}

    async def work(self, item: Item, given: JSON) -> JSON:
        """Safe fields. Raises `ItemFailed` for a row that could not be read."""
        if fault := given.get("fault"):
            raise ItemFailed(f"Row {given['row']}: {fault}")
        fields = given["fields"]
        return cleaned_fields(fields | {"title": plain(fields["title"])})

    def save(self, item: Item, output: JSON) -> Saved:
        """Made or updated."""
        return _saved(item, output)

    def save_all(self, outputs: Sequence[tuple[Item, JSON]]) -> Iterable[Saved]:
        """The plan is asked once, and again for each when there is no room left: it says so in its own words."""
        workspaces = {item.job.workspace_id for item, _ in outputs}
        room = {one: entitlements().left(one, Feature.PRODUCTS) for one in workspaces}
        for item, output in outputs:
            left = room[item.job.workspace_id]
            saved = _saved(item, output, admitted=left is None or left > 0)
            if left is not None and saved.result["created"]:
                room[item.job.workspace_id] = left - 1
            yield saved
        for workspace_id in workspaces:
            entitlements().admit(workspace_id, Feature.PRODUCTS, 0)  # what is used by now may have to be told


def _saved(item: Item, output: JSON, *, admitted: bool = False) -> Saved:
    try:
        product, change = save_imported(item.job.workspace_id, output, admitted=admitted)
    except FeatureLimitReached as error:
        raise NoRoom from error
    except Conflict as error:
        raise ItemFailed(f"Row {item.payload['row']}: {error.message}") from error
    news = [News(f"product.{change}", Product, product.pk)] if change else []
    return Saved({"product": product.pk, "created": change is Change.CREATED}, news=news)
