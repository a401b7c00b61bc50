"""Filters of the account pages."""

from django import template

from accounts.devices import device_name
from accounts.labels import role_label

register = template.Library()
register.filter("device", device_name)
register.filter("role", role_label)
