"""What commands for operators have in common: `--json`, and refusals in one clear line."""

import json
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import User, Workspace, normal_email
from accounts.services.people import create_user
from ajansops.kit.errors import DomainError


class OperatorCommand(BaseCommand):
    """Implement `act`; it answers with data for `--json` and with text for people."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Call it last, so that `--json` stands at the end of the help."""
        parser.add_argument("--json", action="store_true", help="print data instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit status 1 and one line on standard error for whatever is refused."""
        try:
            data, text = self.act(**options)
        except DomainError as error:
            raise CommandError(reason(error)) from error
        self.stdout.write(json.dumps(data, ensure_ascii=False, cls=DjangoJSONEncoder) if options["json"] else text)

    def act(self, *args: Any, **options: Any) -> tuple[Any, str]:
        """Do it."""
        raise NotImplementedError


def reason(error: DomainError) -> str:
    """The message with what it says of each field."""
    fields = [f"{name}: {' '.join(texts)}" for name, texts in error.errors.items()]
    return " ".join([error.message, *fields])


def workspace_called(slug: str) -> Workspace:
    """One that is not deleted. Raises `CommandError`."""
    workspace: Workspace | None = Workspace.objects.alive().filter(slug=slug).first()
    if workspace is None:
        raise CommandError(f"There is no workspace {slug!r}.")
    return workspace


def user_called(email: str) -> User:
    """By any spelling of the address. Raises `CommandError`."""
    user = _find(email)
    if user is None:
        raise CommandError(f"There is no user {email}.")
    return user


def user_or_new(email: str, password: str | None, **fields: Any) -> tuple[User, str | None]:
    """The user, and the password that was made up for a new one. A known user's password is never changed by this."""
    known = _find(email)
    if known is None:
        made_up = None if password else secrets.token_urlsafe(12)
        return create_user(email=email, password=password or made_up, **fields), made_up
    if password and not known.check_password(password):
        raise CommandError(f"{known.email} has an account with another password; leave --password out.")
    return known, None


def _find(email: str) -> User | None:
    try:
        return User.objects.filter(email=normal_email(email)).first()
    except ValueError as error:
        raise CommandError(f"{email!r} is no e-mail address.") from error
