"""CI that publishes as a job runs it: real clients, by TLS, on PostgreSQL, and without a secret.

uv knows jobs of GitHub and GitLab. Of Google's no client knows; what docs/trusted-publishing.md
has such a job do is done here against a metadata server that answers as Google's is written to.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.authority import ca_pem, write_server_files
from tests.dists import make_wheel
from tests.issuers import LoopbackIssuer, issuing
from tests.journeys import larder as larders
from tests.journeys.larder import Larder
from tests.journeys.machine import Machine
from tests.journeys.test_nginx import nginx
from tests.signing import by_hand, claims_at, signed, with_public_key_as_secret
from tests.upstreams import Asked, Reply

_TRUST = """
import json, sys
import django
django.setup()
from accounts.models import Issuer
from base.audit import SYSTEM
from repos import publishers
from repos.models import Repository, TrustedPublisher
url, name, what = sys.argv[1:]
tenant, key = name.split("/")
publishers.add_publisher(
    TrustedPublisher(
        repository=Repository.objects.get(tenant__slug=tenant, key=key),
        normalized="frog",
        issuer=Issuer.objects.get(url=url),
        **json.loads(what),
    ),
    by=SYSTEM,
)
"""
_PUBLISHED = """
import sys
import django
django.setup()
from base.models import AuditEvent
from packages.models import Distribution
for row in Distribution.objects.filter(repository__key=sys.argv[1].split("/")[1]):
    print(row.filename, "by", row.uploaded_by)
for action in AuditEvent.objects.filter(repository=sys.argv[1]).values_list("action", flat=True):
    print(action)
"""
_GITHUB = {"source": "octo/frog", "workflow": "release.yml"}
_AT_ONCE = 20


@dataclass
class Issuers:
    """The three, each by TLS."""

    github: LoopbackIssuer
    gitlab: LoopbackIssuer
    google: LoopbackIssuer
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def claims(self, issuer: LoopbackIssuer, **other: Any) -> dict[str, Any]:
        """Return what an issuer says now of a job, which it says once."""
        usual = {"iss": issuer.url, "aud": "localhost", "jti": f"job-{next(self.numbers)}"}
        return claims_at(datetime.now(UTC), **usual | other)


@pytest.fixture(scope="module")
def issuers() -> Iterator[Issuers]:
    """The issuers of which jobs ask what they show."""
    with ExitStack() as stack:
        yield Issuers(*(stack.enter_context(issuing()) for _ in range(3)))


@pytest.fixture(scope="module")
def larder(issuers: Issuers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Larder]:
    """A Larder behind nginx and TLS, where the issuers are added."""
    folder = tmp_path_factory.mktemp("tls")
    tls = write_server_files(folder)
    (folder / "ca.pem").write_text(ca_pem())
    with larders.behind_nginx_by_https() as running:
        running.manage(
            *(
                ["add_issuer", each.url, "--kind", kind, "--private", "--ca", f"{folder}/ca.pem"]
                for kind in ("github", "gitlab", "google")
                for each in [getattr(issuers, kind)]
            )
        )
        blobs = Path(running.environment["LARDER_HOME"]) / "blobs"
        with nginx(urlsplit(running.url).port or 0, blobs, tls) as port:
            yield replace(running, url=f"https://localhost:{port}")


def trust(larder: Larder, issuer: LoopbackIssuer, shelf: str, **what: str) -> None:
    """Let a repository trust CI with its project frog."""
    larder.python(_TRUST, issuer.url, shelf, json.dumps(what))


class Job:
    """A job with uv, whose environment its host has set."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        ca = machine.home / "ca.pem"
        ca.write_text(ca_pem())
        machine.variables["SSL_CERT_FILE"] = str(ca)

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


class GitHubJob(Job):
    """One of GitHub Actions: its environment says where its issuer is."""

    def __init__(self, machine: Machine, issuers: Issuers) -> None:
        super().__init__(machine)
        issuer = issuers.github
        self.claims: dict[str, Any] = {}
        machine.variables |= {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/token?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "for-the-issuer",
        }

        def shows(_asked: Asked) -> Reply:
            shown = signed(issuers.claims(issuer, **self.claims))
            return Reply(json.dumps({"value": shown}).encode(), kind="application/json")

        issuer.server.replies["/token?api-version=2&audience=localhost"] = shows


@pytest.fixture
def job(machine: Machine, issuers: Issuers) -> GitHubJob:
    """A job that may show what it likes."""
    return GitHubJob(machine, issuers)


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


def test_a_pending_publisher_of_github_publishes_and_publishes_again(
    larder: Larder, issuers: Issuers, job: GitHubJob
) -> None:
    shelf = larder.repository()
    trust(larder, issuers.github, shelf.name, **_GITHUB)
    for version in ("1.0", "2.0"):
        job.publishes(version, shelf.url)
    told = larder.python(_PUBLISHED, shelf.name).splitlines()
    assert "frog-2.0-py3-none-any.whl by GitHub: octo/frog, release.yml" in told
    done = Counter(told)
    assert done["publisher.token"] == done["distribution.publish"] == 2
    assert done["publisher.burn"] == 2  # uv ends its tokens


