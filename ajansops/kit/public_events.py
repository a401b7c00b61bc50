"""What the outside is told, one dataclass an event. Each app registers its own; webhooks and the docs read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.db.models import Model
from django.utils.module_loading import import_string

from ajansops.kit.permissions import Permission

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """The docstring of each subclass is the event's public description. `data` is the object as core shows it."""

    type: ClassVar[str]  # as it is published: `resource.action`
    serializer: ClassVar[str]  # by name: core's, imported when the first event is told
    path: ClassVar[str]  # of the object on core, before its id
    right: ClassVar[Permission]  # to read it: nobody subscribes to more than they may read
    example: ClassVar[JSON]  # of `data`

    data: JSON

    @classmethod
    def of(cls, subject: Model) -> Self:
        """As core would show the row at this moment."""
        return cls(shown(cls.serializer, subject))


def shown(serializer: str, subject: Model, **context: Any) -> JSON:
    """By the serializer of that name."""
    data: JSON = import_string(serializer)(context=context).to_representation(subject)
    return data


_EVENTS: dict[str, type[PublicEvent]] = {}


def register(*events: type[PublicEvent]) -> None:
    """Called from `AppConfig.ready`."""
    _EVENTS.update({event.type: event for event in events})


def public_events() -> Mapping[str, type[PublicEvent]]:
    """By type."""
    return _EVENTS
