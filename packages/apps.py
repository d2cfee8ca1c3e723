"""Registers the packages app."""

from django.apps import AppConfig


class PackagesConfig(AppConfig):
    """What is inside: projects, releases, distributions, blobs, metadata."""

    name = "packages"
    verbose_name = "Contents"
    default_auto_field = "django.db.models.BigAutoField"
