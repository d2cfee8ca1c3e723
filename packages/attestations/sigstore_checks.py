"""Verifies attestations against a Sigstore: all that knows the libraries which do so.

Their interfaces move, hence the one file. It is imported by the process that verifies alone: the
libraries take a second to load and some memory, and read what strangers send.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.asn1 import decode_der
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from pydantic import ValidationError
from pypi_attestations import Attestation, AttestationType, ConversionError
from sigstore._internal.tuf import DEFAULT_TUF_URL as PUBLIC_URL
from sigstore._utils import read_embedded
from sigstore.dsse import Statement
from sigstore.errors import CertValidationError, VerificationError
from sigstore.errors import Error as SigstoreError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore_models.trustroot.v1 import TrustedRoot as InnerRoot

from base.ci_homes import is_public
from base.errors import InvalidInput
from packages.attestations.identity import (
    ARC,
    READ,
    NotExpected,
    Signer,
    path_of_workflow,
    publisher_of,
    repository_of,
    signer_of,
)
from packages.attestations.in_our_words import in_our_words
from packages.attestations.values import AttestationRefused, Attested, Expected, Verified
from packages.filenames import shown

__all__ = ["PUBLIC_URL", "Checks", "TrustRootRefused", "first_root", "require_trust_root"]

MAX_ATTESTATIONS = 8

_KINDS = frozenset(kind.value for kind in AttestationType)
# What the libraries raise beside their own errors for what is not as it must be.
_MALFORMED = (
    ValueError,
    OverflowError,
    OSError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
)


class TrustRootRefused(InvalidInput):
    """Nothing can be verified by this, or it cannot be had."""


class _Fails(Exception):
    """An attestation is refused; the words continue "The attestation of ..."."""


class Checks:
    """Verifies what is sent with files against one trust root. Raises AttestationRefused."""

    def __init__(self, trust_root: str) -> None:
        """Take the trust root in a file, or the one that came with sigstore where that is empty."""
        self._verifier = Verifier(trusted_root=_root(trust_root))

    def verify(
        self, raw: bytes, *, filename: str, sha256: str, expected: Sequence[Expected]
    ) -> Verified:
        """Return what the attestations in `raw` say of a file, all of which must be true."""
        sent = _listed(raw, filename)
        attested: list[Attested] = []
        bundles: dict[int, dict[str, Any]] = {}
        for number, each in enumerate(sent, 1):
            which = "The attestation" if len(sent) == 1 else f"Attestation {number}"
            try:
                checked = _Checked(self._verifier, each, expected)
                kind = checked.kind_for(filename, sha256)
                _require_new(kind, attested)
            except (_Fails, NotExpected) as why:
                raise AttestationRefused(f"{which} of {shown(filename)} {why}") from None
            except _MALFORMED as error:
                raise AttestationRefused(f"{which} of {shown(filename)} is malformed.") from error
            attested.append(checked.says(kind))
            if not is_public(checked.publisher.kind, checked.publisher.issuer):
                continue  # its readers would take it for the public host's (decision 0015)
            bundle = {"publisher": checked.publisher_object(), "attestations": []}
            bundles.setdefault(checked.publisher.key, bundle)["attestations"].append(
                checked.as_sent()
            )
        return Verified(_provenance(list(bundles.values())), tuple(attested))


class _Checked:
    """One attestation whose signature, certificate and log entry are good."""

    def __init__(self, verifier: Verifier, sent: object, expected: Sequence[Expected]) -> None:
        self._bundle = _bundle_of(sent)
        policy = _ExpectedPolicy(expected)
        try:
            # The type of what is signed is always in-toto's: attestations do not name it.
            _, self._statement = verifier.verify_dsse(self._bundle, policy)
        except CertValidationError:
            raise _Fails(
                "has a certificate that no trusted authority had issued for the time of its log "
                "entry."
            ) from None
        except VerificationError as error:
            raise _Fails(in_our_words(str(error))) from None
        self.publisher = policy.publisher
        self.signer = policy.signer

    def kind_for(self, filename: str, sha256: str) -> str:
        """Return what the statement is about (its predicate type), if it speaks of this file."""
        try:
            statement = Statement(self._statement)._inner  # noqa: SLF001 - nothing public reads it
        except SigstoreError:
            raise _Fails("has a statement that cannot be read.") from None
        if len(statement.subjects) != 1:
            raise _Fails(f"speaks of {len(statement.subjects)} files; one is allowed.")
        subject = statement.subjects[0]
        if not _is_same_name(subject.name or "", filename):
            raise _Fails(f"is one of another file: {shown(subject.name or '')}.")
        if subject.digest.root.get("sha256") != sha256:
            raise _Fails("is one of a file with another SHA-256.")
        if statement.predicate_type not in _KINDS:
            raise _Fails(f"is of an unknown kind: {shown(statement.predicate_type)}.")
        return statement.predicate_type

    def says(self, kind: str) -> Attested:
        """Return what it says to people."""
        signer = self.signer
        return Attested(
            predicate_type=kind,
            issuer=signer.issuer,
            key=self.publisher.key,
            source=signer.source or signer.email,
            commit=signer.commit,
            ref=signer.ref,
            workflow=path_of_workflow(signer, self.publisher.kind),
            run=signer.run,
            owner_id=signer.owner_id,
            source_id=signer.source_id,
            logged_at=datetime.fromtimestamp(self._entry.integrated_time or 0, UTC),
        )

    def publisher_object(self) -> dict[str, str | None]:
        """Return the publisher as PEP 740's readers know it, each kind of which has its own."""
        publisher, signer = self.publisher, self.signer
        if publisher.kind == "google":
            return {"kind": "Google", "email": signer.email}
        common = {
            "repository": repository_of(signer, publisher),
            "environment": publisher.environment or None,
        }
        if publisher.kind == "gitlab":
            return {"kind": "GitLab", "workflow_filepath": publisher.workflow} | common
        return {"kind": "GitHub", "workflow": publisher.workflow} | common

    def as_sent(self) -> dict[str, Any]:
        """Return the attestation itself, without anything that was not verified."""
        parts = Attestation.from_bundle(self._bundle)
        return {
            "version": parts.version,
            "verification_material": {
                "certificate": _text(parts.verification_material.certificate),
                "transparency_entries": parts.verification_material.transparency_entries,
            },
            "envelope": {
                "statement": _text(parts.envelope.statement),
                "signature": _text(parts.envelope.signature),
            },
        }

    @property
    def _entry(self) -> Any:  # noqa: ANN401 - pydantic's model of it
        return self._bundle.log_entry._inner  # noqa: SLF001 - it has no public name


