"""The dispatcher inside a Celery worker."""

from ajansops.kit.loops import LoopStep
from webhooks.dispatcher import Dispatcher


class DispatcherStep(LoopStep):
    """Beside the engine of jobs."""

    def make(self) -> Dispatcher:
        """A new one."""
        return Dispatcher()
