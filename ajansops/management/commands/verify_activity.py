"""`manage.py verify_activity`: is the log as it was written?"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.activity import Verdict, verify
from accounts.models import PLATFORM, Workspace
from ajansops.management.operators import workspace_called


class Command(BaseCommand):
    help = (
        "Follow the chain of hashes of each workspace's log and name the first broken line. Exit status 1 when there "
        "is one. Whoever can write to the database could also make a new chain: keep the last hashes somewhere else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", metavar="SLUG", nargs="?", help="all of them unless given")
        parser.add_argument("--json", action="store_true", help="print data instead of text")

    def handle(self, *args: Any, workspace: str | None, **options: Any) -> None:
        chosen = [workspace_called(workspace).pk] if workspace else None
        verdicts = list(verify(chosen))
        slugs = dict(Workspace.objects.values_list("pk", "slug")) | {PLATFORM: "(platform)"}
        told = [_told(verdict, slugs.get(verdict.chain, f"workspace {verdict.chain}")) for verdict in verdicts]
        if options["json"]:
            self.stdout.write(json.dumps({"ok": all(one["ok"] for one in told), "chains": told}))
        else:
            for one in told:
                self.stdout.write(_line(one))
        if any(not one["ok"] for one in told):
            raise CommandError("The log is broken.")


def _told(verdict: Verdict, slug: str) -> dict[str, Any]:
    line = verdict.broken
    broken = (
        {"id": line.pk, "seq": line.seq, "action": line.action, "created_at": str(line.created_at)} if line else None
    )
    return {
        "workspace": slug,
        "ok": not verdict.reason,
        "lines": verdict.lines,
        "hash": verdict.hash,
        "broken": broken,
        "reason": verdict.reason,
    }


def _line(told: dict[str, Any]) -> str:
    if told["ok"]:
        return f"{told['workspace']}: {told['lines']} lines, whole. Last hash {told['hash']}"
    at = (
        f"line {told['broken']['seq']} (id {told['broken']['id']}, {told['broken']['action']})"
        if told["broken"]
        else "the log"
    )
    return f"{told['workspace']}: broken after {told['lines']} lines, at {at}: {told['reason']}."
