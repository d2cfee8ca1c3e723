"""Gives a user a new password from the command line: the way back in when one is lost."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from accounts import members
from accounts.models import User
from base.audit import SYSTEM


class Command(BaseCommand):
    """`set_password admin`."""

    help = "Give a user a new, generated password, printed once. Sessions of the old one end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")

    def handle(self, *, username: str, **_: object) -> None:
        """Set the password and print it."""
        user = User.objects.filter(username=username, service_of__isnull=True).first()
        if user is None:
            raise CommandError(f"There is no user {username} who signs in with a password.")
        password = secrets.token_urlsafe(12)
        members.save_user(user, by=SYSTEM, password=password)
        self.stdout.write(password)
