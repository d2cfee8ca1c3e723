"""A Sigstore of the tests: an authority that certifies jobs of CI, its two logs, and attestations.

Made of `cryptography` alone: what reads attestations has not written them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pypi_attestations import AttestationType

from tests.signing import ISSUER
from tests.transparency import Log, canonical, text

PUBLISH = AttestationType.PYPI_PUBLISH_V1.value
SLSA = AttestationType.SLSA_PROVENANCE_V1.value
STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
AT = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)
FOREVER = timedelta(days=365 * 40)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, kw_only=True)
class Job:
    """What runs in CI and gets a certificate; as `tests.signing` has it in assertions."""

    issuer: str = ISSUER
    source: str = f"{ISSUER}/Octo/frog"
    commit: str = "5" * 40
    ref: str = "refs/heads/main"
    owner_id: str = "4711"
    workflow: str = f"{ISSUER}/Octo/frog/.github/workflows/release.yml@refs/heads/main"
    run: str = f"{ISSUER}/Octo/frog/actions/runs/9/attempts/1"
    environment: str = ""
    email: str = ""

    @property
    def name(self) -> x509.GeneralName:
        """Return what the certificate is for: a workflow, or a person."""
        if self.email:
            return x509.RFC822Name(self.email)
        return x509.UniformResourceIdentifier(self.workflow)

    @property
    def extensions(self) -> list[x509.UnrecognizedExtension]:
        """Return what Fulcio writes into the certificate."""
        values = {
            8: self.issuer,
            9: self.workflow,
            12: self.source,
            13: self.commit,
            14: self.ref,
            15: "815" if self.source else "",
            16: self.source.rpartition("/")[0],
            17: self.owner_id,
            18: self.workflow,
            21: self.run,
            23: self.environment,
        }
        first = x509.UnrecognizedExtension(_oid(1), self.issuer.encode())
        return [first] + [
            x509.UnrecognizedExtension(_oid(number), encode_der(value))
            for number, value in values.items()
            if value
        ]


_FROG = "https://github.com/Octo/frog"
ON_GITHUB = Job(
    issuer="https://token.actions.githubusercontent.com",
    source=_FROG,
    workflow=f"{_FROG}/.github/workflows/release.yml@refs/heads/main",
    run=f"{_FROG}/actions/runs/9/attempts/1",
)
MACHINE = Job(
    source="", commit="", ref="", owner_id="", workflow="", run="", email="Deploy@acme.example"
)


class Authority:
    """Certifies keys of jobs for ten minutes; its own root has certified it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP384R1())
        root_key = ec.generate_private_key(ec.SECP384R1())
        self._root = _ca("root", root_key, "root", root_key)
        self.certificate = _ca("intermediate", self._key, "root", root_key)

    def certify(
        self,
        key: Key,
        job: Job,
        *,
        at: datetime,
        noted_by: Log | None,
        signs: bool = True,
        for_code: bool = True,
    ) -> x509.Certificate:
        """Return a certificate, and have it noted in a log of certificates."""
        purpose = ExtendedKeyUsageOID.CODE_SIGNING if for_code else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = _builder("", key, "intermediate", self._key, at, at + TEN_MINUTES)
        builder = builder.add_extension(_usage(digital_signature=signs), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([job.name]), critical=True)
        for extension in job.extensions:
            builder = builder.add_extension(extension, critical=False)
        if noted_by is not None:
            # What is signed is the certificate without the log's note, which comes last.
            unnoted = builder.sign(self._key, hashes.SHA384()).tbs_certificate_bytes
            note = noted_by.note(unnoted, self.certificate, at)
            builder = builder.add_extension(note, critical=False)
        return builder.sign(self._key, hashes.SHA384())

    @property
    def trusted(self) -> dict[str, Any]:
        """Return what a trust root says of it."""
        chain = [self.certificate, self._root]
        return {
            "subject": {"organization": "acme", "commonName": "sigstore"},
            "uri": "https://authority.example",
            "certChain": {
                "certificates": [
                    {"rawBytes": text(each.public_bytes(Encoding.DER))} for each in chain
                ]
            },
            "validFor": {"start": "2020-01-01T00:00:00Z"},
        }


