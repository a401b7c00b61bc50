"""`manage.py export_account`: what the platform holds about a person, as the person would get it."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.actors import person
from accounts.services.exports import export_account
from ajansops.kit.actor import Via
from ajansops.management.operators import user_called


class Command(BaseCommand):
    help = "Write everything that is held about a person as one JSON document."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="instead of standard output; readable by you only"
        )
        parser.add_argument("--json", action="store_true", help="accepted for uniformity: it is always JSON")

    def handle(self, *args: Any, email: str, output: Path | None, **options: Any) -> None:
        user = user_called(email)
        document = export_account(person(user.pk, via=Via.COMMAND), user)
        if output is None:
            for part in document:
                self.stdout.write(part, ending="")
            return
        try:
            with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
                file.writelines(document)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Written to {output}.")
