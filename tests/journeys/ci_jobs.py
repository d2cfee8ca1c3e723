"""Jobs of CI, the issuers that vouch for them, and what they show at the front door."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.authority import ca_pem
from tests.dists import make_wheel
from tests.issuers import LoopbackIssuer
from tests.journeys.larder import Larder
from tests.journeys.machine import Machine
from tests.signing import claims_at, signed
from tests.upstreams import Asked, Reply


@dataclass
class Issuers:
    """One of each kind, by TLS."""

    github: LoopbackIssuer
    gitlab: LoopbackIssuer
    google: LoopbackIssuer
    other: LoopbackIssuer
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def claims(self, issuer: LoopbackIssuer, **other: Any) -> dict[str, Any]:
        """Return what an issuer says now of a job, which it says once."""
        usual = {"iss": issuer.url, "aud": "localhost", "jti": f"job-{next(self.numbers)}"}
        return claims_at(datetime.now(UTC), **usual | other)


def variables_of_github(issuers: Issuers, claims: dict[str, Any]) -> dict[str, str]:
    """Return what GitHub sets for a job; its issuer says `claims` of it when it asks."""
    issuer = issuers.github

    def shows(_asked: Asked) -> Reply:
        shown = signed(issuers.claims(issuer, **claims))
        return Reply(json.dumps({"value": shown}).encode(), kind="application/json")

    issuer.server.replies["/token?api-version=2&audience=localhost"] = shows
    return {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/token?api-version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "for-the-issuer",
    }


def claims_of_gitlab(project: str, ref: str = "refs/tags/v1") -> dict[str, str]:
    """Return what GitLab says of a job of a project."""
    return {
        "sub": f"project_path:{project}:ref:{ref}",
        "project_path": project,
        "namespace_path": project.rpartition("/")[0],
        "namespace_id": "72",
        "project_id": "9",
        "ci_config_ref_uri": f"gitlab.example/{project}//.gitlab-ci.yml@{ref}",
        "ref_path": ref,
    }


class Job:
    """A job with uv, whose environment its host has set."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        machine.variables |= larder_is_trusted(machine.home)

    def command(self, version: str, to: str) -> tuple[str, ...]:
        """Return what publishes a new file of frog."""
        name, content = make_wheel("frog", version)
        file = self.machine.home / name
        file.write_bytes(content)
        return ("publish", "--trusted-publishing", "always", "--publish-url", to, str(file))

    def publishes(self, version: str, to: str) -> str:
        """Publish, and return what uv said."""
        return self.machine.run("uv", *self.command(version, to))

    def fails(self, version: str, to: str) -> str:
        """Try to publish, and return what uv said."""
        return self.machine.fails("uv", *self.command(version, to))


def larder_is_trusted(folder: Path) -> dict[str, str]:
    """Return what has clients believe the certificates of these tests."""
    ca = folder / "ca.pem"
    ca.write_text(ca_pem())
    return {"SSL_CERT_FILE": str(ca), "CURL_CA_BUNDLE": str(ca)}


class GitHubJob(Job):
    """One of GitHub Actions: its environment says where its issuer is."""

    def __init__(self, machine: Machine, issuers: Issuers) -> None:
        super().__init__(machine)
        self._claims: dict[str, Any] = {}
        machine.variables |= variables_of_github(issuers, self._claims)

    def says(self, claims: dict[str, Any]) -> None:
        """Have its issuer say this of it, and for the rest what it says of octo/frog."""
        self._claims.clear()
        self._claims.update(claims)


def exchanged(larder: Larder, shown: str) -> tuple[int, dict[str, Any]]:
    """Send what CI shows to the front door, and return status and answer."""
    known = ssl.create_default_context(cadata=ca_pem())
    request = Request(  # noqa: S310 - https, on loopback
        f"{larder.url}/_/oidc/mint-token",
        json.dumps({"token": shown}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urlopen(request, context=known, timeout=30) as answer:  # noqa: S310 - as above
            return answer.status, json.load(answer)
    except HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)
