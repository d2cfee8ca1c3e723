"""Lets an issuer vouch for CI, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import publishing
from accounts.models import Issuer
from base.audit import SYSTEM
from repos import publishers


class Command(BaseCommand):
    """`add_issuer https://gitlab.acme.example --kind gitlab --private --ca acme.pem`."""

    help = "Let an issuer of OpenID Connect tokens vouch for CI (docs/issuers.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("url", help="exactly as its tokens name it (iss)")
        parser.add_argument("--kind", choices=Issuer.Kind.values, required=True)
        parser.add_argument("--private", action="store_true", help="it is inside your network")
        parser.add_argument("--ca", type=Path, help="a file with its certificate authority, PEM")

    def handle(self, *, url: str, kind: str, private: bool, ca: Path | None, **_: Any) -> None:
        """Add it, or say what is wrong."""
        try:
            pem = ca.read_text() if ca is not None else ""
            issuer = Issuer(url=url, kind=kind, private_allowed=private, ca=pem)
            publishers.save_issuer(issuer, by=SYSTEM)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{ca} cannot be read: {error}") from error
        except ValidationError as error:
            raise CommandError(f"{url}: {' '.join(error.messages)}") from error
        if told := publishing.what_http_costs():
            self.stderr.write(self.style.WARNING(told))
        self.stdout.write(f"{issuer} vouches for CI: {issuer.get_kind_display()}.")
        self.stdout.write(f"Whether it answers: manage.py check_issuer {url}")
