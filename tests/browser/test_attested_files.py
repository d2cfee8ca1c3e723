"""Attested files from end to end: twine and uv send them, an outsider reads them, pages show them.

The jobs that attest are certified by a Sigstore of the tests, which this Larder is told to trust.
"""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.authority import ca_pem, write_server_files
from tests.browser.signing_in import sign_in
from tests.browser.sound import listen_to, require_sound_at_each_width
from tests.cast import basic
from tests.dists import make_wheel
from tests.issuers import LoopbackIssuer, issuing
from tests.journeys import larder as larders
from tests.journeys.front import nginx
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine, sha256, twine, uv
from tests.signing import claims_at, signed
from tests.sigstores import ON_GITHUB, PUBLISH, SLSA, Job, statement, the_sigstore
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
# What somebody does who has the file, what the index serves beside it, and trusts that Sigstore.
_READ_BACK = """
import sys
from pathlib import Path
from pypi_attestations import Distribution, Provenance
from sigstore.models import TrustedRoot
from sigstore.verify import Verifier, policy
wheel, provenance, root = map(Path, sys.argv[1:4])
verifier = Verifier(trusted_root=TrustedRoot.from_file(str(root)))
digest = Distribution.from_file(wheel).digest
(bundle,) = Provenance.model_validate_json(provenance.read_bytes()).attestation_bundles
print(bundle.publisher.kind, bundle.publisher.repository, bundle.publisher.workflow)
for attestation in bundle.attestations:
    _, payload = verifier.verify_dsse(attestation.to_bundle(), policy.UnsafeNoOp())
    assert digest.encode() in payload
    print(attestation.statement["predicateType"])
"""
COMMIT = "5" * 40


@pytest.fixture(scope="module")
def issuer() -> Iterator[LoopbackIssuer]:
    """An issuer by TLS, of which jobs ask what they show."""
    with issuing() as running:
        yield running


@pytest.fixture(scope="module")
def trust_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whom to trust: the Sigstore of the tests."""
    return the_sigstore().write_trust_root(tmp_path_factory.mktemp("root") / "trusted_root.json")


@pytest.fixture(scope="module")
def larder(trust_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Larder]:
    """A Larder behind nginx and TLS, with a Sigstore of its own."""
    tls = write_server_files(tmp_path_factory.mktemp("tls"))
    settings = {
        "LARDER_BASE_URL": "https://localhost",
        **larders.BEHIND_NGINX,
        "LARDER_SIGSTORE_TRUST_ROOT": str(trust_root),
    }
    with larders.embedded(settings) as running:
        home = Path(running.environment["LARDER_HOME"])
        app = urlsplit(running.url).port or 0
        with larders.edge(running) as edge, nginx(app, edge.port, home, tls) as front:
            yield replace(running, url=f"https://localhost:{front.port}")


@pytest.fixture(scope="module")
def shelf(larder: Larder, issuer: LoopbackIssuer) -> Repository:
    """A repository that trusts octo/frog, on a GitHub of one's own and on the public one."""
    repository = larder.repository()
    for url in (issuer.url, ON_GITHUB.issuer):
        larder.python(_TRUST, url, ca_pem(), repository.name)
    return repository


@dataclass
class Ci:
    """A job of octo/frog: it builds, attests, and publishes with a client."""

    machine: Machine
    issuer: LoopbackIssuer

    def __post_init__(self) -> None:
        """Let the machine be one of GitHub Actions, whose issuer vouches for the job."""
        ca = self.machine.home / "ca.pem"
        ca.write_text(ca_pem())
        self.machine.variables |= {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.issuer.url}/token?api-version=2",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "for-the-issuer",
            "SSL_CERT_FILE": str(ca),
            "REQUESTS_CA_BUNDLE": str(ca),
        }

        def shows(_asked: Asked) -> Reply:
            usual = {"iss": self.issuer.url, "aud": "localhost", "jti": secrets.token_hex(8)}
            said = {"sha": COMMIT, "run_id": "9", "run_attempt": "1", "environment": "release"}
            shown = signed(claims_at(datetime.now(UTC), **usual | said))
            return Reply(json.dumps({"value": shown}).encode(), kind="application/json")

        self.issuer.server.replies["/token?api-version=2&audience=localhost"] = shows

    def builds(self, version: str, *, name: str = "frog") -> Path:
        """Build a wheel that says where it comes from."""
        headers = [
            "Summary: Frogs for functional units",
            f"Project-URL: Source, {self.issuer.url}/Octo/frog",
            "Project-URL: Documentation, https://frog.example/docs",
        ]
        filename, content = make_wheel(name, version, extra_headers=headers)
        wheel = self.machine.home / filename
        wheel.write_bytes(content)
        return wheel

    @property
    def job(self) -> Job:
        """Return what it is to a Sigstore."""
        url = f"{self.issuer.url}/Octo/frog"
        workflow = f"{url}/.github/workflows/release.yml@refs/heads/main"
        run = f"{url}/actions/runs/9/attempts/1"
        return Job(issuer=self.issuer.url, source=url, commit=COMMIT, workflow=workflow, run=run)

    def attests(self, wheel: Path, *, digest: str = "", job: Job | None = None) -> list[Path]:
        """Attest a wheel twice, and return both files, which lie beside it."""
        made = []
        for name, kind in (("publish", PUBLISH), ("slsa", SLSA)):
            said = statement(wheel.name, digest or sha256(wheel), kind)
            path = wheel.with_name(f"{wheel.name}.{name}.attestation")
            path.write_text(json.dumps(the_sigstore().attestation(said, job or self.job)))
            made.append(path)
        return made

    def publishes(self, *files: Path, to: Repository) -> None:
        """Publish without a secret."""
        command = ("publish", "--trusted-publishing", "always", "--publish-url", to.url)
        self.machine.run("uv", *command, *map(str, files))


