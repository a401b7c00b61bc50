"""Where personal data is: one entry a model, through which export and erasure go. A test finds models without one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.events import tell

JSON = dict[str, Any]
Rows = Callable[[int], Iterable[JSON]]
Erase = Callable[[int], int]


def nothing(user_id: int) -> Iterable[JSON]:
    """For data that is about somebody else than the user, such as a company's address."""
    return ()


def kept(user_id: int) -> int:
    """For rows that stay and hold nothing personal once the user's own row is anonymous."""
    return 0


def disown(rows: QuerySet[Any], field: str, told: str) -> int:
    """For rows of workspaces that stay without the person; the outside is told what they are now."""
    ids: dict[int, list[int]] = defaultdict(list)
    for workspace_id, pk in rows.values_list("workspace_id", "pk"):
        ids[workspace_id].append(pk)
    count = rows.update(**{field: None}, updated_at=now())
    for workspace_id, changed in sorted(ids.items()):
        tell(Actor(workspace_id, frozenset()), told, rows.model.objects.filter(pk__in=changed))
    return count


@dataclass(frozen=True, slots=True)
class PersonalData:
    """`model` is a label such as `accounts.User`; `why` says what is in it and what becomes of it, for the report.

    `rows` gives what goes into `section` of the user's export, never other people's data; `erase` deletes or
    anonymises, in a transaction, and answers how many rows it touched.
    """

    model: str
    section: str
    why: str
    rows: Rows
    erase: Erase


_REGISTRY: dict[str, PersonalData] = {}


def register(*entries: PersonalData) -> None:
    """Called from `AppConfig.ready`. Erased in the order of registration, last registered first."""
    _REGISTRY.update({entry.model: entry for entry in entries})


def registry() -> Mapping[str, PersonalData]:
    """By model label."""
    return _REGISTRY
