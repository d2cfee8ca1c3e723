"""Stands in the place of Django's command, which would make a user past the audit."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Refuses and says what does the same."""

    help = "Not used: `create_user NAME --superuser` makes a superuser, and the audit says so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whatever Django's command takes, so that the refusal is what one reads."""
        parser.add_argument("--username", default="NAME")
        parser.add_argument("--noinput", action="store_true")

    def handle(self, *, username: str, **_: object) -> None:
        """Refuse."""
        raise CommandError(
            f"Use `manage.py create_user {username} --superuser`: it is audited, and prints a "
            "generated password."
        )
