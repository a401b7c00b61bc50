"""Endpoints, deliveries and their signatures come here; nothing yet."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
