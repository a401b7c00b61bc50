"""`manage.py create_user`: a person, perhaps in a workspace."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.roles import Role
from accounts.services.members import add_member
from accounts.services.people import make_staff
from ajansops.management.operators import OperatorCommand, user_or_new, workspace_called


class Command(OperatorCommand):
    help = "Make a user, or put one that has an account into a workspace, or give them another role there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--workspace", metavar="SLUG")
        parser.add_argument("--role", type=str.upper, choices=Role.values, help="VIEWER unless given")
        parser.add_argument("--name", default="")
        parser.add_argument("--password", metavar="PW", help="made up and printed unless given")
        parser.add_argument("--staff", action="store_true", help="may open the admin")
        super().add_arguments(parser)

    @transaction.atomic
    def act(self, *, email: str, workspace: str | None, role: str | None, **options: Any) -> tuple[Any, str]:
        """All or nothing."""
        if role and not workspace:
            raise CommandError("--role is the role in a workspace: say which with --workspace.")
        role = role or Role.VIEWER
        user, password = user_or_new(email, options["password"], name=options["name"], staff=options["staff"])
        if options["staff"] and not user.is_staff:
            make_staff(user)
        elif not workspace and password is None and not options["password"]:
            raise CommandError(f"{user.email} has an account already.")
        place = workspace_called(workspace) if workspace else None
        if place:
            add_member(place, user, Role(role))
        data = {
            "id": user.pk,
            "email": user.email,
            "is_staff": user.is_staff,
            "workspace_id": place.pk if place else None,
            "role": role if place else None,
        } | ({"password": password} if password else {})
        text = f"{user.email} (id {user.pk})" + (f" is {role} of {place.slug}" if place else " is there") + "."
        return data, text + (f"\nPassword: {password}" if password else "")
