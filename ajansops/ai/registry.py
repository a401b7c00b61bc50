"""Which provider answers. Provider modules are imported when first asked for: web workers boot without them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module

from django.conf import settings

from ajansops.ai.contract import Provider
from ajansops.kit.errors import DomainError, Kind


class Mode(StrEnum):
    """`AI_PROVIDER`."""

    AUTO = "auto"
    CLAUDE = "claude"
    OLLAMA = "ollama"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """Empty means not set. `claude_models` overrides the model by task: title, description, google_feed, tags."""

    mode: str = Mode.AUTO
    anthropic_api_key: str = field(default="", repr=False)
    anthropic_base_url: str = ""
    claude_model: str = "claude-sonnet-4-6"
    claude_models: Mapping[str, str] = field(default_factory=dict)
    ollama_url: str = ""


class ClaudeNotConfigured(DomainError):
    """Claude is chosen as AI provider, but ANTHROPIC_API_KEY is not set."""

    code = "claude_not_configured"
    kind = Kind.NOT_CONFIGURED


class OllamaNotConfigured(DomainError):
    """Ollama is not available as AI provider yet."""

    code = "ollama_not_configured"
    kind = Kind.NOT_CONFIGURED


class UnknownProvider(DomainError):
    """AI_PROVIDER must be auto, claude, ollama or offline."""

    code = "ai_provider_unknown"
    kind = Kind.NOT_CONFIGURED


def provider(config: ProviderConfig, *, test_mode: bool = False) -> Provider:
    """A new provider, for the event loop that will use it; the caller closes it. `test_mode` spends nobody's money."""
    if require_configured(config, test_mode=test_mode) is Mode.CLAUDE:
        return _claude(config)
    offline: Provider = import_module("ajansops.ai.offline.provider").Offline()
    return offline


def require_configured(config: ProviderConfig, *, test_mode: bool = False) -> Mode:
    """Which one it will be, before anything is started. Raises one of the errors above."""
    mode = Mode.OFFLINE if test_mode else _mode(config)
    if mode is Mode.CLAUDE and not config.anthropic_api_key:
        raise ClaudeNotConfigured
    if mode is Mode.OLLAMA:
        raise OllamaNotConfigured
    return mode


def configured() -> ProviderConfig:
    """As the environment says."""
    env = settings.ENV
    return ProviderConfig(
        mode=env.ai_provider,
        anthropic_api_key=env.anthropic_api_key,
        anthropic_base_url=env.anthropic_base_url,
        claude_model=env.claude_model,
        ollama_url=env.ollama_url,
    )


def _mode(config: ProviderConfig) -> Mode:
    try:
        mode = Mode(config.mode)
    except ValueError:
        raise UnknownProvider from None
    if mode is Mode.AUTO:
        return Mode.CLAUDE if config.anthropic_api_key else Mode.OFFLINE
    return mode


def _claude(config: ProviderConfig) -> Provider:
    claude: Provider = import_module("ajansops.ai.claude").Claude(
        api_key=config.anthropic_api_key,
        base_url=config.anthropic_base_url or None,
        model=config.claude_model,
        models=config.claude_models,
    )
    return claude
