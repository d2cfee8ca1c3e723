"""Registers the accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who calls: tenants, users, teams, service accounts, tokens."""

    name = "accounts"
    verbose_name = "People and tokens"
    default_auto_field = "django.db.models.BigAutoField"
