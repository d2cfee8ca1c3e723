"""Takes properties of a file away from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from base.audit import SYSTEM
from base.errors import LarderError
from packages.describe import remove_by_person
from packages.management.commands._files import file_named


class Command(BaseCommand):
    """`remove_property main/pypi-local frog-1.0-py3-none-any.whl qa.approved`."""

    help = "Take properties away that people gave a file, each with all of its values."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("repository", help="tenant/key, for example main/pypi-local")
        parser.add_argument("file", help="its path or its name")
        parser.add_argument("names", nargs="+", metavar="name")

    def handle(self, *, repository: str, file: str, names: list[str], **_options: Any) -> None:
        """Remove them, or say what is wrong."""
        row = file_named(repository, file)
        try:
            remove_by_person(row, names, by=SYSTEM)
        except LarderError as refused:
            raise CommandError(refused.sentence) from None
        self.stdout.write(f"Removed {', '.join(names)} of {row.path}.")
