import asyncio
import subprocess
import sys

import pytest

from ajansops.ai.registry import ProviderConfig, provider
from ajansops.kit.errors import DomainError, Kind

KEY = "sk-ant-test-9f2c"


@pytest.mark.parametrize(
    ("config", "test_mode", "name"),
    [
        (ProviderConfig(), False, "mock"),
        (ProviderConfig(anthropic_api_key=KEY), False, "claude"),
        (ProviderConfig(mode="claude", anthropic_api_key=KEY), False, "claude"),
        (ProviderConfig(mode="offline", anthropic_api_key=KEY), False, "mock"),
        (ProviderConfig(anthropic_api_key=KEY), True, "mock"),
        (ProviderConfig(mode="ollama"), True, "mock"),
    ],
)
def test_the_mode_and_the_key_decide(config, test_mode, name):
    chosen = provider(config, test_mode=test_mode)
    assert chosen.name == name
    asyncio.run(chosen.aclose())


@pytest.mark.parametrize(
    ("mode", "code"),
    [("ollama", "ollama_not_configured"), ("claude", "claude_not_configured"), ("gpt", "ai_provider_unknown")],
)
def test_what_is_not_configured_says_so(mode, code):
    with pytest.raises(DomainError) as error:
        provider(ProviderConfig(mode=mode))
    assert error.value.code == code
    assert error.value.kind is Kind.NOT_CONFIGURED


def test_every_call_gives_a_provider_of_its_own():
    assert provider(ProviderConfig()) is not provider(ProviderConfig())


def test_the_configuration_does_not_print_the_key():
    assert KEY not in repr(ProviderConfig(anthropic_api_key=KEY))


def test_importing_the_registry_imports_no_sdk_and_no_pillow():
    code = "import sys, ajansops.ai.registry; print({'anthropic', 'PIL', 'nh3', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"
