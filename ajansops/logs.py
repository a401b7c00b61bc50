"""How the product logs: one line an event, JSON in production, and never a secret."""

import logging
import re
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

# Our keys, Stripe's, webhook secrets, Anthropic's keys, and whatever follows an authentication scheme.
SECRET = re.compile(r"(sk_(?:live|test)_|whsec_|sk-ant-)[A-Za-z0-9_+/=-]+|((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]+")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut secrets out of every string of the event, so that no call site has to remember."""
    return {key: cleaned(value) if isinstance(value, str) else value for key, value in event.items()}


def cleaned(text: str) -> str:
    """Without secrets."""
    return SECRET.sub(lambda match: f"{match[1] or match[2]}[redacted]", text)


ACCESS = "ajansops.access"  # the lines of `api.access`

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

QUIET = {
    "celery": "WARNING",
    "django.request": "ERROR",  # 4xx are answers, not events
    "django.server": "WARNING",
    "kombu": "WARNING",
    "psycopg.pool": "CRITICAL",  # it repeats each second what the error at the end says once
    "uvicorn.access": "WARNING",
}


class AccessFormatter(logging.Formatter):
    """A line that is a dictionary already, as JSON or for people."""

    def __init__(self, *, json: bool) -> None:
        super().__init__()
        self.json = json

    def format(self, record: logging.LogRecord) -> str:
        """Newlines and the like are escaped in both."""
        line: Any = record.msg
        if self.json:
            return orjson.dumps(line).decode()
        told = f"{line['method']} {line['route']} {line['status']} {line['duration_ms']} ms"
        return f"{line['timestamp']} [info] {told!r} {line['request_id']}"


def configure_structlog() -> None:
    """Events of structlog go through the standard library, so that one handler writes everything."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logging_config(*, json: bool) -> dict[str, Any]:
    """For `LOGGING`."""
    lines = structlog.processors.JSONRenderer(ensure_ascii=False)
    people = structlog.dev.ConsoleRenderer(colors=False)
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*SHARED, structlog.stdlib.ExtraAdder()],
        "processors": [clean, structlog.processors.format_exc_info, redact, lines if json else people],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"event": formatter, "access": {"()": AccessFormatter, "json": json}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "event"},
            "access": {"class": "logging.StreamHandler", "formatter": "access"},
        },
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {name: {"level": level} for name, level in QUIET.items()}
        | {ACCESS: {"handlers": ["access"], "level": "INFO", "propagate": False}},
    }
