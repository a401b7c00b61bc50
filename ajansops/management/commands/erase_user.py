"""`manage.py erase_user`: forget a person."""

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from accounts.models import User
from accounts.services.erasure import Erasure, erase_user
from ajansops.kit.personal import registry
from ajansops.management.operators import OperatorCommand, user_called


class Command(OperatorCommand):
    help = "Delete what is about a person and make anonymous what must stay. This cannot be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        super().add_arguments(parser)

    def act(self, *, email: str, yes: bool, **_options: Any) -> tuple[Any, str]:
        """Asks on a terminal only."""
        user = user_called(email)
        if not yes and sys.stdin.isatty():
            _confirm(user)
        report = erase_user(user)
        return {"erased": True, "email": email, **asdict(report)}, _told(email, report)


def _confirm(user: User) -> None:
    if input(f"Erase {user.email} for good? Type the address: ").strip().lower() != user.email:
        raise CommandError("Nothing was erased.")


def _told(email: str, report: Erasure) -> str:
    lines = [f"{email} is erased (user {report.user_id} stays as an anonymous row)."]
    lines += [f"  {entry.model}: {report.rows[entry.model]} rows. {entry.why}" for entry in registry().values()]
    lines += [f"  {slug} is owned by {heir} now." for slug, heir in report.passed.items()]
    lines += [f"  {slug} had no other members and is deleted, for good in 30 days." for slug in report.closed]
    return "\n".join(lines)
