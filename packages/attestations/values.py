"""What the verifying of attestations is given, and what it comes to."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from base.errors import InvalidInput, LarderError


class AttestationRefused(InvalidInput):
    """What was sent with a file does not attest it; the sentence says why."""


class VerifierAway(LarderError):
    """No attestation can be verified now: no matter of what was sent."""

    retry_after = 60  # seconds; the sentence says so in words


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """A publisher that may attest a file; names as `repos.models.TrustedPublisher` has them."""

    key: int
    kind: Literal["github", "gitlab", "google"]
    issuer: str
    source: str
    workflow: str = ""
    owner_id: str = ""  # empty: whoever owns it now
    source_id: str = ""  # empty: whichever has its name now
    ref: str = ""
    environment: str = ""


class Attested(msgspec.Struct, frozen=True, kw_only=True):
    """What one attestation says, once it is known to be true; empty for what it does not say."""

    predicate_type: str
    issuer: str  # who vouched for the job to the Sigstore
    key: int  # of the publisher that it fits
    source: str  # the URL of the source repository, or an e-mail address
    commit: str
    ref: str
    workflow: str  # the path in that repository
    run: str  # the URL of the run
    owner_id: str
    source_id: str
    logged_at: datetime


class Verified(msgspec.Struct, frozen=True):
    """All that attests a file, and as JSON what PEP 740's provenance object can tell of it."""

    provenance: bytes  # empty: nothing, see `sigstore_checks`
    attested: tuple[Attested, ...]
