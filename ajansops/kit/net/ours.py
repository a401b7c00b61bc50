"""The client as this installation opens it."""

from django.conf import settings

from ajansops.kit.net.client import CONNECTIONS, Client
from ajansops.version import VERSION


def open_client(*, connections: int = CONNECTIONS) -> Client:
    """Under the platform's name, with the networks that the operator opened. Call it in the loop that will use it."""
    env = settings.ENV
    user_agent = f"AjansOpsBot/{VERSION} (+{env.public_url}/bot)"
    return Client(allow_private=env.net_allow_private, user_agent=user_agent, connections=connections)
