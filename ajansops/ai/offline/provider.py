"""The provider that needs no key and no network: it says only what it was given."""

import asyncio

from ajansops.ai.contract import (
    Audited,
    AuditTask,
    ChatTask,
    ContentType,
    ProviderFailed,
    Tagged,
    TagTask,
    Usage,
    WriteTask,
    Written,
)
from ajansops.ai.offline import audits, chats, descriptions, feeds, pictures, tags, titles

_COMPOSE = {
    ContentType.TITLE: titles.compose,
    ContentType.DESCRIPTION: descriptions.compose,
    ContentType.GOOGLE_FEED: feeds.compose,
}
_USAGE = Usage(model="offline")


class Offline:
    """The same task gives the same text on every machine."""

    name = "mock"

    async def write(self, task: WriteTask) -> Written:
        """Raises `ProviderFailed` when nothing may be said: no facts, all of them banned, or no room."""
        text = _COMPOSE[task.content_type](task)
        if not text:
            raise ProviderFailed("The product has no facts that may be written within the limits.")
        return Written(text, _USAGE)

    async def tag(self, task: TagTask) -> Tagged:
        """Raises `BadPicture` when there is an image that cannot be read."""
        look = await asyncio.to_thread(pictures.look, task.image) if task.image else None
        return Tagged(tags.compose(task, look), _USAGE)

    async def audit(self, task: AuditTask) -> Audited:
        """By statistics; never fails."""
        return audits.compose(task, _USAGE)

    def chat(self, task: ChatTask) -> chats.OfflineAnswer:
        """From the evidence; never fails."""
        return chats.OfflineAnswer(chats.compose(task), _USAGE)

    async def aclose(self) -> None:
        """Nothing is open."""
