"""The backend, as Django looks for it."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class PreparingCursor(psycopg.Cursor[Any]):
    """Has the server plan a statement once a connection, with the parameters apart from it."""

    def execute(self, query: Any, params: Any = None, **_options: Any) -> Any:
        """As Django calls it."""
        return super().execute(query, params, prepare=True)


class DatabaseWrapper(base.DatabaseWrapper):
    """Adds what is spared a busy server."""

    def is_usable(self) -> bool:
        """For CONN_HEALTH_CHECKS, which ask with each request. Without asking the server: an idle connection from which
        something can be read is one that it has ended, or is about to.
        """
        silent = select.poll()
        silent.register(self.connection.fileno(), select.POLLIN)
        return bool(not silent.poll(0) or super().is_usable())

    def preparing_cursor(self) -> Any:
        """For statements that come again and again. The context manager closes it, and Django's logs see it."""
        self.ensure_connection()
        return self._prepare_cursor(PreparingCursor(self.connection))  # type: ignore[attr-defined]  # as cursor() does
