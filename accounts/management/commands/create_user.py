"""Makes a user, or a service account, from the command line."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import members
from accounts.models import Membership, Team, Tenant, User
from base.audit import SYSTEM


class Command(BaseCommand):
    """`create_user ann --tenant main --team data`, or `create_user main/ci --service`."""

    help = "Make a user with a generated password, printed once; or a service account without one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("--tenant", help="make the user a member of it")
        parser.add_argument("--tenant-admin", action="store_true")
        parser.add_argument("--team", action="append", default=[], help="made when it is missing")
        parser.add_argument("--superuser", action="store_true", help="administers everything")
        parser.add_argument("--service", action="store_true", help="tenant/name, for CI")

    def handle(self, *, username: str, **options: object) -> None:
        """Make the user, or say what is wrong."""
        password = None if options["service"] else secrets.token_urlsafe(12)
        hashed = password and members.hash_password(password)
        try:
            with transaction.atomic():
                self._make(username, options, hashed)
        except ValidationError as error:
            raise CommandError(f"{username}: {' '.join(error.messages)}") from error
        if password is None:
            self.stdout.write(f"Made {username}.")
            return
        what = "an administrator" if options["tenant_admin"] else "a member"
        place = f"{what} of {options['tenant']}" if options["tenant"] else "in no tenant yet"
        # Beside the password, so that a script gets it alone.
        self.stderr.write(f"Made {username}, {place}. The password, shown this once:")
        self.stdout.write(password)

    def _make(self, username: str, options: dict[str, object], hashed: str | None) -> None:
        """Make the user; a service account has no password."""
        slug = username.partition("/")[0] if options["service"] else options["tenant"]
        tenant = Tenant.objects.filter(slug=slug).first() if slug else None
        if slug and tenant is None:
            raise CommandError(f"There is no tenant {slug}.")
        if options["service"]:
            if tenant is None or "/" not in username:
                raise CommandError("A service account is called tenant/name.")
            if options["superuser"]:
                raise CommandError("A service account cannot be a superuser.")
            members.service_account(tenant=tenant, name=username.partition("/")[2], by=SYSTEM)
            return
        user = User(username=username, is_superuser=bool(options["superuser"]))
        members.save_user(user, by=SYSTEM, hashed=hashed)
        if tenant is not None:
            self._join(user, tenant, options)

    def _join(self, user: User, tenant: Tenant, options: dict[str, object]) -> None:
        kind = Membership.Kind.ADMIN if options["tenant_admin"] else Membership.Kind.MEMBER
        membership = Membership(tenant=tenant, user=user, kind=kind)
        members.save_membership(membership, by=SYSTEM)
        for name in options["team"] if isinstance(options["team"], list) else []:
            team = Team.objects.filter(tenant=tenant, name=name).first()
            if team is None:
                self.stderr.write(f"Making the team {name}.")
                team = Team(tenant=tenant, name=name)
            already = list(team.members.all()) if team.pk else []
            members.save_team(team, by=SYSTEM, members=[*already, membership])
