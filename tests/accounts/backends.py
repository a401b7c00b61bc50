"""Mail servers that are not well."""

from django.core.mail.backends.base import BaseEmailBackend


class Down(BaseEmailBackend):
    """Nobody answers."""

    def send_messages(self, email_messages):
        raise ConnectionRefusedError("connection refused")
