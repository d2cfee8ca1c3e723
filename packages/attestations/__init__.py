"""Attestations (PEP 740): who built a file, signed by a Sigstore, verified in a process apart."""

from packages.attestations.values import (
    AttestationRefused,
    Attested,
    Expected,
    Verified,
    VerifierAway,
)
from packages.attestations.verifier import verify

__all__ = [
    "AttestationRefused",
    "Attested",
    "Expected",
    "Verified",
    "VerifierAway",
    "verify",
]
