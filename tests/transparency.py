"""A log of the tests' Sigstore: it signs what it is given, and proves that it has it (RFC 6962)."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_NOTES = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


class Log:
    """A log that signs what it is given, and proves that it has it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        # Others were there before.
        self._leaves = [_leaf(f"earlier {number}".encode()) for number in range(5)]

    @property
    def key_id(self) -> bytes:
        """Return how others call its key."""
        return hashlib.sha256(_spki(self.key.public_key())).digest()

    def sign(self, data: bytes) -> bytes:
        """Sign."""
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def entry(self, body: bytes, at: datetime) -> dict[str, Any]:
        """Take `body` at a time, and return the entry as bundles and attestations hold it."""
        index = len(self._leaves)
        self._leaves.append(_leaf(body))
        root = _root(self._leaves)
        note = f"log.example - 1\n{len(self._leaves)}\n{text(root)}\n"
        promised = {
            "body": text(body),
            "integratedTime": int(at.timestamp()),
            "logID": self.key_id.hex(),
            "logIndex": index,
        }
        signed_note = text(self.key_id[:4] + self.sign(note.encode()))
        return {
            "logIndex": str(index),
            "logId": {"keyId": text(self.key_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(promised["integratedTime"]),
            "inclusionPromise": {"signedEntryTimestamp": text(self.sign(canonical(promised)))},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": text(root),
                "treeSize": str(len(self._leaves)),
                "hashes": [text(each) for each in _path(index, self._leaves)],
                "checkpoint": {"envelope": f"{note}\n\N{EM DASH} log.example {signed_note}\n"},
            },
            "canonicalizedBody": text(body),
        }

    def note(
        self, unnoted: bytes, issuer: x509.Certificate, at: datetime
    ) -> x509.UnrecognizedExtension:
        """Return what says in a certificate that it is in this log (RFC 6962, 3.2 and 3.3).

        `unnoted` is what would be signed of the certificate without that.
        """
        time = struct.pack(">Q", int(at.timestamp()) * 1000)
        issuer_key = hashlib.sha256(_spki(issuer.public_key())).digest()
        length = len(unnoted).to_bytes(3, "big")
        # Version 1, a timestamp of a certificate; entry of a certificate to come; no extensions.
        signature = self.sign(
            b"\x00\x00" + time + b"\x00\x01" + issuer_key + length + unnoted + b"\x00\x00"
        )
        # SHA-256 and ECDSA.
        timestamp = b"\x00" + self.key_id + time + b"\x00\x00" + b"\x04\x03" + _long(signature)
        listed = _long(_long(timestamp))
        return x509.UnrecognizedExtension(_NOTES, encode_der(listed))

    @property
    def trusted(self) -> dict[str, Any]:
        """Return what a trust root says of it."""
        return {
            "baseUrl": "https://log.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": text(_spki(self.key.public_key())),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": "2020-01-01T00:00:00Z"},
            },
            "logId": {"keyId": text(self.key_id)},
        }


def text(raw: bytes) -> str:
    """Return bytes as all of Sigstore writes them."""
    return base64.b64encode(raw).decode()


def canonical(value: dict[str, Any]) -> bytes:
    """Return JSON that is written in one way alone (RFC 8785, as far as it is needed)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _spki(key: Any) -> bytes:
    raw: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return raw


def _long(raw: bytes) -> bytes:
    return struct.pack(">H", len(raw)) + raw


def _leaf(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1: the hash of a tree."""
    if len(leaves) == 1:
        return leaves[0]
    middle = _middle(leaves)
    return _node(_root(leaves[:middle]), _root(leaves[middle:]))


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1: the hashes that lead from a leaf to the root."""
    if len(leaves) == 1:
        return []
    middle = _middle(leaves)
    if index < middle:
        return [*_path(index, leaves[:middle]), _root(leaves[middle:])]
    return [*_path(index - middle, leaves[middle:]), _root(leaves[:middle])]


def _middle(leaves: Sequence[bytes]) -> int:
    """Return the largest power of two that is less than there are leaves."""
    return 1 << (len(leaves) - 1).bit_length() - 1
