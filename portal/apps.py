"""Registers the portal, so that its management commands are found, and its admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    """The wiring: settings, URLs, the first start."""

    name = "portal"


class LarderAdminConfig(AdminConfig):
    """Registers the admin with our site in place of Django's."""

    default_site = "portal.admin_site.LarderAdminSite"
