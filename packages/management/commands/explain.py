"""Says on the command line why a repository shows these files of a project, and not others."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.principal import Principal
from packages.explain import explain
from packages.filenames import NameRefused, parse_name
from repos.management.commands._parsing import repository_named
from repos.models import Kind


class Command(BaseCommand):
    """`explain main/pypi-virtual requests --as ann`."""

    help = "List what a repository shows and hides of a project, and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="tenant/key, for example main/pypi-virtual")
        parser.add_argument("project")
        parser.add_argument("--as", dest="username", help="as this user sees it; else all of it")

    def handle(self, *, name: str, project: str, username: str | None, **_options: Any) -> None:
        """Print one line for each file, and for each source that has none to show."""
        repository = repository_named(name)
        try:
            normalized = parse_name(project)
        except NameRefused as error:
            raise CommandError(error.sentence) from None
        # Whoever runs commands here may read the database.
        by = _user(username) if username else User(is_superuser=True)
        lines = explain(repository, normalized, Principal(user=by))
        if not lines:
            members = "No member of " if repository.kind == Kind.VIRTUAL else "No file in "
            says = "has files of" if repository.kind == Kind.VIRTUAL else "is of"
            self.stdout.write(f"{members}{repository} {says} {normalized}.")
        rows = [
            (
                line.file.filename if line.file else "-",
                line.source or "a member",
                ("shown" if line.cause is None else f"hidden: {line.why}")
                + (f"; attested by {line.attested_by}" if line.attested_by else ""),
            )
            for line in lines
        ]
        names, sources = (max((len(row[at]) for row in rows), default=0) for at in (0, 1))
        for name_of_file, source, state in rows:
            self.stdout.write(f"{name_of_file:{names}}  {source:{sources}}  {state}")


def _user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username}.")
    return user
