"""Searches on the command line: a table for people, JSON for programs."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from accounts.models import User
from accounts.principal import Principal
from base.errors import LarderError
from packages.search.finding import search
from packages.search.hits import Found


class Command(BaseCommand):
    """`search --as ann 'pypi.name:acme-* and qa.approved:yes'`."""

    help = (
        "Search files by their properties and projects by words; docs/search.md has the language."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("query", help="for example 'pypi.version>=1.2 and qa.approved:yes'")
        parser.add_argument("--as", dest="username", help="as this user sees it; else all of it")
        parser.add_argument("--page", default="", help="the page that an answer named as its next")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *, query: str, username: str | None, page: str, **options: Any) -> None:
        """Print what the query finds."""
        # Whoever runs commands here may read the database.
        by = _user(username) if username else User(is_superuser=True)
        try:
            found = search(text=query, by=Principal(user=by), page=page)
        except LarderError as error:
            raise CommandError(error.sentence) from None
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found), cls=DjangoJSONEncoder, indent=2))
            return
        rows = _rows(found)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = zip(row, widths, strict=True)
            self.stdout.write("  ".join(f"{cell:{width}}" for cell, width in cells).rstrip())
        self.stdout.write(_summary(found))


def _rows(found: Found) -> Sequence[tuple[str, ...]]:
    """Return the hits as cells of text."""
    if found.is_of_projects:
        return [
            (each.through or each.repository, each.name, each.version, each.summary)
            for each in found.projects
        ]
    return [
        (each.through or each.repository, each.filename, each.version, each.state)
        for each in found.files
    ]


def _summary(found: Found) -> str:
    """Return the last line: how much there is, and how to see the rest of it."""
    what = "projects" if found.is_of_projects else "files"
    if found.is_similar:
        return "No project is called so. These names are like it."
    count = "" if found.count is None else f"{'more than ' * found.has_more}{found.count} {what}. "
    more = f"More with --page {found.next_page}" if found.next_page else ""
    return f"{count}{more}".strip()


def _user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username}.")
    return user
