"""CI that publishes as a job runs it: real clients, by TLS, on PostgreSQL, and without a secret.

uv knows jobs of GitHub and GitLab. Of Google's no client knows; what docs/trusted-publishing.md
has such a job do is done here against a metadata server that answers as Google's is written to.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.authority import ca_pem, write_server_files
from tests.dists import make_wheel
from tests.issuers import LoopbackIssuer, issuing
from tests.journeys import documented
from tests.journeys import larder as larders
from tests.journeys.ci_jobs import (
    GitHubJob,
    Issuers,
    Job,
    claims_of_gitlab,
    exchanged,
    larder_is_trusted,
    variables_of_github,
)
from tests.journeys.documented import Desk
from tests.journeys.front import nginx
from tests.journeys.larder import ADMIN_PASSWORD, Larder
from tests.journeys.machine import Machine
from tests.signing import by_hand, signed, with_public_key_as_secret
from tests.upstreams import Reply, Server, serving

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
tokens = AuditEvent.objects.filter(repository=sys.argv[1], action="distribution.publish")
for event in AuditEvent.objects.filter(token__in=tokens.values("token")):
    print(event.action)
"""
_GITHUB = {"source": "octo/frog", "workflow": "release.yml"}
_AT_ONCE = 20


@pytest.fixture(scope="module")
def issuers() -> Iterator[Issuers]:
    """The issuers of which jobs ask what they show."""
    with ExitStack() as stack:
        github, gitlab, google, other = (stack.enter_context(issuing()) for _ in range(4))
        yield Issuers(github, gitlab, google, other)


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
                for kind in ("github", "gitlab", "google", "other")
                for each in [getattr(issuers, kind)]
            )
        )
        home = Path(running.environment["LARDER_HOME"])
        app = urlsplit(running.url).port or 0
        with larders.edge(running) as edge, nginx(app, edge.port, home, tls) as front:
            yield replace(running, url=f"https://localhost:{front.port}")


def host_of(issuer: LoopbackIssuer) -> str:
    """Return where an issuer is, which is no public one."""
    return urlsplit(issuer.url).netloc


def trust(larder: Larder, issuer: LoopbackIssuer, shelf: str, **what: str) -> None:
    """Let a repository trust CI with its project frog."""
    larder.python(_TRUST, issuer.url, shelf, json.dumps(what))


@pytest.fixture
def job(machine: Machine, issuers: Issuers) -> GitHubJob:
    """A job that may show what it likes."""
    return GitHubJob(machine, issuers)


def test_a_pending_publisher_of_github_publishes_and_publishes_again(
    larder: Larder, issuers: Issuers, job: GitHubJob
) -> None:
    shelf = larder.repository()
    trust(larder, issuers.github, shelf.name, **_GITHUB)
    for version in ("1.0", "2.0"):
        job.publishes(version, shelf.url)
    told = larder.python(_PUBLISHED, shelf.name).splitlines()
    who = f"GitHub at {host_of(issuers.github)}: octo/frog, release.yml"
    assert f"frog-2.0-py3-none-any.whl by {who}" in told
    done = Counter(told)
    assert done["publisher.token"] == done["distribution.publish"] == 2
    assert done["publisher.burn"] == 2  # uv ends its tokens


def test_a_pending_publisher_of_gitlab_publishes_and_publishes_again(
    larder: Larder, issuers: Issuers, machine: Machine
) -> None:
    shelf, job = larder.repository(), Job(machine)
    what = {"source": "acme/tools/frog", "workflow": ".gitlab-ci.yml", "ref": "refs/tags/*"}
    trust(larder, issuers.gitlab, shelf.name, **what)

    def shows(ref: str = "refs/tags/v1") -> None:
        claims = issuers.claims(issuers.gitlab, **claims_of_gitlab("acme/tools/frog", ref))
        machine.variables |= {"GITLAB_CI": "true", "LOCALHOST_ID_TOKEN": signed(claims)}

    for version in ("1.0", "2.0"):
        shows()
        job.publishes(version, shelf.url)
    assert "exchanged before" in job.fails("3.0", shelf.url)  # a pipeline has one for each job
    shows("refs/heads/main")
    assert "No project here trusts this job: project acme/tools/frog" in job.fails("3.0", shelf.url)
    told = larder.python(_PUBLISHED, shelf.name).splitlines()
    who = f"GitLab at {host_of(issuers.gitlab)}: acme/tools/frog, .gitlab-ci.yml"
    assert f"frog-2.0-py3-none-any.whl by {who}" in told


