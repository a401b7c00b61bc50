"""The dispatcher inside a Celery worker."""

import gc

from ajansops.kit.loops import LoopStep
from webhooks.dispatcher import Dispatcher


class DispatcherStep(LoopStep):
    """Beside the engine of jobs."""

    def make(self) -> Dispatcher:
        """A new one, in a process that is to do the same for days."""
        settle()
        return Dispatcher()


def settle() -> None:
    """Spare the collector what is loaded by now, and let it look at more new objects at a time: few of those that a
    delivery makes outlive it, and walking through them all took a sixth of the dispatcher's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