@dataclass(frozen=True)
class Sigstore:
    """One authority, its log of certificates, and a log of signatures."""

    authority: Authority = field(default_factory=Authority)
    certificates: Log = field(default_factory=Log)
    signatures: Log = field(default_factory=Log)

    def trust_root(self) -> dict[str, Any]:
        """Return what says to verifiers whom to trust."""
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.signatures.trusted],
            "certificateAuthorities": [self.authority.trusted],
            "ctlogs": [self.certificates.trusted],
            "timestampAuthorities": [],
        }

    def write_trust_root(self, path: Path) -> Path:
        """Write it to a file, and return that."""
        path.write_text(json.dumps(self.trust_root()), encoding="utf-8")
        return path

    def attestation(
        self,
        statement: Mapping[str, Any] | bytes,
        job: Job = Job(),
        *,
        at: datetime = AT,
        logged_at: datetime | None = None,
        key: Key | None = None,
        certificate: x509.Certificate | None = None,
        payload_type: str = PAYLOAD_TYPE,
    ) -> dict[str, Any]:
        """Return an attestation (PEP 740) by which a job states something."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        if certificate is None:
            certificate = self.authority.certify(key, job, at=at, noted_by=self.certificates)
        payload = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
        signature = _signed(key, payload_type, payload)
        entry = self.signatures.entry(log_body(payload, signature, certificate), logged_at or at)
        return {
            "version": 1,
            "verification_material": {
                "certificate": text(certificate.public_bytes(Encoding.DER)),
                "transparency_entries": [entry],
            },
            "envelope": {"statement": text(payload), "signature": text(signature)},
        }


@cache
def the_sigstore() -> Sigstore:
    """Return one that any test may use: making keys takes time."""
    return Sigstore()


def statement(filename: str, sha256: str, kind: str = PUBLISH, **more: Any) -> dict[str, Any]:
    """Return the statement that a file was made, or published."""
    subject = [{"name": filename, "digest": {"sha256": sha256}}]
    usual = {"_type": STATEMENT, "subject": subject, "predicateType": kind, "predicate": None}
    return usual | more


def log_body(payload: bytes, signature: bytes, certificate: x509.Certificate) -> bytes:
    """Return what a log keeps of a signature."""
    pem = certificate.public_bytes(Encoding.PEM)
    envelope = hashlib.sha256(b"envelope" + payload).hexdigest()  # nobody can check it
    spec = {
        "envelopeHash": {"algorithm": "sha256", "value": envelope},
        "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
        "signatures": [{"signature": text(signature), "verifier": text(pem)}],
    }
    return canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})


def _signed(key: Key, payload_type: str, payload: bytes) -> bytes:
    """DSSE: sign a payload with its type."""
    data = f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode() + payload
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def _ca(name: str, key: Key, issuer: str, issuer_key: Key) -> x509.Certificate:
    """Return the certificate of an authority."""
    builder = _builder(name, key, issuer, issuer_key, BEGAN, BEGAN + FOREVER)
    limits = x509.BasicConstraints(ca=True, path_length=1 if name == issuer else 0)
    builder = builder.add_extension(limits, critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    return builder.sign(issuer_key, hashes.SHA384())


def _builder(
    name: str, key: Key, issuer: str, issuer_key: Key, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    """Return what any certificate begins with."""
    its, theirs = key.public_key(), issuer_key.public_key()
    return (
        x509.CertificateBuilder(serial_number=x509.random_serial_number())
        .subject_name(_called(name))
        .issuer_name(_called(issuer))
        .public_key(its)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(its), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(theirs), critical=False)
    )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])


def _usage(**given: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


def _oid(number: int) -> x509.ObjectIdentifier:
    """Return the identifier of one of Fulcio's extensions."""
    return x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
