"""How the harness reads a database that it keeps restarting."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")
PATIENCE = 90.0  # seconds


def patiently(read: Callable[[], T]) -> T:
    """Again until the database answers."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return read()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
