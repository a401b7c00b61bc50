"""The AI provider of a runner, made in the engine's loop when it is first needed."""

from dataclasses import asdict
from typing import Any

from django.conf import settings

from ajansops.ai.contract import Provider, Usage
from ajansops.ai.registry import ProviderConfig, provider
from ajansops.kit.errors import DomainError, Kind
from ajansops.kit.runners import ItemFailed

JSON = dict[str, Any]


class Providers:
    """One for the real thing and one for test keys."""

    def __init__(self) -> None:
        self._open: dict[bool, Provider] = {}

    def get(self, *, test_mode: bool) -> Provider:
        """Raises `ItemFailed` when it is not configured: trying again would not help."""
        if test_mode not in self._open:
            try:
                self._open[test_mode] = provider(_config(), test_mode=test_mode)
            except DomainError as error:
                if error.kind is Kind.NOT_CONFIGURED:
                    raise ItemFailed(error.message) from error
                raise
        return self._open[test_mode]

    async def aclose(self) -> None:
        """The next engine makes its own: a provider belongs to one loop."""
        while self._open:
            _, closing = self._open.popitem()
            await closing.aclose()


def _config() -> ProviderConfig:
    env = settings.ENV
    return ProviderConfig(
        mode=env.ai_provider,
        anthropic_api_key=env.anthropic_api_key,
        anthropic_base_url=env.anthropic_base_url,
        claude_model=env.claude_model,
        ollama_url=env.ollama_url,
    )


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
