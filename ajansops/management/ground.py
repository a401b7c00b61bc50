"""What commands that start processes do first, each with one clear line when it does not work."""

from argparse import ArgumentTypeError

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection


def port(text: str) -> int:
    """For `--port`."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def migrate() -> None:
    """Raises `CommandError` when the database cannot be reached."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CommandError(f"The database cannot be reached: {str(error).splitlines()[0]}") from error
    call_command("migrate", verbosity=0, interactive=False)
