"""Registers the base app."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    """What stands under every app."""

    name = "base"
    label = "base"
    default_auto_field = "django.db.models.BigAutoField"
