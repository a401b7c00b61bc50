"""`manage.py revoke_api_key`: end a key, by its id or, when it has leaked, by itself."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import operator
from accounts.models import ApiKey
from accounts.services.api_keys import revoke_api_key, revoke_leaked
from ajansops.management.operators import OperatorCommand


class Command(OperatorCommand):
    help = "Revoke an API key at once. A key that was found somewhere is best read from standard input: '-'."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="ID|KEY|-", help="the number in the list, the key itself, or - to read it")
        super().add_arguments(parser)

    def act(self, *, key: str, **_options: Any) -> tuple[Any, str]:
        """Owners get a mail when it was named by itself."""
        text = sys.stdin.readline().strip() if key == "-" else key
        row = _by_id(int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else revoke_leaked(text)
        if row is None:
            raise CommandError("There is no living key like this.")
        data = {"id": row.pk, "prefix": row.prefix, "workspace_id": row.workspace_id, "revoked": True}
        return data, f"Key {row.name!r} ({row.prefix}…, id {row.pk}) is revoked."


def _by_id(number: int) -> ApiKey | None:
    row: ApiKey | None = ApiKey.objects.listed().filter(pk=number).first()
    if row:
        revoke_api_key(operator(row.workspace_id), row)
    return row
