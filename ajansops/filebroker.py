"""The embedded broker: kombu's folder of files, with messages that appear whole.

kombu makes the file first and fills it after; a worker that looks in between reads nothing and dies of it.
"""

import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Writes beside the queue's names, then renames."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as kombu overrides it
        folder = Path(self.data_folder_out)
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}"
        draft = folder / f".{name}"
        try:
            draft.write_text(dumps(payload))
            draft.rename(folder / f"{name}.{queue}.msg")
        except OSError as error:
            raise ChannelError(f"Cannot add a message to {folder}: {error}") from error


class Transport(filesystem.Transport):
    """Known to kombu as `files://`."""

    Channel = Channel
