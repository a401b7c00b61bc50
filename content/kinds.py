"""The kinds of generation jobs, what each makes and what it takes to start one."""

from collections.abc import Mapping

from ajansops.ai.contract import ContentType
from ajansops.kit.permissions import Permission

CONTENT = "content"
TITLE = "title"
GOOGLE_FEED = "google_feed"
TAGS = "tags"
METER = "generation"  # a unit is a variant written or a product tagged

GENERATION: Mapping[str, Permission] = {
    CONTENT: Permission.GENERATE_CONTENT,
    TITLE: Permission.GENERATE_TITLES,
    GOOGLE_FEED: Permission.GENERATE_FEEDS,
    TAGS: Permission.GENERATE_TAGS,
}

# The kind that makes one type alone, and so the right that type takes.
OF_TYPE: Mapping[str, str] = {
    ContentType.DESCRIPTION: CONTENT,
    ContentType.TITLE: TITLE,
    ContentType.GOOGLE_FEED: GOOGLE_FEED,
}
