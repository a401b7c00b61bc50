"""Asks the system for a name's addresses."""

import socket
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Final

from ajansops.kit.net.addresses import Address, from_sockaddr

AT_ONCE: Final = 512  # twice what a dispatcher has in flight: a look-up may outlive the request that it was for
_places = BoundedSemaphore(AT_ONCE)


def look_up(host: str, port: int) -> Future[list[Address]]:
    """Its addresses, or an OSError. A name server that is silent takes half a minute, whoever waits may leave earlier.

    Each has a thread of its own, for which neither a loop that closes nor a process that ends waits.
    """
    found: Future[list[Address]] = Future()
    found.set_running_or_notify_cancel()  # whoever leaves does not cancel it for that
    if not _places.acquire(blocking=False):
        found.set_exception(socket.gaierror(socket.EAI_AGAIN, "Too many look-ups at a time"))
        return found
    try:
        Thread(target=_resolve, args=(found, host, port), name="resolve", daemon=True).start()
    except RuntimeError as error:  # the system has no thread left
        _places.release()
        found.set_exception(socket.gaierror(socket.EAI_AGAIN, str(error)))
    return found


def _resolve(found: Future[list[Address]], host: str, port: int) -> None:
    try:
        found.set_result([from_sockaddr(info[4]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
    except (OSError, ValueError) as error:
        found.set_exception(error)
    finally:
        _places.release()
