"""`manage.py demo`: the main job on the demo data or one's own, through the public API; then the server stays up."""

import signal
import sys
import threading
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ajansops.demo.catalogue import catalogue
from ajansops.demo.client import ApiClient, ApiError
from ajansops.demo.display import display
from ajansops.demo.setup import Access, prepare
from ajansops.demo.story import Story, Told
from ajansops.demo.website import DemoDirectory, DemoSite
from ajansops.kit.errors import DomainError
from ajansops.management.ground import migrate, port
from ajansops.supervisor import NotReady, Stack
from content.imports.formats import read_products

LOG = settings.VAR_DIR / "demo.log"  # of web, worker and scheduler; the terminal is the display's
SITE_PORT, DIRECTORY_PORT = 8090, 8091  # the same each time, so that a second run compares with the first


class Interrupted(Exception):
    """Ctrl-C or SIGTERM."""


class Command(BaseCommand):
    help = "Import a catalogue, write its texts, audit a website and find leads, through the API; then serve."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--products", type=Path, help="a Shopify or plain CSV instead of the bundled catalogue")
        parser.add_argument("--site", help="the address of a website to audit instead of the bundled one")
        parser.add_argument("--port", type=port, default=8000)
        parser.add_argument("--exit", action="store_true", help="stop when the job is done")

    def handle(self, *args: Any, products: Path | None, site: str | None, **options: Any) -> None:
        if site is not None and not (urlsplit(site).scheme in {"http", "https"} and urlsplit(site).hostname):
            raise CommandError(f"--site takes an address such as https://example.com, not {site!r}.")
        data = _file(products) if products else None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        self.stdout.write("Starting …")
        try:
            migrate()
            access = prepare()
            with ExitStack() as stopping:
                self._run(stopping, access, data, site, port=options["port"], leave=options["exit"])
        except Interrupted:
            self.stdout.write("Stopped.")

    def _run(
        self, stopping: ExitStack, access: Access, data: bytes | None, site: str | None, *, port: int, leave: bool
    ) -> None:
        own_site = stopping.enter_context(_on_port(DemoSite, SITE_PORT))
        directory = stopping.enter_context(_on_port(DemoDirectory, DIRECTORY_PORT))
        data = data or catalogue(own_site.url).encode()
        stack = _serve(stopping, port)
        with display() as shown:
            shown.say(f"AjansOps is up at {stack.url}")
            api = ApiClient(stack.url, access.key)
            place = None if site else f"{directory.url}/rehber"
            try:
                told = Story(api, shown, access.workspace_id, data, site or own_site.url, place).tell()
            except ApiError as error:
                raise CommandError(f"The API refused: {error}") from error
        self._summary(told, access, stack.url)
        if leave:
            sys.exit(0 if told.ok else 1)
        self.stdout.write("Serving until Ctrl-C.")
        threading.Event().wait()

    def _summary(self, told: Told, access: Access, url: str) -> None:
        self.stdout.write(f"\nDone in {told.seconds:.0f} s.")
        for section, lines in told.lines.items():
            if lines:
                self.stdout.write(f"\n{section}")
                self.stdout.write("\n".join(f"  {line}" for line in lines))
        self.stdout.write("\nWhere to look")
        for name, path in (("Admin", "/admin/"), ("Jobs", "/admin/jobs/job/"), ("API docs", "/api/docs/")):
            self.stdout.write(f"  {name:<9} {url}{path}")
        self.stdout.write(f"  Sign in with {access.email} and {access.password}")
        self.stdout.write(f"  API key  {access.key}")
        self.stdout.write(f"  Log      {LOG}\n")


def _interrupt(*_: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # once is enough: stopping takes a moment
    raise Interrupted


def _file(products: Path) -> bytes:
    """Read and understood before anything is started."""
    try:
        data = products.read_bytes()
        read_products(data)
    except OSError as error:
        raise CommandError(f"{products} cannot be read: {error.strerror}.") from error
    except DomainError as error:
        reasons = "; ".join(text for texts in error.errors.values() for text in texts)
        raise CommandError(f"{products} is no product file: {reasons or error.message}") from error
    return data


def _on_port(server: type[DemoSite] | type[DemoDirectory], port: int) -> DemoSite | DemoDirectory:
    try:
        return server(port=port)
    except OSError:  # somebody else has it
        return server()


def _serve(stopping: ExitStack, port: int) -> Stack:
    """Up, healthy and looked after. The demo's own websites are on loopback, so reaching that is allowed."""
    environ = {"RATE_LIMIT_ENT_HOURLY": "100000", "RATE_LIMIT_ENT_DAILY": "100000"}
    if not settings.ENV.net_allow_private:
        environ["NET_ALLOW_PRIVATE"] = "127.0.0.1/32"
    stack = Stack(port=port, environ=environ, log_file=LOG)
    stopping.callback(stack.stop)
    try:
        stack.start()
        threading.Thread(target=stack.watch, daemon=True).start()
        stack.wait_ready()
    except NotReady as error:
        raise CommandError(str(error)) from error
    return stack
