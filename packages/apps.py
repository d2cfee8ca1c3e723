"""Registers the packages app."""

from django.apps import AppConfig


class PackagesConfig(AppConfig):
    """What is inside: projects, releases, distributions, blobs, metadata."""

    name = "packages"
    default_auto_field = "django.db.models.BigAutoField"
