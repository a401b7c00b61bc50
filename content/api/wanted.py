"""From a validated body to what the service takes."""

from collections.abc import Iterable
from typing import Any

from ajansops.ai.contract import ContentType
from ajansops.kit.actor import Actor
from ajansops.kit.language import parse_locale
from content.selectors import locale_of
from content.services.generation import Wanted

NAMED = ("product_ids", "persona_ids", "audience_ids", "special_day_ids", "only_missing")


def wanted(actor: Actor, body: dict[str, Any], content_types: Iterable[str] = ()) -> Wanted:
    """In the workspace's language unless the body names one."""
    language = body.get("language") or locale_of(actor.workspace_id)
    types = [ContentType(one) for one in content_types]
    given = {name: body[name] for name in NAMED}
    return Wanted(parse_locale(language), types, **given, webhook_url=body.get("webhook_url", ""))
