"""Makes a token from the command line and prints its secret, once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from base import clock
from base.audit import SYSTEM
from repos import configure
from repos.management.commands._parsing import (
    ROLES,
    member_named,
    repository_named,
    tenant_named,
)


class Command(BaseCommand):
    """`create_token ann --tenant main --name laptop --role writer`."""

    help = "Make a token for a member or service account. Only the secret goes to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("owner", help="a member, or a service account as tenant/name")
        parser.add_argument("--tenant", required=True)
        parser.add_argument("--name", default="command line", help="what it is for")
        parser.add_argument("--role", choices=list(ROLES), default="writer", help="at most")
        parser.add_argument("--repository", action="append", default=[], help="only there")
        parser.add_argument("--project", action="append", default=[], help="only these, as acme-*")
        parser.add_argument("--days", type=int, help="how long it works; for ever unless given")

    def handle(self, *, owner: str, tenant: str, **options: Any) -> None:
        """Make the token and print it."""
        membership = member_named(owner, tenant_named(tenant))
        repositories = [repository_named(name) for name in options["repository"]]
        days = options["days"]
        if days is not None and days < 1:
            raise CommandError("--days takes a whole number from 1.")
        try:
            _, secret = configure.create_token(
                membership=membership,
                name=options["name"],
                by=SYSTEM,
                role=ROLES[options["role"]],
                repositories=repositories or None,
                project_patterns=tuple(options["project"]),
                expires_at=clock.now() + timedelta(days=days) if days else None,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(secret)
