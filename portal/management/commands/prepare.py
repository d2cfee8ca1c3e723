"""Makes an installation ready to start: tables, static files, and what the first start needs."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from packages.documents import note_missing
from portal import broker
from portal.first_start import ADMINISTRATOR, first_start


class Command(BaseCommand):
    """Run before every start; safe to run again, and quick when nothing is to be done."""

    help = "Make Larder ready to start: migrate, collect static files, seed a new installation."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django declares it so

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--before-serving",
            action="store_true",
            help="refuse when the address to serve on is taken: the server is started next",
        )

    def handle(self, *, before_serving: bool, **_options: Any) -> None:
        """Migrate, collect, seed, and say where Larder is."""
        if before_serving:
            _require_free(settings.CONFIG.bind)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        note_missing()
        broker.prepare(settings.CONFIG.broker_url)
        made = first_start(settings.CONFIG)
        self.stdout.write(f"\n  Larder    {settings.BASE_URL}/")
        self.stdout.write(f"  Admin     {settings.BASE_URL}/admin/")
        if made.is_new:
            self.stdout.write(f"  Sign in   {ADMINISTRATOR}")
        if made.password is not None:
            self.stdout.write(f"  Password  {made.password}   (shown this once)")
        if made.about_files:
            self.stdout.write(f"  Files     {made.about_files}")
        self.stdout.write("")


def _require_free(bind: str) -> None:
    """Refuse an address that cannot be served on, before a password is shown for nothing."""
    host, _, port = bind.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            raise CommandError(
                f"{bind} cannot be served on: {error.strerror}. "
                "Choose another address, for example LARDER_BIND=127.0.0.1:8001 make run"
            ) from None
