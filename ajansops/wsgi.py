"""Django as WSGI: the `web` process, and what `asgi` stands in front of."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ajansops.settings")
django: Any = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A body that is there as a whole is handed over as one: servers send a list at once, and iterate over the rest."""
    response = django(environ, start_response)
    if response.streaming:
        return response
    body = [response.content]
    response.close()
    return body
