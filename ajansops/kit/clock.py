"""The one clock, and how a moment is written."""

from datetime import UTC, datetime

from django.utils import timezone


def now() -> datetime:
    """UTC."""
    return timezone.now()


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 UTC to the second with `Z`, as core and app write times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def iso_ms(moment: datetime | None) -> str | None:
    """As `iso` with milliseconds, as the studio surface writes times."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_us(moment: datetime) -> str:
    """As `iso` to the microsecond, which is as much as either database keeps."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
