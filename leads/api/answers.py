"""How a scrape stands: what the schema says of it."""

from typing import Any

from rest_framework import serializers

from ajansops.api.serializers import Moment
from jobs.api.answers import LastRunSerializer


class ScrapeStatusSerializer(serializers.Serializer[Any]):
    """Of a site, or of the workspace."""

    running = serializers.BooleanField()
    last_scraped_at = Moment(allow_null=True)
    total_leads = serializers.IntegerField()
    last_run = LastRunSerializer(allow_null=True)