def test_what_is_not_trusted_is_told_to_who_runs_the_job(
    larder: Larder, issuers: Issuers, job: GitHubJob
) -> None:
    shelf, other = larder.repository(), larder.repository()
    # What other tests trust is kept by nobody before it has published: this is of its own.
    trust(larder, issuers.github, shelf.name, source="octo/toad", workflow="release.yml")
    workflow = "octo/toad/.github/workflows/release.yml@refs/heads/main"
    toad = {"repository": "octo/toad", "workflow_ref": workflow}
    job.says({"repository": "evil/frog"})
    assert "No project here trusts this job: repository evil/frog" in job.fails("1.0", shelf.url)
    job.says(toad | {"jti": "always the same"})
    job.publishes("1.0", shelf.url)
    assert "exchanged before" in job.fails("2.0", shelf.url)
    job.says(toad | {"repository_owner_id": "666"})
    assert "another owner" in job.fails("2.0", shelf.url)
    job.says(toad | {"repository_id": "816"})
    assert "is another than the one of this name" in job.fails("2.0", shelf.url)
    job.says(toad)
    assert "is not trusted to publish to" in job.fails("2.0", other.url)


def test_each_forgery_is_refused_at_the_front_door_with_its_reason(
    larder: Larder, issuers: Issuers
) -> None:
    shelf, github = larder.repository(), issuers.github
    newt = {"source": "octo/newt", "workflow": "release.yml"}
    trust(larder, github, shelf.name, **newt, owner_id="4711", source_id="815")
    at = int(datetime.now(UTC).timestamp())
    files = "octo/newt/.github/workflows"

    def claims(**other: Any) -> dict[str, Any]:
        own = {"repository": "octo/newt", "workflow_ref": f"{files}/release.yml@refs/heads/main"}
        return issuers.claims(github, **own | other)

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
        signed(
            claims(repository="octo/evil")
        ): "No project here trusts this job: repository octo/evil",
        signed(
            claims(workflow_ref=f"{files}/test.yml@refs/heads/main")
        ): "repository octo/newt, workflow test.yml, no env",
        signed(claims(repository_owner_id="666")): "another owner than the one that was trusted",
        signed(claims(repository_id="816")): "is another than the one of this name",
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


Opened = Callable[[str, dict[str, str]], Desk]


@pytest.fixture
def desk_with(larder: Larder, command_site: Path, tmp_path: Path) -> Opened:
    """Opens a page of docs/ on a desk with all clients; its tenant has a repository."""
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    folder.mkdir()
    known = documented.desk_environment(command_site, home) | larder_is_trusted(tmp_path)
    known |= {"LARDER": f"{larder.url}/api/v1", "ROOT": f"admin:{ADMIN_PASSWORD}"}

    def opened(page: str, hosts: dict[str, str]) -> Desk:
        if "manage.py" in documented.text_of(page):
            known.update(documented.where_larder_runs(larder, folder))
        here = {"packages.example": "localhost", "PACKAGES_EXAMPLE": "LOCALHOST"}
        desk = Desk(larder, page, folder, known, hosts | here)
        desk.prepare(
            ["create_tenant", "acme"],
            ["create_user", "ada", "--tenant", "acme", "--tenant-admin"],
            ["create_repository", "acme/pypi-local"],
        )
        known["WHO"] = desk.here(f"ada:{(folder / 'password').read_text().strip()}")
        return desk

    return opened


