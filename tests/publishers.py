"""Issuers and publishers of the tests, and what these get."""

from __future__ import annotations

from typing import Any

from accounts.assertions import verified
from accounts.models import Issuer
from base import clock
from base.audit import SYSTEM
from repos import publishers
from repos.models import Repository, TrustedPublisher
from tests.signing import AUDIENCE, ISSUER, claims_at, keys, signed


def make_issuer(kind: str = "github", url: str = ISSUER, **more: Any) -> Issuer:
    """Make an issuer."""
    issuer = Issuer(kind=kind, url=url, **more)
    publishers.save_issuer(issuer, by=SYSTEM)
    return issuer


def trust(
    repository: Repository, issuer: Issuer, project: str = "frog", **more: Any
) -> TrustedPublisher:
    """Let octo/frog's release.yml publish a project."""
    what = {"source": "octo/frog", "workflow": "release.yml"} | more
    publisher = TrustedPublisher(repository=repository, issuer=issuer, normalized=project, **what)
    publishers.add_publisher(publisher, by=SYSTEM)
    return publisher


def exchanged(issuer: Issuer, *without: str, **claims: Any) -> publishers.Minted:
    """Exchange an assertion with these claims."""
    now = clock.now()
    assertion = verified(
        signed(claims_at(now, *without, **claims)),
        issuer=issuer.url,
        audience=AUDIENCE,
        key_of=keys("one"),
        now=now,
    )
    return publishers.mint(issuer=issuer, assertion=assertion, address="10.0.0.9")
