"""The shapes of the studio's and the app's answers, as their references document them: what the schema says of them."""

from typing import Any

from rest_framework import serializers

from ajansops.api.serializers import Moment
from content.models import VariantStatus
from jobs.models import JobStatus


def _texts() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField())


class StudioProductSerializer(serializers.Serializer[Any]):
    """A product."""

    id, sku_id, title, description, primary_picture = (serializers.CharField() for _ in range(5))
    categories, pictures, tags, suggested_tags = (_texts() for _ in range(4))
    workspace_id = serializers.IntegerField()
    created_at, updated_at = Moment(), Moment()
    deleted, has_suggested_tags, ready_for_tagging = (serializers.BooleanField() for _ in range(3))


class InventoryMetadataSerializer(serializers.Serializer[Any]):
    """About the answer."""

    processing_time_ms, workspace_id, total_products = (serializers.IntegerField() for _ in range(3))
    data_optimized = serializers.BooleanField()


class InventorySerializer(serializers.Serializer[Any]):
    """Products."""

    products = StudioProductSerializer(many=True)
    total_count = serializers.IntegerField()
    _metadata = InventoryMetadataSerializer()


class StudioVariantSerializer(serializers.Serializer[Any]):
    """A text for one persona, audience and day; zero is none."""

    uid = serializers.UUIDField()
    workspacePersonaId, specialDayId, baseAudienceId = (serializers.IntegerField() for _ in range(3))  # noqa: N815
    body, language, personaName, specialDayName, audienceName = (serializers.CharField() for _ in range(5))  # noqa: N815
    status = serializers.ChoiceField(VariantStatus.choices)
    createdAt, updatedAt = Moment(), Moment()  # noqa: N815


class DescriptionVariantSerializer(StudioVariantSerializer):
    """A description."""

    productDescriptionId = serializers.IntegerField()  # noqa: N815


class TitleVariantSerializer(StudioVariantSerializer):
    """A title."""

    productTitleId = serializers.IntegerField()  # noqa: N815


class FeedVariantSerializer(StudioVariantSerializer):
    """A text for Google's feed."""

    productGoogleFeedId = serializers.IntegerField()  # noqa: N815


class VariantsSerializer(serializers.Serializer[Any]):
    """All texts of one product."""

    success = serializers.BooleanField()
    message, productName = serializers.CharField(), serializers.CharField()  # noqa: N815
    inventoryProductId = serializers.IntegerField()  # noqa: N815
    tags = _texts()
    descriptionVariants = DescriptionVariantSerializer(many=True)  # noqa: N815
    titleVariants = TitleVariantSerializer(many=True)  # noqa: N815
    googleFeedVariants = FeedVariantSerializer(many=True)  # noqa: N815
    retrievedAt = Moment()  # noqa: N815


class WindowSerializer(serializers.Serializer[Any]):
    """What is left of the hour and the day."""

    hourly_remaining, daily_remaining = serializers.IntegerField(), serializers.IntegerField()
    next_reset_at = Moment()


class EstimateSerializer(serializers.Serializer[Any]):
    """How much there will be."""

    total_variants_to_generate, rate_limit_requests_needed = serializers.IntegerField(), serializers.IntegerField()
    segments_count, interests_count = serializers.IntegerField(), serializers.IntegerField()


class ProcessingSerializer(serializers.Serializer[Any]):
    """How it will be worked on."""

    mode = serializers.CharField()
    batch_size = serializers.IntegerField(required=False)
    estimated_batches = serializers.IntegerField()


class NoticeSerializer(serializers.Serializer[Any]):
    """Something to know."""

    type, message = serializers.CharField(), serializers.CharField()


class QueuedSerializer(serializers.Serializer[Any]):
    """A job that was made."""

    job_id, processing_mode, status_url = (serializers.CharField() for _ in range(3))
    status = serializers.ChoiceField(JobStatus.choices)
    estimated_completion = Moment()
    products_found, products_queued = serializers.IntegerField(), serializers.IntegerField()
    rate_limit_info = WindowSerializer()
    rate_limit_estimate = EstimateSerializer()


class ContentQueuedSerializer(QueuedSerializer):
    """A job for texts."""

    processing_config = ProcessingSerializer()


class TagsQueuedSerializer(ContentQueuedSerializer):
    """A job for tags."""

    products_without_images = serializers.IntegerField()
    results = serializers.ListField()
    messages = NoticeSerializer(many=True)


class NothingQueuedSerializer(serializers.Serializer[Any]):
    """There was nothing to do."""

    job_id, processing_mode = serializers.CharField(), serializers.CharField()
    products_found, products_queued, products_without_images = (serializers.IntegerField() for _ in range(3))
    results = serializers.ListField()
    rate_limit_info = WindowSerializer()
    processing_config = ProcessingSerializer()
    messages = NoticeSerializer(many=True)


class StatusProgressSerializer(serializers.Serializer[Any]):
    """In products."""

    total_products, processed_products, success_products = (serializers.IntegerField() for _ in range(3))
    failed_products, percentage = serializers.IntegerField(), serializers.IntegerField()


class TimingSerializer(serializers.Serializer[Any]):
    """Of a job."""

    created_at = Moment()
    started_at, completed_at = Moment(allow_null=True), Moment(allow_null=True)
    resumes_at = Moment(required=False)


class ConfigurationSerializer(serializers.Serializer[Any]):
    """Of a job."""

    processing_mode = serializers.CharField()
    batch_size, retry_limit = serializers.IntegerField(), serializers.IntegerField()
    webhook_configured = serializers.BooleanField()


class JobStatusSerializer(serializers.Serializer[Any]):
    """How far a job is."""

    job_id, job_type, processing_mode, brand_id = (serializers.CharField() for _ in range(4))
    status = serializers.ChoiceField(JobStatus.choices)
    workspace_id = serializers.IntegerField()
    progress = StatusProgressSerializer()
    timing = TimingSerializer()
    configuration = ConfigurationSerializer()
    error = serializers.DictField(required=False)


class BulkResultSerializer(serializers.Serializer[Any]):
    """What became of one post. Ids that are none come back as they were sent."""

    siteId, postId = serializers.JSONField(), serializers.JSONField()  # noqa: N815
    success = serializers.BooleanField()
    error = serializers.CharField(required=False)


class BulkSerializer(serializers.Serializer[Any]):
    """Of each."""

    results = BulkResultSerializer(many=True)
