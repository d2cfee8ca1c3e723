"""Registers the base app."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    """What stands under every app."""

    name = "base"
    verbose_name = "Audit"
    default_auto_field = "django.db.models.BigAutoField"
