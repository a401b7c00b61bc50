"""Subscriptions in the admin."""

from django.contrib import admin

from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin
from billing.models import Subscription


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("workspace", "plan", "updated_at")
    list_filter = ("plan", BY_WORKSPACE)
    list_select_related = ("workspace",)
    fields = ("workspace", "plan", "customer", "created_at", "updated_at")
