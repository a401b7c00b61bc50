"""The admin as an app, with a site of our own. Apart from the site: apps are loaded before models."""

from django.contrib.admin.apps import AdminConfig


class AgencyAdminConfig(AdminConfig):
    default_site = "ajansops.admin_site.AgencyAdminSite"
