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
        parser.add_argument("--name", default="", help="as people call it")
        parser.add_argument(
            "--host-name", help="selects it for URLs that name no tenant, as Artifactory's"
        )

    def handle(self, *, slug: str, name: str, host_name: str | None, **_: object) -> None:
        """Make the tenant, or say what is wrong."""
        try:
            members.save_tenant(Tenant(slug=slug, name=name, host_name=host_name), by=SYSTEM)
        except ValidationError as error:
            raise CommandError(f"{slug}: {' '.join(error.messages)}") from error
        self.stdout.write(f"Made the tenant {slug}.")