def got(url: str, token: str, accept: str = "*/*") -> bytes:
    """Return what is at an address of the Larder."""
    known = ssl.create_default_context(cadata=ca_pem())
    headers = {**basic("__token__", token), "Accept": accept}
    request = Request(url, headers=headers)  # noqa: S310 - https, on loopback
    with urlopen(request, context=known, timeout=30) as answer:  # noqa: S310 - as above
        return bytes(answer.read())


def provenances(shelf: Repository, token: str) -> list[str]:
    """Return where the page of frog says that attestations are."""
    page = got(f"{shelf.simple}frog/", token, "application/vnd.pypi.simple.v1+json")
    return [file["provenance"] for file in json.loads(page)["files"] if "provenance" in file]


@pytest.fixture
def ci(machine: Machine, issuer: LoopbackIssuer) -> Ci:
    """A job."""
    return Ci(machine, issuer)


def test_uv_publishes_by_trusted_publishing_and_no_provenance_passes_it_for_the_public_host_s(
    larder: Larder, shelf: Repository, ci: Ci
) -> None:
    wheel = ci.builds("1.0")
    ci.publishes(wheel, *ci.attests(wheel), to=shelf)
    page = got(f"{shelf.simple}frog/", larder.reader).decode()
    assert wheel.name in page
    assert f"{wheel.name}.provenance" not in page


def test_twine_publishes_with_a_token_and_an_outsider_verifies_what_is_served(
    larder: Larder, shelf: Repository, ci: Ci, trust_root: Path
) -> None:
    wheel = ci.builds("1.1")
    attestations = ci.attests(wheel, job=ON_GITHUB)
    command = twine(shelf.url, [wheel, *attestations], token=larder.writer)
    ci.machine.run(*command, "--attestations")
    beside = f"{shelf.url}files/frog/{sha256(wheel)}/{wheel.name}.provenance"
    assert beside in provenances(shelf, larder.reader)
    served = ci.machine.home / "served"
    served.write_text(got(beside, larder.reader).decode())
    read = [sys.executable, "-c", _READ_BACK, str(wheel), str(served), str(trust_root)]
    done = subprocess.run(read, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["GitHub Octo/frog release.yml", PUBLISH, SLSA]


def test_an_altered_one_is_refused_with_its_reason_in_the_terminal(
    larder: Larder, shelf: Repository, ci: Ci
) -> None:
    wheel = ci.builds("6.0")
    others = ci.attests(wheel, digest="0" * 64)
    for command in (
        (*twine(shelf.url, [wheel, *others], token=larder.writer), "--attestations"),
        uv(shelf.url, [wheel, *others], token=larder.writer),
    ):
        told = " ".join(ci.machine.fails(*command).split())
        assert wheel.name in told
        assert "is one of a file with another SHA-256" in told, told


def test_a_repository_that_trusts_nobody_ignores_them(larder: Larder, ci: Ci) -> None:
    shelf, wheel = larder.repository(), ci.builds("1.0")
    attested = [wheel, *ci.attests(wheel, digest="0" * 64)]
    ci.machine.run(*uv(shelf.url, attested, token=larder.writer))
    assert provenances(shelf, larder.reader) == []


def test_pages_tell_who_built_it_and_who_says_so(
    larder: Larder, shelf: Repository, ci: Ci, issuer: LoopbackIssuer, chromium: Browser
) -> None:
    wheel = ci.builds("2.0")
    ci.publishes(wheel, *ci.attests(wheel), to=shelf)
    ci.machine.run(*twine(shelf.url, [ci.builds("2.1")], token=larder.writer))
    (password,) = larder.manage(["set_password", "ray"])
    for scheme in ("light", "dark"):
        with chromium.new_context(ignore_https_errors=True, color_scheme=scheme) as context:
            page = context.new_page()
            wrong = listen_to(page)
            sign_in(page, larder, "ray", password)
            _look(page, shelf, wheel.name, f"{issuer.url}/Octo/frog")
            assert wrong == []


def _look(page: Page, shelf: Repository, filename: str, home: str) -> None:
    page.goto(f"{shelf.url}project/frog/2.0/")
    rail = page.locator(".rail-first")
    expect(rail).to_contain_text("Built by verified")
    expect(rail).to_contain_text("said by the issuer")
    expect(rail).to_contain_text("Links claimed")
    expect(rail.get_by_text("the attested source")).to_have_count(1)
    require_sound_at_each_width(page)
    page.goto(f"{shelf.url}project/frog/2.0/{filename}/?tab=security")
    told = page.locator("section[aria-labelledby=provenance]")
    commit = told.get_by_role("link", name=COMMIT).first
    expect(commit).to_have_attribute("href", f"{home}/commit/{COMMIT}")
    for words in ("verified", "said by the issuer", "claimed"):
        expect(told.locator(".badge", has_text=words).first).to_be_visible()
    require_sound_at_each_width(page)
    page.goto(f"{shelf.url}project/frog/2.0/{filename}/")
    expect(page.locator("main")).to_contain_text("Published by the same run said by the issuer")
    require_sound_at_each_width(page)
    page.goto(f"{shelf.url}project/frog/2.0/?tab=files")
    expect(page.get_by_role("row", name=filename)).to_contain_text("attested")
    page.goto(f"{shelf.url}project/frog/?tab=versions")
    expect(page.get_by_role("row", name="2.0")).to_contain_text("attested")
    expect(page.get_by_role("row", name="2.1")).not_to_contain_text("attested")
    require_sound_at_each_width(page)
    page.goto(f"{shelf.url}project/frog/2.1/")
    expect(page.locator(".rail-first")).not_to_contain_text("Built by")
