"""`manage.py up`: web, worker and scheduler on this machine, until SIGINT or SIGTERM."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ajansops.management.ground import migrate, port
from ajansops.supervisor import NotReady, Stack


class Command(BaseCommand):
    help = "Run everything: migrates, starts web, worker and scheduler, restarts what dies, stops all on Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port, default=8000)
        parser.add_argument("--workers", type=int, default=settings.ENV.web_workers, help="web processes")

    def handle(self, *args: Any, workers: int, **options: Any) -> None:
        stack = Stack(port=options["port"], workers=workers)
        try:
            stack.check_port()  # before the migrations, which take their time
            migrate()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stack.interrupt())
            stack.start()
            stack.wait_ready()
            self.stdout.write(f"Ready at {stack.url} (stop with Ctrl-C)")
            stack.watch()
        except NotReady as error:
            raise CommandError(str(error)) from error
        finally:
            stack.stop()
        self.stdout.write("Stopped.")
