"""Makes an installation ready to start: tables, static files, and what the first start needs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from portal import broker
from portal.first_start import ADMINISTRATOR, first_start


class Command(BaseCommand):
    """Run before every start; safe to run again, and quick when nothing is to be done."""

    help = "Make Larder ready to start: migrate, collect static files, seed a new installation."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django declares it so

    def handle(self, **_options: Any) -> None:
        """Migrate, collect, seed, and say where Larder is."""
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        broker.prepare(settings.CONFIG.broker_url)
        made = first_start(settings.CONFIG)
        self.stdout.write(f"\n  Larder    {settings.BASE_URL}/")
        self.stdout.write(f"  Admin     {settings.BASE_URL}/admin/")
        if made.is_new:
            self.stdout.write(f"  Sign in   {ADMINISTRATOR}")
        if made.password is not None:
            self.stdout.write(f"  Password  {made.password}   (shown this once)")
        self.stdout.write("")
