"""Publishes every archive in a folder tree, from the command line."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from accounts.models import User
from accounts.principal import Principal
from base.errors import LarderError
from packages.imports import Import, archives_below
from packages.management.commands._files import properties_in
from repos.management.commands._parsing import repository_named

_SHOWN_EVERY_SECONDS = 0.2


class Command(BaseCommand):
    """`import_folder main/pypi-local /srv/old-wheels --as ann team=red`."""

    help = (
        "Publish every archive in a folder and those below it. What is there already is passed "
        "over, so that an import that was broken off goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("repository", help="tenant/key, for example main/pypi-local")
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "properties", nargs="*", metavar="name=value", help="for each file of the import"
        )
        parser.add_argument(
            "--as", dest="username", default="admin", help="whose uploads they are (admin)"
        )

    def handle(
        self,
        *,
        repository: str,
        folder: Path,
        properties: list[str],
        username: str,
        **_options: Any,
    ) -> None:
        """Publish them, and list what could not be at the end."""
        row, wanted = repository_named(repository), properties_in(properties)
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(
                f"There is no user {username}. Say with --as whose uploads they are."
            )
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        files = archives_below(folder)
        if not files:
            self.stdout.write(f"There is no archive in {folder}.")
            return
        work = Import(row, files, wanted, by=Principal(user=user))
        try:
            for line in _lines(work, is_terminal=sys.stderr.isatty()):
                self.stderr.write(line, ending="")
        except LarderError as refused:  # of the whole import; a file's is listed below
            raise CommandError(refused.sentence) from None
        self.stdout.write(work.says)
        if work.refusals:
            for path, sentence in work.refusals:
                self.stdout.write(f"{path.relative_to(folder)}: {sentence}")
            raise CommandError(f"{len(work.refusals)} of {len(files)} files were not published.")


def _lines(work: Import, *, is_terminal: bool) -> Iterator[str]:
    """Yield the progress: one line written anew in a terminal, else one for each file."""
    began = shown = time.monotonic()
    for path in work.steps():
        now = time.monotonic()
        if not is_terminal:
            yield f"{work.done}/{len(work.files)} {path.name}\n"
        elif now - shown >= _SHOWN_EVERY_SECONDS:
            shown = now
            yield f"\r\x1b[K{_progress(work, now - began)}"
    if is_terminal:
        yield "\r\x1b[K"


def _progress(work: Import, seconds: float) -> str:
    """Return how far the import is, and how long the rest takes at this pace."""
    left = seconds / work.bytes_done * (work.bytes_all - work.bytes_done) if work.bytes_done else 0
    minutes, rest = divmod(round(left), 60)
    return (
        f"{work.done} of {len(work.files)} files, {filesizeformat(work.bytes_done)} of "
        f"{filesizeformat(work.bytes_all)}, {minutes} min {rest} s left"
    )
