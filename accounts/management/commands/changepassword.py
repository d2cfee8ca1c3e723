"""Stands in the place of Django's command, which would set a password past the audit."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Refuses and says what does the same."""

    help = "Not used: `set_password NAME` sets a generated password, and the audit says so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what Django's command takes."""
        parser.add_argument("username", nargs="?", default="NAME")

    def handle(self, *, username: str, **_: object) -> None:
        """Refuse."""
        raise CommandError(
            f"Use `manage.py set_password {username}`: it is audited, and prints a generated "
            "password."
        )
