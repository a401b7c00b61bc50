"""The product as WSGI, dying where `FAULT` says while an answer is kept: for tests that kill it at that point."""

import os
import signal

from django.db import transaction
from django.utils.module_loading import import_string

from ajansops.wsgi import application as application  # sets Django up, so the rest is imported by name

Claim = import_string("ajansops.api.idempotency.Claim")
_keep = Claim.keep


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def keep(claim, answer) -> None:
    if os.environ["FAULT"] == "before the record":
        _die()
    _keep(claim, answer)
    if os.environ["FAULT"] == "before the commit":
        _die()
    if os.environ["FAULT"] == "after the commit":
        transaction.on_commit(_die)


Claim.keep = keep
