"""An issuer on loopback, by TLS: its discovery document and its keys."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accounts.models import Issuer
from packages import issuer_keys
from tests.authority import ca_pem, server_context
from tests.publishers import make_issuer
from tests.signing import jwk_of
from tests.upstreams import Reply, Server, serving

DISCOVERY = "/.well-known/openid-configuration"


class LoopbackIssuer:
    """What it says of itself, and which keys it has, can be changed."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url.rstrip("/")
        self.describes_itself()
        self.has_keys("one")

    def describes_itself(self, **other: Any) -> None:
        """Publish the discovery document, with other facts than it should have."""
        about = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.server.replies[DISCOVERY] = Reply(json.dumps(about | other).encode())

    def has_keys(self, *names: str, more: tuple[object, ...] = ()) -> None:
        """Publish the keys of these names, and whatever else."""
        keys = [jwk_of(name) for name in names] + list(more)
        self.server.replies["/keys"] = Reply(json.dumps({"keys": keys}).encode())

    @property
    def times_asked(self) -> int:
        """How often its keys were asked for."""
        return self.server.count("/keys")

    def row(self, **other: Any) -> Issuer:
        """Return the issuer as an administrator adds it."""
        made: dict[str, Any] = {"url": self.url, "ca": ca_pem(), "private_allowed": True} | other
        return make_issuer(**made)


@contextmanager
def issuing() -> Iterator[LoopbackIssuer]:
    """Run an issuer within the block, and forget its keys afterwards."""
    with tempfile.TemporaryDirectory() as folder, serving(server_context(Path(folder))) as server:
        try:
            yield LoopbackIssuer(server)
        finally:
            issuer_keys.forget()
