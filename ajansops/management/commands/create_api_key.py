"""`manage.py create_api_key`: a key that acts as an owner, or as a member, within its scopes."""

from argparse import ArgumentParser
from typing import Any

from accounts.scopes import DEFAULT
from accounts.services.api_keys import create_api_key
from ajansops.kit.plans import TIERS, tier_of
from ajansops.management.operators import OperatorCommand, user_called, workspace_called


class Command(OperatorCommand):
    help = "Make an API key. It is printed once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", metavar="SLUG")
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--scopes", nargs="+", metavar="SCOPE", default=list(DEFAULT), help="such as posts:read *:read"
        )
        parser.add_argument("--tier", choices=list(TIERS), default="", help="of rate limits; at most the workspace's")
        parser.add_argument("--test", action="store_true", help="nothing that it does leaves the house")
        parser.add_argument("--creator", metavar="EMAIL", help="acts in this member's role instead of as an owner")
        super().add_arguments(parser)

    def act(self, *, workspace: str, name: str, **options: Any) -> tuple[Any, str]:
        """One key."""
        place = workspace_called(workspace)
        row, raw = create_api_key(
            place,
            name=name,
            scopes=options["scopes"],
            tier=options["tier"],
            test=options["test"],
            creator=user_called(options["creator"]) if options["creator"] else None,
        )
        data = {
            "id": row.pk,
            "key": raw,
            "prefix": row.prefix,
            "workspace_id": place.pk,
            "name": row.name,
            "scopes": row.scopes,
            "rate_limit_tier": row.tier or tier_of(place.pk),
            "test": row.test,
        }
        return (
            data,
            f"{raw}\nKey {row.name!r} of {place.slug} (id {row.pk}): {', '.join(row.scopes)}. It is not shown again.",
        )
