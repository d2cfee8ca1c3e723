"""Gives a file properties from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from base.audit import SYSTEM
from base.errors import LarderError
from packages.describe import set_by_person
from packages.management.commands._files import file_named, properties_in


class Command(BaseCommand):
    """`set_property main/pypi-local frog-1.0-py3-none-any.whl qa.approved=yes qa.by=ann`."""

    help = "Give a file properties; each replaces the values that people gave it before."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("repository", help="tenant/key, for example main/pypi-local")
        parser.add_argument("file", help="its path or its name")
        parser.add_argument(
            "properties", nargs="+", metavar="name=value", help="a name may be given several times"
        )

    def handle(self, *, repository: str, file: str, properties: list[str], **_options: Any) -> None:
        """Set them, or say what is wrong."""
        row, wanted = file_named(repository, file), properties_in(properties)
        try:
            set_by_person(row, wanted, by=SYSTEM)
        except LarderError as refused:
            raise CommandError(refused.sentence) from None
        self.stdout.write(f"Set {', '.join(wanted)} of {row.path}.")
