"""Django, loaded once: the processes that `tests.chaos.webhooks` kills are forked from one that has imported this."""

import django

django.setup()

import webhooks.dispatcher  # noqa: E402, F401  # so that it is loaded too
