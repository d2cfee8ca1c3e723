"""`uv publish --trusted-publishing always`, as a job runs it: by TLS, and without a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.authority import ca_pem, write_server_files
from tests.dists import make_wheel
from tests.issuers import LoopbackIssuer, issuing
from tests.journeys import larder as larders
from tests.journeys.larder import Larder
from tests.journeys.machine import Machine
from tests.journeys.test_nginx import nginx
from tests.signing import claims_at, signed
from tests.upstreams import Asked, Reply

_TRUST = """
import sys
import django
django.setup()
from accounts.models import Issuer
from base.audit import SYSTEM
from repos import publishers
from repos.models import Repository, TrustedPublisher
url, ca, name = sys.argv[1:]
issuer = Issuer.objects.filter(url=url).first()
if issuer is None:
    issuer = Issuer(kind="github", url=url, ca=ca, private_allowed=True)
    publishers.save_issuer(issuer, by=SYSTEM)
tenant, key = name.split("/")
repository = Repository.objects.get(tenant__slug=tenant, key=key)
publishers.add_publisher(
    TrustedPublisher(
        repository=repository,
        normalized="frog",
        issuer=issuer,
        source="octo/frog",
        workflow="release.yml",
    ),
    by=SYSTEM,
)
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[LoopbackIssuer]:
    """An issuer by TLS, of which jobs ask what they show."""
    with issuing() as running:
        yield running


@pytest.fixture(scope="module")
def larder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Larder]:
    """A Larder behind nginx and TLS."""
    tls = write_server_files(tmp_path_factory.mktemp("tls"))
    with larders.behind_nginx_by_https() as running:
        blobs = Path(running.environment["LARDER_HOME"]) / "blobs"
        with nginx(urlsplit(running.url).port or 0, blobs, tls) as port:
            yield replace(running, url=f"https://localhost:{port}")


class Job:
    """A job of GitHub Actions: uv, and an environment that says where its issuer is."""

    def __init__(self, machine: Machine, issuer: LoopbackIssuer) -> None:
        self.machine = machine
        self._issuer = issuer
        self._numbers = count(1)
        self.claims: dict[str, Any] = {}
        ca = machine.home / "ca.pem"
        ca.write_text(ca_pem())
        machine.variables |= {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/token?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "for-the-issuer",
            "SSL_CERT_FILE": str(ca),
        }
        issuer.server.replies["/token?api-version=2&audience=localhost"] = self._shows

    def _shows(self, _asked: Asked) -> Reply:
        usual = {"iss": self._issuer.url, "aud": "localhost", "jti": f"job-{next(self._numbers)}"}
        shown = signed(claims_at(datetime.now(UTC), **usual | self.claims))
        return Reply(json.dumps({"value": shown}).encode(), kind="application/json")

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


@pytest.fixture
def job(machine: Machine, issuer: LoopbackIssuer) -> Job:
    """A job that may show what it likes."""
    return Job(machine, issuer)


def test_a_pending_publisher_publishes_and_publishes_again(
    larder: Larder, issuer: LoopbackIssuer, job: Job
) -> None:
    shelf = larder.repository()
    larder.python(_TRUST, issuer.url, ca_pem(), shelf.name)
    for version in ("1.0", "2.0"):
        job.publishes(version, shelf.url)
    told = larder.python(
        "import django; django.setup();"
        "from packages.models import Distribution; from base.models import AuditEvent;"
        "print(sorted(Distribution.objects.values_list('filename', 'uploaded_by')));"
        "print(sorted(set(AuditEvent.objects.filter(repository='" + shelf.name + "')"
        ".values_list('action', flat=True))))"
    )
    assert "('frog-2.0-py3-none-any.whl', 'GitHub: octo/frog, release.yml')" in told
    assert "'publisher.burn', 'publisher.token'" in told  # uv ends its token


def test_what_is_not_trusted_is_refused_with_its_reason(
    larder: Larder, issuer: LoopbackIssuer, job: Job
) -> None:
    shelf, other = larder.repository(), larder.repository()
    larder.python(_TRUST, issuer.url, ca_pem(), shelf.name)
    job.claims = {"repository": "evil/frog"}
    assert "No project here trusts GitHub: evil/frog" in job.fails("1.0", shelf.url)
    job.claims = {"aud": "elsewhere"}
    assert "is not for localhost" in job.fails("1.0", shelf.url)
    job.claims = {"jti": "always the same"}
    job.publishes("1.0", shelf.url)
    assert "exchanged before" in job.fails("2.0", shelf.url)
    job.claims = {"repository_owner_id": "666"}
    assert "another owner" in job.fails("2.0", shelf.url)
    job.claims = {}
    assert "is not trusted to publish to" in job.fails("2.0", other.url)
