"""What an agent can be given. Pure."""

import re
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

FIELDS = 5  # minute, hour, day of month, month, day of week
ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)  # whether there is a next time at all does not depend on the day
MAX_TOOLS = 100
TOOL = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
MAX_NAME = 64  # characters of a tool's, as the model providers allow


def check_schedule(text: str) -> None:
    """Cron as Debian reads it, and a time that comes: 30 February never does. Raises ValidationError."""
    try:
        coming = CronSim(text, ANY_DAY) if len(text.split()) == FIELDS else iter(())
        next(coming)
    except (CronSimError, StopIteration) as error:
        message = gettext("Five fields as cron has them, such as 0 9 * * 1 for Mondays at nine.")
        raise ValidationError(message) from error


def check_tools(names: Any) -> None:
    """A list of names of the form `<resource>_<verb>`; which tools there are is not asked. Raises ValidationError."""
    if not isinstance(names, list) or len(names) > MAX_TOOLS:
        raise ValidationError(gettext("A list of at most %(most)d names.") % {"most": MAX_TOOLS})
    if wrong := [name for name in names if not _is_tool(name)]:
        message = gettext("'%(value)s' is not the name of a tool, such as sites_list.")
        raise ValidationError([message % {"value": str(name)[:MAX_NAME]} for name in wrong])


def _is_tool(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME and bool(TOOL.fullmatch(name))
