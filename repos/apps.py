"""Registers the repos app."""

from django.apps import AppConfig


class ReposConfig(AppConfig):
    """What exists and who may: repositories, upstreams, members, grants."""

    name = "repos"
    verbose_name = "Repositories and grants"
    default_auto_field = "django.db.models.BigAutoField"
