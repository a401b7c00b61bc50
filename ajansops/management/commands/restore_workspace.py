"""`manage.py restore_workspace`: bring back one that was deleted, within the grace."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.actors import operator
from accounts.models import Workspace
from accounts.services.workspaces import restore_workspace
from ajansops.management.operators import OperatorCommand


class Command(OperatorCommand):
    help = "Bring back a workspace that was deleted less than 30 days ago, with everything in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", metavar="SLUG")
        super().add_arguments(parser)

    def act(self, *, workspace: str, **_options: Any) -> tuple[Any, str]:
        """Its members and keys open again."""
        row = Workspace.objects.exclude(deleted_at=None).filter(slug=workspace).first()
        if row is None:
            raise CommandError(f"There is no deleted workspace {workspace!r}.")
        restore_workspace(operator(row.pk), row)
        return {"workspace": {"id": row.pk, "slug": row.slug}}, f"{row.slug} is back."
