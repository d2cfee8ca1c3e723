"""Purges what a remote keeps, from the command line."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from accounts.models import User
from accounts.principal import Principal
from base.errors import LarderError
from packages import purge
from packages.models import CachePurge
from packages.purge_form import DAYS_AT_MOST
from repos.management.commands._parsing import repository_named

_LOOKED_EVERY_SECONDS = 0.5


class Command(BaseCommand):
    """`purge_cache main/pypi-remote --as ann --unused-days 90`."""

    help = (
        "Let go of what a remote keeps; it is fetched again when somebody asks for it. Breaking "
        "the command off stops nothing: a worker goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("repository", help="tenant/key, for example main/pypi-remote")
        parser.add_argument(
            "--fetched-days", type=int, default=0, help="what was fetched so many days ago"
        )
        parser.add_argument(
            "--unused-days", type=int, default=0, help="what was not asked for in so many days"
        )
        parser.add_argument(
            "--as", dest="username", default="admin", help="who has it purged (admin)"
        )
        parser.add_argument(
            "--no-input", action="store_true", help="do not ask for the name to be typed again"
        )

    def handle(
        self,
        *,
        repository: str,
        fetched_days: int,
        unused_days: int,
        username: str,
        no_input: bool,
        **_options: Any,
    ) -> None:
        """Ask for the purge, do it here or watch who does it, and say what it came to."""
        remote = repository_named(repository)
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user {username}. Say with --as who has it purged.")
        if not (0 <= fetched_days <= DAYS_AT_MOST and 0 <= unused_days <= DAYS_AT_MOST):
            raise CommandError(f"Days are from 0 to {DAYS_AT_MOST}.")
        try:
            typed = str(remote) if no_input else input(f"Type {remote} to go on: ")
        except EOFError:
            raise CommandError(
                "Nothing was purged: nobody typed the name. Say --no-input to go on without."
            ) from None
        try:
            row = purge.ask(
                remote,
                typed=typed,
                by=Principal(user=user),
                fetched_days=fetched_days,
                unused_days=unused_days,
            )
        except LarderError as refused:
            raise CommandError(refused.sentence) from None
        is_terminal = sys.stderr.isatty()
        for now in _moving(row):
            line = f"{now.files_done} of {now.files} files, {filesizeformat(now.bytes_done)}"
            self.stderr.write(f"\r\x1b[K{line}" if is_terminal else f"{line}\n", ending="")
        if is_terminal:
            self.stderr.write("\r\x1b[K", ending="")
        row.refresh_from_db()
        self.stdout.write(
            f"{row.files_done} files let go, {filesizeformat(row.bytes_done)}, in {remote}."
        )


def _moving(row: CachePurge) -> Iterator[CachePurge]:
    """Yield the purge each time that it has moved, until it has ended or its remote has gone.

    It is done here as long as no worker is at it.
    """
    same = CachePurge.objects.filter(pk=row.pk).select_related("repository")
    done = 0
    while (now := same.get()).ended_at is None and now.repository.deleted_at is None:
        taken = purge.take(same)
        if taken is not None:
            with closing(purge.steps(taken)) as steps:
                for _ in steps:
                    yield taken
            continue
        if now.files_done != done:
            done = now.files_done
            yield now
        time.sleep(_LOOKED_EVERY_SECONDS)
