"""What a provider used, as runners keep it."""

from dataclasses import asdict
from typing import Any

from ajansops.ai.contract import Usage

JSON = dict[str, Any]


def usage_json(usage: Usage) -> JSON:
    """As kept on variants and items; the cost in USD as text, so that no digit is lost."""
    return asdict(usage) | {"cost_usd": str(usage.cost_usd)}


def summed(one: Usage, two: Usage) -> Usage:
    """Two calls for one text."""
    return Usage(
        model=two.model,
        input_tokens=one.input_tokens + two.input_tokens,
        cached_tokens=one.cached_tokens + two.cached_tokens,
        output_tokens=one.output_tokens + two.output_tokens,
        cost_usd=one.cost_usd + two.cost_usd,
    )
