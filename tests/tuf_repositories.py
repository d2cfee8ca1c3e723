"""A TUF repository of the tests: what hands out the trust root of a Sigstore, signed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from tests.upstreams import Reply, Server

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
_ROLES = ("root", "timestamp", "snapshot", "targets")


class TufRepository:
    """Hands out files under names, as its one key has signed them."""

    def __init__(self) -> None:
        self.version = 0  # of what was served last
        self._signer = CryptoSigner.generate_ed25519()
        root = Root(expires=LATER)
        for role in _ROLES:
            root.add_key(self._signer.public_key, role)
        self.root = self._signed(root)  # by which it is trusted at first

    def serve(self, server: Server, files: dict[str, bytes], *, expires: datetime = LATER) -> None:
        """Answer for it, with newer metadata than before."""
        self.version += 1
        version = self.version
        targets = Targets(version, expires=expires)
        for name, content in files.items():
            targets.targets[name] = TargetFile.from_data(name, content)
            digest = hashlib.sha256(content).hexdigest()
            server.replies[f"/targets/{digest}.{name}"] = Reply(content)
        replies = {
            f"{version}.targets.json": self._signed(targets),
            f"{version}.snapshot.json": self._signed(
                Snapshot(version, expires=expires, meta={"targets.json": MetaFile(version)})
            ),
            "timestamp.json": self._signed(
                Timestamp(version, expires=expires, snapshot_meta=MetaFile(version))
            ),
        }
        for name, content in replies.items():
            server.replies[f"/{name}"] = Reply(content)

    def _signed(self, said: Root | Timestamp | Snapshot | Targets) -> bytes:
        metadata = Metadata[Any](said)
        metadata.sign(self._signer)
        return metadata.to_bytes()
