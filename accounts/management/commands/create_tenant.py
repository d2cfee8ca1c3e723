"""Makes a tenant from the command line."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import members
from accounts.models import Tenant
from base.audit import SYSTEM


class Command(BaseCommand):
    """`create_tenant acme --name "Acme Ltd"`."""

    help = "Make a tenant."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="the first part of its URLs")
        parser.add_argument("--name", default="")

    def handle(self, *, slug: str, name: str, **_: object) -> None:
        """Make the tenant, or say what is wrong."""
        try:
            members.save_tenant(Tenant(slug=slug, name=name), by=SYSTEM)
        except ValidationError as error:
            raise CommandError(f"{slug}: {' '.join(error.messages)}") from error
        self.stdout.write(f"Made the tenant {slug}.")
