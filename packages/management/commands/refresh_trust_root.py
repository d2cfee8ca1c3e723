"""Fetches what attestations are verified by, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from packages.attestations.refreshing import newest_trust_root, put_trust_root
from packages.attestations.sigstore_checks import PUBLIC_URL, TrustRootRefused


class Command(BaseCommand):
    """`refresh_trust_root`, or `refresh_trust_root /etc/larder/trusted_root.json`."""

    help = (
        "Fetch the newest trust root of a Sigstore, the public one if no other is named, and "
        "write it where LARDER_SIGSTORE_TRUST_ROOT points. Running processes notice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "path",
            nargs="?",
            type=Path,
            default=settings.SIGSTORE_TRUST_ROOT,
            help="where to write it (LARDER_SIGSTORE_TRUST_ROOT)",
        )
        parser.add_argument("--url", default=PUBLIC_URL, help=f"its TUF repository ({PUBLIC_URL})")
        parser.add_argument(
            "--root",
            type=Path,
            help="the root.json that another repository than the public one is trusted by at first",
        )

    def handle(self, *, path: Path | None, url: str, root: Path | None, **_options: Any) -> None:
        """Fetch, check and write it."""
        if path is None:
            raise CommandError("Name a file to write it to, or set LARDER_SIGSTORE_TRUST_ROOT.")
        url = url.rstrip("/")
        try:
            first = root.read_bytes() if root else None
            raw = newest_trust_root(url, first, known=path.with_name(f"{path.name}.tuf"))
            is_new = put_trust_root(raw, path)
        except TrustRootRefused as refused:
            raise CommandError(refused.sentence) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from None
        if is_new:
            self.stdout.write(f"{path} is the newest trust root of {url} now.")
        else:
            self.stdout.write(f"{path} is the newest trust root of {url} already.")
