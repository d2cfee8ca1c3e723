"""Asks an issuer for its keys, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.assertions import IssuerAway
from accounts.models import Issuer
from packages import issuer_keys


class Command(BaseCommand):
    """`check_issuer https://gitlab.acme.example`."""

    help = "Say whether an issuer that was added gives its keys, and if not, why (docs/issuers.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("url", help="as it was added")

    def handle(self, *, url: str, **_: Any) -> None:
        """Ask it."""
        issuer = Issuer.objects.filter(url=url).first()
        if issuer is None:
            raise CommandError(f"{url} was not added: manage.py add_issuer does that.")
        try:
            self.stdout.write(issuer_keys.check(issuer))
        except IssuerAway as away:
            raise CommandError(away.sentence) from None
