"""Filters of the mails and pages about payments."""

from django import template

from billing.labels import feature_name, money, plan_name

register = template.Library()
register.filter("money", money)
register.filter("plan_name", plan_name)
register.filter("feature_name", feature_name)
