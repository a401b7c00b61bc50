"""Claude as a local server, configured as the environment would."""

from dataclasses import replace

import pytest
from django.conf import settings as configured

from tests.ai.messages_server import MessagesServer


@pytest.fixture
def claude(settings):
    """Answers instead of Anthropic, for everything but test keys."""
    with MessagesServer() as server:
        settings.ENV = replace(configured.ENV, anthropic_api_key="sk-ant-test-1", anthropic_base_url=server.url)
        yield server


@pytest.fixture
def keyless(settings):
    """AI_PROVIDER=claude, and no key."""
    settings.ENV = replace(configured.ENV, ai_provider="claude", anthropic_api_key="")
