"""Django, loaded once: the processes that are killed are forked from one that has imported this."""

import django

django.setup()

from tests.chaos.webhooks import processes  # noqa: E402, F401  # so that it is loaded too