def test_a_publisher_follows_the_page_and_its_jobs_publish(
    issuers: Issuers, desk_with: Opened
) -> None:
    with serving() as metadata:
        desk = desk_with(
            "trusted-publishing.md",
            {
                "--github acme/frog": f"--github acme/frog --issuer {issuers.github.url}",
                "GitHub: acme/": f"GitHub at {host_of(issuers.github)}: acme/",
                "--gitlab acme/frog": f"--gitlab acme/frog --issuer {issuers.gitlab.url}",
                "--google releases": f"--issuer {issuers.google.url} --google releases",
                "https://ci.example": issuers.other.url,
                "http://metadata.google.internal/": metadata.url,
            },
        )
        setting_up, afterwards = desk.text.split("## Who built what")
        desk.follow(setting_up)
        publish_at_github(desk, issuers)
        publish_at_gitlab(desk, issuers)
        publish_at_google(desk, issuers, metadata)
    said = desk.follow(f"## Who built what{afterwards}")
    hosts = {name: host_of(getattr(issuers, name)) for name in ("github", "gitlab", "google")}
    for version, name in (
        ("1.0", f"GitHub at {hosts['github']}: trusted-publishing/frog, release.yml, release"),
        ("1.1", f"GitLab at {hosts['gitlab']}: trusted-publishing/frog, .gitlab-ci.yml"),
        (
            "1.2",
            f"Google at {hosts['google']}: releases@trusted-publishing.iam.gserviceaccount.com",
        ),
    ):
        assert f"frog-{version}-py3-none-any.whl\t{name}\n" in said


def publish_at_github(desk: Desk, issuers: Issuers) -> None:
    """Run the workflow of the page, from the file that it has somebody write."""
    workflow = yaml.safe_load((desk.folder / ".github/workflows/release.yml").read_text())
    (job,) = workflow["jobs"].values()
    assert job["permissions"]["id-token"] == "write"
    claims = {
        "repository": "trusted-publishing/frog",
        "workflow_ref": "trusted-publishing/frog/.github/workflows/release.yml@refs/tags/v1",
        "ref": "refs/tags/v1",
        "environment": job["environment"],
    }
    does = [step["run"] for step in job["steps"] if "run" in step]
    publish(desk, "1.0", does, **variables_of_github(issuers, claims))


def publish_at_gitlab(desk: Desk, issuers: Issuers) -> None:
    """Run the job of the page's pipeline, with the variable that it asks for."""
    (job,) = yaml.safe_load((desk.folder / ".gitlab-ci.yml").read_text()).values()
    ((variable, wanted),) = job["id_tokens"].items()
    said = claims_of_gitlab("trusted-publishing/frog") | {"aud": wanted["aud"]}
    shown = signed(issuers.claims(issuers.gitlab, **said))
    publish(desk, "1.1", job["script"], **{"GITLAB_CI": "true", variable: shown})


def publish_at_google(desk: Desk, issuers: Issuers, metadata: Server) -> None:
    """Run the script of the page, which its build runs last."""
    build = yaml.safe_load((desk.folder / "cloudbuild.yaml").read_text())
    does = [" ".join([step["entrypoint"], *step["args"]]) for step in build["steps"]]
    account = build["serviceAccount"].rpartition("/")[2]
    said = {"sub": "1234", "email": account, "email_verified": True}
    path = "/computeMetadata/v1/instance/service-accounts/default/identity"
    metadata.replies[f"{path}?audience=localhost&format=full"] = lambda asked: (
        Reply(signed(issuers.claims(issuers.google, **said)).encode())
        if asked.headers.get("Metadata-Flavor") == "Google"
        else Reply(status=403)
    )
    publish(desk, "1.2", does)


def publish(desk: Desk, version: str, does: list[str], **variables: str) -> None:
    """Do what a job does, but for building: that is made here, without what flit would ask for."""
    assert does[0] == "uv build"
    shutil.rmtree(desk.folder / "dist", ignore_errors=True)
    (desk.folder / "dist").mkdir()
    name, content = make_wheel("frog", version)
    (desk.folder / "dist" / name).write_bytes(content)
    documented.run_all(does[1:], desk.folder, desk.environment | variables)


def test_an_administrator_follows_the_page_about_issuers(larder: Larder, desk_with: Opened) -> None:
    with issuing() as gitlab:
        own = {
            "https://gitlab.acme.example": gitlab.url,
            "GitLab at gitlab.acme.example": f"GitLab at {host_of(gitlab)}",
        }
        desk = desk_with("issuers.md", own)
        (desk.folder / "ca.pem").write_text(ca_pem())
        said = desk.follow()
    assert f"{gitlab.url} answers, with 1 key." in said
    assert f"newt\tGitLab at {host_of(gitlab)}: issuers/newt, .gitlab-ci.yml\ttrue" in said
    assert "issuer.delete" in (desk.folder / "audit.csv").read_text()