def test_a_pending_publisher_of_gitlab_publishes_and_publishes_again(
    larder: Larder, issuers: Issuers, machine: Machine
) -> None:
    shelf, job = larder.repository(), Job(machine)
    what = {"source": "acme/tools/frog", "workflow": ".gitlab-ci.yml", "ref": "refs/tags/*"}
    trust(larder, issuers.gitlab, shelf.name, **what)

    def shows(**other: str) -> None:
        gitlab = {
            "sub": "project_path:acme/tools/frog:ref_type:tag:ref:v1",
            "project_path": "acme/tools/frog",
            "namespace_path": "acme/tools",
            "namespace_id": "72",
            "ci_config_ref_uri": "gitlab.example/acme/tools/frog//.gitlab-ci.yml@refs/tags/v1",
            "ref_path": "refs/tags/v1",
        }
        claims = issuers.claims(issuers.gitlab, **gitlab | other)
        machine.variables |= {"GITLAB_CI": "true", "LOCALHOST_ID_TOKEN": signed(claims)}

    for version in ("1.0", "2.0"):
        shows()
        job.publishes(version, shelf.url)
    assert "exchanged before" in job.fails("3.0", shelf.url)  # a pipeline has one for each job
    shows(ref_path="refs/heads/main")
    assert "No project here trusts GitLab: acme/tools/frog" in job.fails("3.0", shelf.url)
    told = larder.python(_PUBLISHED, shelf.name).splitlines()
    assert "frog-2.0-py3-none-any.whl by GitLab: acme/tools/frog, .gitlab-ci.yml" in told


def test_what_is_not_trusted_is_told_to_who_runs_the_job(
    larder: Larder, issuers: Issuers, job: GitHubJob
) -> None:
    shelf, other = larder.repository(), larder.repository()
    trust(larder, issuers.github, shelf.name, **_GITHUB)
    job.claims = {"repository": "evil/frog"}
    assert "No project here trusts GitHub: evil/frog" in job.fails("1.0", shelf.url)
    job.claims = {"jti": "always the same"}
    job.publishes("1.0", shelf.url)
    assert "exchanged before" in job.fails("2.0", shelf.url)
    job.claims = {"repository_owner_id": "666"}
    assert "another owner" in job.fails("2.0", shelf.url)
    job.claims = {}
    assert "is not trusted to publish to" in job.fails("2.0", other.url)


def test_each_forgery_is_refused_at_the_front_door_with_its_reason(
    larder: Larder, issuers: Issuers
) -> None:
    shelf, github = larder.repository(), issuers.github
    trust(larder, github, shelf.name, **_GITHUB)
    at = int(datetime.now(UTC).timestamp())
    workflow = "octo/frog/.github/workflows/test.yml@refs/heads/main"

    def claims(**other: Any) -> dict[str, Any]:
        return issuers.claims(github, **other)

    good = signed(claims())
    heard = exchanged(larder, good)
    assert (heard[0], heard[1]["token"][:4]) == (200, "lrp_")
    forgeries = {
        by_hand({"alg": "none", "kid": "one"}, claims(), lambda _: b""): "not signed with RS256",
        with_public_key_as_secret(claims()): "not signed with RS256",
        signed(claims(aud="elsewhere")): "is not for localhost",
        signed(claims(aud=["localhost", "elsewhere"])): "is not for localhost",
        signed(claims(iss="https://evil.example")): "is no issuer that an administrator added",
        signed(claims(iss=issuers.google.url)): "e-mail address was verified",
        signed(claims(exp=at - 60)): "has expired",
        signed(claims(iat=at + 120, nbf=at + 120)): "is not valid yet",
        signed(claims(), "two"): "has no key of the id",
        signed(claims(), "two", kid="one"): "was not signed by",
        signed(claims(repository="octo/toad")): "No project here trusts GitHub: octo/toad",
        signed(claims(workflow_ref=workflow)): "No project here trusts GitHub: octo/frog, test.yml",
        signed(claims(repository_owner_id="666")): "another owner than the one that was trusted",
        good: "was exchanged before",
    }
    told = {shown: exchanged(larder, shown) for shown in forgeries}
    assert {status for status, _ in told.values()} == {422}
    for shown, reason in forgeries.items():
        assert reason in told[shown][1]["message"]
    assert exchanged(larder, signed(claims()))[0] == 200  # none of them has spoilt anything


def test_of_twenty_exchanges_of_one_assertion_one_wins(larder: Larder, issuers: Issuers) -> None:
    trust(larder, issuers.github, larder.repository().name, **_GITHUB)
    shown = signed(issuers.claims(issuers.github))
    start = threading.Barrier(_AT_ONCE)

    def one(_: int) -> tuple[int, str]:
        start.wait()
        status, said = exchanged(larder, shown)
        return status, said.get("errors", [{}])[0].get("code", "")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        heard = Counter(pool.map(one, range(_AT_ONCE)))
    assert heard == {(200, ""): 1, (422, "invalid-reuse-token"): _AT_ONCE - 1}
