"""Uploads with attestations where what verifies them is not what is tested: a fake stands in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from django.test import Client

from packages import publish
from packages.attestations import AttestationRefused, Attested, Expected, Verified
from packages.models import Distribution, Provenance
from tests.cast import Member
from tests.uploads import upload

HOME = "https://github.com/Octo/frog"
GITHUB = "https://token.actions.githubusercontent.com"
LOGGED_AT = datetime(2026, 11, 20, 10, 15, 2, tzinfo=UTC)
COMMIT = "0e2a68d2f4dbbd2a6f8bd4ad25b4e5fb0ac54a1c"
PROVENANCE = json.dumps({"version": 1, "attestation_bundles": ["of octo/frog"] * 200}).encode()
SENT = '["good"]'
PUBLISH = "https://attest.example/attestations/publish/v1"
SLSA = "https://slsa.dev/provenance/v1"


class FakeVerifier:
    """Takes SENT for true, and all else for false; remembers who was expected."""

    def __init__(self) -> None:
        self.expected: list[Expected] = []
        self.asked = 0
        self.owner_id = "4711"
        self.source_id = "815"
        self.issuer = GITHUB
        self.provenance = PROVENANCE
        self.logged_at = LOGGED_AT

    def verify(
        self, raw: str, *, filename: str, sha256: str, expected: Sequence[Expected]
    ) -> Verified:
        """Return what a job of octo/frog would have attested."""
        self.asked += 1
        self.expected = list(expected)
        if raw != SENT:
            raise AttestationRefused(f"The attestation of {filename} ({sha256[:4]}) is altered.")
        return Verified(self.provenance, tuple(self._attested(kind) for kind in (PUBLISH, SLSA)))

    def _attested(self, predicate_type: str) -> Attested:
        first = self.expected[0]
        is_google = first.kind == "google"
        return Attested(
            predicate_type=predicate_type,
            issuer=self.issuer,
            key=first.key,
            source=first.source if is_google else HOME,
            commit="" if is_google else COMMIT,
            ref="" if is_google else "refs/tags/v1.0",
            workflow="" if is_google else ".github/workflows/release.yml",
            run="" if is_google else f"{HOME}/actions/runs/17/attempts/1",
            owner_id="" if is_google else self.owner_id,
            source_id="" if is_google else self.source_id,
            logged_at=self.logged_at,
        )


@contextmanager
def verifying() -> Iterator[FakeVerifier]:
    """Let a fake verify what is uploaded within the block."""
    fake = FakeVerifier()
    with patch.object(publish, "verify", fake.verify):
        yield fake


def upload_attested(
    client: Client,
    version: str,
    file: tuple[str, bytes],
    *,
    by: Member | None,
    sent: str = SENT,
    **more: Any,
) -> Any:
    """Upload a file of frog with attestations, as twine and uv send them."""
    return upload(client, "frog", version, file, by=by, change={"attestations": sent}, **more)


def attest(row: Distribution) -> None:
    """Let a file that is there be attested, as if it had come so."""
    where = {"kind": "github", "issuer": GITHUB, "source": "Octo/frog", "source_url": HOME}
    build = where | {"commit": COMMIT}
    Provenance.objects.create(
        distribution=row,
        attested=[{"predicate_type": PUBLISH, "logged_at": LOGGED_AT.isoformat(), "build": build}],
        document=PROVENANCE,
        uploaded_to=row.repository,
        uploaded_at=row.uploaded_at,
    )
    Distribution.objects.filter(pk=row.pk).update(is_attested=True, has_provenance=True)
