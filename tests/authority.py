"""A certificate authority of the tests, and a server on loopback that it vouches for."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Change = Callable[[x509.CertificateBuilder], x509.CertificateBuilder]


@cache
def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Return the authority's key and certificate, made once."""
    key = ec.generate_private_key(ec.SECP256R1())

    def as_authority(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        return builder.add_extension(constraints, critical=True).add_extension(usage, critical=True)

    return key, _certificate(key, "Tests' authority", key, _name("Tests' authority"), as_authority)


def ca_pem() -> str:
    """Return what who trusts the authority is given."""
    return authority()[1].public_bytes(Encoding.PEM).decode()


def write_server_files(folder: Path) -> tuple[Path, Path]:
    """Write the certificate and the key of a server on loopback, and return where they are."""
    ca_key, ca = authority()
    key = ec.generate_private_key(ec.SECP256R1())

    def for_loopback(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        names = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        return builder.add_extension(
            x509.SubjectAlternativeName(names), critical=False
        ).add_extension(known, critical=False)

    certificate = _certificate(key, "localhost", ca_key, ca.subject, for_loopback)
    pem, private = folder / "server.pem", folder / "server.key"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem, private


def server_context(folder: Path) -> ssl.SSLContext:
    """Return what a server on loopback speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_server_files(folder))
    return context


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    common: str,
    signing: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    change: Change,
) -> x509.Certificate:
    now = datetime.now(UTC)  # OpenSSL asks the system's clock
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return change(builder).sign(signing, SHA256())
