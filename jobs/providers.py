"""The AI provider of a runner, made in the engine's loop when it is first needed."""

from ajansops.ai.contract import Provider
from ajansops.ai.registry import Mode, configured, provider, require_configured
from ajansops.kit.errors import DomainError, Kind
from ajansops.kit.runners import ItemFailed


def paid_provider(*, test_mode: bool) -> str:
    """The name of the one that is configured; empty when nobody is paid, and when work would fail for want of one."""
    try:
        mode = require_configured(configured(), test_mode=test_mode)
    except DomainError:
        return ""
    return "" if mode is Mode.OFFLINE else mode.value


class Providers:
    """One for the real thing and one for test keys."""

    def __init__(self) -> None:
        self._open: dict[bool, Provider] = {}

    def get(self, *, test_mode: bool) -> Provider:
        """Raises `ItemFailed` when it is not configured: trying again would not help."""
        if test_mode not in self._open:
            try:
                self._open[test_mode] = provider(configured(), test_mode=test_mode)
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
