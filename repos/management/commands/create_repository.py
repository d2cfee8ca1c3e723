"""Makes a repository from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from base.audit import SYSTEM
from repos import configure
from repos.management.commands._parsing import repository_named, split_name, tenant_named
from repos.models import Kind, Repository, Upstream


class Command(BaseCommand):
    """`create_repository main/team-a --kind local --description "..."`."""

    help = "Make a repository."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="tenant/key, for example main/team-a")
        parser.add_argument("--kind", choices=Kind.values, default=Kind.LOCAL)
        parser.add_argument("--description", default="")
        parser.add_argument("--upstream", help="the index URL of a remote")
        parser.add_argument("--member", action="append", default=[], help="of a virtual, in order")
        parser.add_argument(
            "--no-grants", action="store_true", help="do not let all members of the tenant read it"
        )

    def handle(self, *, name: str, kind: str, description: str, **options: Any) -> None:
        """Make the repository, or say what is wrong."""
        slug, key = split_name(name)
        repository = Repository(
            tenant=tenant_named(slug), key=key, kind=kind, description=description
        )
        members = [repository_named(member) for member in options["member"]]
        try:
            with transaction.atomic():
                configure.create_repository(
                    repository, by=SYSTEM, members_read=not options["no_grants"]
                )
                if options["upstream"]:
                    upstream = Upstream(repository=repository, index_url=options["upstream"])
                    configure.save_upstream(upstream, by=SYSTEM)
                if members:
                    configure.set_members(repository, members, by=SYSTEM)
        except ValidationError as error:
            raise CommandError(f"{name}: {' '.join(error.messages)}") from error
        readers = "only admins may use it until you grant a role"
        if not options["no_grants"]:
            readers = f"all members of {slug} may read it (--no-grants would not let them)"
        self.stdout.write(f"Made {repository} ({kind}); {readers}.")
