"""Gives a role on a repository from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from base.audit import SYSTEM
from repos import configure
from repos.management.commands._parsing import ROLES, member_named, repository_named, team_named
from repos.models import Grant


class Command(BaseCommand):
    """`grant main/team-a --team data --role writer`."""

    help = "Give a role on a repository to a user, a team, or a wider circle."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("repository", help="tenant/key, for example main/team-a")
        parser.add_argument("--role", choices=list(ROLES), default="reader")
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--user", help="a member of the tenant, or a service account")
        whom.add_argument("--team", help="a team of the tenant")
        whom.add_argument("--members", action="store_true", help="all members of the tenant")
        whom.add_argument("--signed-in", action="store_true", help="all signed-in users")
        whom.add_argument("--anyone", action="store_true", help="anyone, signed in or not")

    def handle(self, *, repository: str, role: str, **options: Any) -> None:
        """Give the role, or change the one that the same subject has."""
        row = repository_named(repository)
        wanted = Grant(repository=row, subject=Grant.Subject.ANYONE)
        if options["user"]:
            wanted.subject = Grant.Subject.USER
            wanted.membership = member_named(options["user"], row.tenant)
        elif options["team"]:
            wanted.subject = Grant.Subject.TEAM
            wanted.team = team_named(options["team"], row.tenant)
        elif options["members"]:
            wanted.subject = Grant.Subject.MEMBERS
        elif options["signed_in"]:
            wanted.subject = Grant.Subject.SIGNED_IN
        given = Grant.objects.filter(
            repository=row, subject=wanted.subject, membership=wanted.membership, team=wanted.team
        ).first()
        grant = given or wanted
        grant.role = ROLES[role]
        try:
            configure.save_grant(grant, by=SYSTEM)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Gave {grant}.")
