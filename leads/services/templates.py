"""Writes of mail templates; what one must be its model says."""

from ajansops.kit.permissions import Permission
from ajansops.kit.writer import Writer
from leads.models import EmailTemplate

TEMPLATES = Writer(
    EmailTemplate,
    "email_template",
    Permission.ADD_EMAIL_TEMPLATE,
    Permission.CHANGE_EMAIL_TEMPLATE,
    Permission.DELETE_EMAIL_TEMPLATE,
)
