"""What plans limit, in words for people, and what each plan allows: declared once, edited in the admin.

`sync_plans` writes this table to the database. A limit that an operator has edited there stays.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_noop

from ajansops.kit.entitlements import METERS, Feature

MIB = 2**20
GIB = 2**30

NAMES: Mapping[Feature, str] = {
    Feature.SITES: gettext_noop("Site"),
    Feature.POSTS: gettext_noop("Post"),
    Feature.PRODUCTS: gettext_noop("Product"),
    Feature.MEMBERS: gettext_noop("Member"),
    Feature.API_KEYS: gettext_noop("API key"),
    Feature.WEBHOOKS: gettext_noop("Webhook"),
    Feature.AGENTS: gettext_noop("Agent"),
    Feature.STORAGE: gettext_noop("Storage"),
    Feature.LEAD_SCRAPES: gettext_noop("Lead"),
    Feature.SEO_SCRAPES: gettext_noop("SEO run"),
    Feature.EMAILS: gettext_noop("E-mail"),
    Feature.AUDITS: gettext_noop("Audit"),
    Feature.GENERATIONS: gettext_noop("Generation"),
    Feature.API_CALLS: gettext_noop("API call"),
    Feature.PIXEL_EVENTS: gettext_noop("Pixel event"),
    Feature.MCP_CALLS: gettext_noop("MCP call"),
    Feature.PRIORITY_SUPPORT: gettext_noop("Priority support"),
}

FEATURE_CHOICES = [(feature.value, name) for feature, name in NAMES.items()]
METER_CHOICES = [(feature.value, NAMES[feature]) for feature in sorted(METERS)]

# Columns: the plans; done has what agency has, and enterprise has no limits. Meters are for a month.
LADDER = ("free", "starter", "growth", "agency")
TABLE: Mapping[Feature, tuple[int, int, int, int]] = {
    Feature.SITES: (3, 10, 50, 500),
    Feature.POSTS: (100, 300, 1_000, 10_000),
    Feature.PRODUCTS: (100, 1_000, 10_000, 100_000),
    Feature.MEMBERS: (2, 5, 20, 100),
    Feature.API_KEYS: (2, 5, 20, 100),
    Feature.WEBHOOKS: (2, 5, 20, 100),
    Feature.AGENTS: (1, 3, 10, 50),
    Feature.STORAGE: (100 * MIB, GIB, 5 * GIB, 50 * GIB),
    Feature.LEAD_SCRAPES: (100, 1_000, 10_000, 100_000),
    Feature.SEO_SCRAPES: (5, 50, 500, 5_000),
    Feature.EMAILS: (100, 1_000, 10_000, 100_000),
    Feature.AUDITS: (5, 50, 500, 5_000),
    Feature.GENERATIONS: (300, 3_000, 30_000, 300_000),
    Feature.API_CALLS: (10_000, 100_000, 1_000_000, 10_000_000),
    Feature.PIXEL_EVENTS: (10_000, 100_000, 1_000_000, 10_000_000),
    Feature.MCP_CALLS: (100, 1_000, 10_000, 100_000),
    Feature.PRIORITY_SUPPORT: (0, 0, 0, 1),
}

# By plan. None is no limit; of a switch 0 is off.
LIMITS: Mapping[str, Mapping[Feature, int | None]] = {
    **{plan: {feature: row[step] for feature, row in TABLE.items()} for step, plan in enumerate(LADDER)},
    "done": {feature: row[LADDER.index("agency")] for feature, row in TABLE.items()},
    "enterprise": dict.fromkeys(Feature),
}
