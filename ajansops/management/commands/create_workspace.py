"""`manage.py create_workspace`: a tenant with its owner."""

from argparse import ArgumentParser
from typing import Any

from django.db import transaction

from accounts.services.workspaces import create_workspace
from ajansops.management.operators import OperatorCommand, user_or_new


class Command(OperatorCommand):
    help = "Make a workspace on any plan, with an owner who is made too unless they have an account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--slug", default="", help="made from the name unless given")
        parser.add_argument("--plan", default="free")
        parser.add_argument("--owner", metavar="EMAIL")
        parser.add_argument("--password", metavar="PW", help="of a new owner; made up and printed unless given")
        super().add_arguments(parser)

    @transaction.atomic
    def act(self, *, name: str, slug: str, plan: str, **options: Any) -> tuple[Any, str]:
        """All or nothing."""
        owner, password = user_or_new(options["owner"], options["password"]) if options["owner"] else (None, None)
        workspace = create_workspace(name=name, slug=slug, plan=plan, owner=owner)
        data: dict[str, Any] = {"workspace": {"id": workspace.pk, "slug": workspace.slug, "plan": plan}, "owner": None}
        text = f"Workspace {workspace.slug} (id {workspace.pk}) is on plan {plan}."
        if owner:
            data["owner"] = {"id": owner.pk, "email": owner.email} | ({"password": password} if password else {})
            text += f"\nOwner: {owner.email}" + (f", password {password}" if password else "")
        return data, text
