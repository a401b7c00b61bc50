"""One product of a file."""

from collections.abc import Mapping, Sequence

from ajansops.kit.errors import Conflict
from ajansops.kit.runners import JSON, Item, ItemFailed, Runner, Saved
from content.markup import plain
from content.services.imports import IMPORT, save_imported
from content.services.products import cleaned_fields


class ImportRunner(Runner[JSON, JSON]):
    """The file was read when the job started: what is left is to clean and to save."""

    kind = IMPORT

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
        try:
            product, created = save_imported(item.job.workspace_id, output)
        except Conflict as error:
            raise ItemFailed(f"Row {item.payload['row']}: {error.message}") from error
        return Saved({"product": product.pk, "created": created})
