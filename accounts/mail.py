"""Mail about accounts, in the reader's language. What a test key causes stays in the house."""

from collections.abc import Mapping
from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.translation import override

FILES = "django.core.mail.backends.filebased.EmailBackend"
log = structlog.get_logger(__name__)


def tell(
    name: str,
    to: str,
    language: str,
    context: Mapping[str, Any],
    *,
    app: str = "accounts",
    message_id: str = "",
    test_mode: bool = False,
) -> bool:
    """Send `<app>/email/<name>_{subject,message}.txt` and its HTML. False, and a line in the log, when it failed.

    Call it outside transactions: a mail server may take its time. By a `message_id` of one's own the reader's program
    knows a mail that comes twice.
    """
    with override(language):
        subject, text, html = (
            render_to_string(f"{app}/email/{name}_{part}", dict(context))
            for part in ("subject.txt", "message.txt", "message.html")
        )
    connection = get_connection(FILES, file_path=settings.EMAIL_FILES) if test_mode else None
    headers = {"Message-ID": message_id} if message_id else None
    mail = EmailMultiAlternatives(" ".join(subject.split()), text, to=[to], connection=connection, headers=headers)
    mail.attach_alternative(html, "text/html")
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        log.warning("mail_not_sent", mail=name, error=str(error))
        return False
    return True
