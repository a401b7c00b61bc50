"""What the platform holds about a person, as one JSON document that is written while it is read."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from accounts.activity import record_of_person
from accounts.limits import count_action
from accounts.models import User
from ajansops.kit.actor import Actor, Via
from ajansops.kit.clock import iso, now
from ajansops.kit.personal import JSON, PersonalData, registry

# In this order; sections of apps that are not there yet are empty lists, so that the document keeps its shape.
DOCUMENTED = ("profile", "memberships", "api_keys", "activity", "sessions", "posts", "emails", "workspaces")
ONE = "profile"  # an object rather than a list
MOST, WITHIN = 3, timedelta(hours=1)


@transaction.atomic
def export_account(actor: Actor, user: User) -> Iterator[str]:
    """Parts of the document. Raises `RateLimited` after three an hour; an operator's command is not limited."""
    if actor.via is not Via.COMMAND:
        count_action(f"export:user:{user.pk}", most=MOST, within=WITHIN)
    record_of_person(user, actor, "account.exported")
    return _document(user.pk)


def _document(user_id: int) -> Iterator[str]:
    sections: dict[str, list[PersonalData]] = defaultdict(list)
    for entry in registry().values():
        sections[entry.section].append(entry)
    yield f'{{"exported_at": {json.dumps(iso(now()))}'
    for name in dict.fromkeys([*DOCUMENTED, *sorted(sections)]):
        yield f",\n{json.dumps(name)}: "
        yield from _section(name, (row for entry in sections[name] for row in entry.rows(user_id)))
    yield "}\n"


def _section(name: str, rows: Iterator[JSON]) -> Iterator[str]:
    if name == ONE:
        yield _text(next(rows))
        return
    yield "["
    for number, row in enumerate(rows):
        yield f"{',' if number else ''}\n{_text(row)}"
    yield "]"


def _text(row: JSON) -> str:
    return json.dumps(row, ensure_ascii=False, cls=DjangoJSONEncoder)