class _ExpectedPolicy:
    """Sigstore's policy that an expected publisher is who signed; remembers which one."""

    publisher: Expected
    signer: Signer

    def __init__(self, expected: Sequence[Expected]) -> None:
        self._expected = expected

    def verify(self, cert: x509.Certificate) -> None:
        """Find the publisher of a certificate. Raises NotExpected."""
        self.signer = _signer_in(cert)
        self.publisher = publisher_of(self.signer, self._expected)


def first_root(url: str) -> bytes:
    """Return what the TUF repository at `url` is trusted by at first, if sigstore knows that."""
    try:
        return read_embedded("root.json", url)
    except FileNotFoundError:
        raise TrustRootRefused(f"Say with --root what {url} is trusted by at first.") from None


def require_trust_root(raw: bytes) -> None:
    """Refuse what nothing could be verified by. Raises TrustRootRefused."""
    try:
        Verifier(trusted_root=TrustedRoot(InnerRoot.from_json(raw)))
    except (ValueError, SigstoreError):
        raise TrustRootRefused("What came is no trust root of a Sigstore.") from None


def _root(path: str) -> TrustedRoot:
    # The library's own way to the installed one writes into the home of whoever runs this.
    raw = Path(path).read_bytes() if path else read_embedded("trusted_root.json", PUBLIC_URL)
    return TrustedRoot(InnerRoot.from_json(raw))


def _listed(raw: bytes, filename: str) -> list[object]:
    which = f"The attestations of {shown(filename)}"
    try:
        sent = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise AttestationRefused(f"{which} are no JSON.") from None
    if not isinstance(sent, list) or not sent:
        raise AttestationRefused(f"{which} are no list with at least one of them.")
    if len(sent) > MAX_ATTESTATIONS:
        raise AttestationRefused(f"{which} are {len(sent)}; {MAX_ATTESTATIONS} are the most.")
    return sent


def _provenance(bundles: list[dict[str, Any]]) -> bytes:
    """Return the provenance object of PEP 740; nothing where it would hold nothing."""
    return json.dumps({"version": 1, "attestation_bundles": bundles}).encode() if bundles else b""


def _require_new(kind: str, attested: Sequence[Attested]) -> None:
    if any(kind == earlier.predicate_type for earlier in attested):
        raise _Fails(f"is the second one of the kind {shown(kind)}.")


def _bundle_of(sent: object) -> Bundle:
    try:
        attestation = Attestation.model_validate(sent)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise _Fails(f"is none of PEP 740: see its {shown(where)}.") from None
    entries = len(attestation.verification_material.transparency_entries)
    if entries != 1:
        raise _Fails(f"has {entries} log entries; one is read.")
    try:
        bundle = attestation.to_bundle()
    except (ConversionError, SigstoreError) as error:
        raise _Fails(in_our_words(str(error))) from None
    if not isinstance(bundle.signing_certificate.public_key(), EllipticCurvePublicKey):
        raise _Fails("has a certificate whose key is on no elliptic curve.")
    return bundle


def _signer_in(certificate: x509.Certificate) -> Signer:
    said = {}
    email = ""
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            email = next(iter(value.get_values_for_type(x509.RFC822Name)), "")
        for number in READ:
            if extension.oid.dotted_string == f"{ARC}{number}":
                said[number] = decode_der(str, value.public_bytes())
    return signer_of(said, email)


def _is_same_name(one: str, other: str) -> bool:
    return one == other or (_parsed(one) is not None and _parsed(one) == _parsed(other))


def _parsed(filename: str) -> object:
    """Return what a file's name says, which may be written in several ways; None: no such name."""
    with suppress(InvalidWheelFilename, InvalidSdistFilename):
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)
        return parse_sdist_filename(filename)
    return None


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()
