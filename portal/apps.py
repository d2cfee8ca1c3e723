"""Registers the portal, so that its management commands are found."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The wiring: settings, URLs, the first start."""

    name = "portal"
