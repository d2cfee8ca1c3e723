"""Dependency confusion, counted: a namesake upstream in every shape, at every URL of the door.

Our package has one name with theirs. Whatever they publish and whatever fails here, no byte of
theirs is given out, no hash of theirs is listed, and upstream never hears the name.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin

import pytest
from django.test import Client

from accounts.roles import Role
from base.audit import SYSTEM
from packages import curate
from packages.index import held
from packages.models import Blob, Distribution, Project
from repos import configure
from repos.models import Claim, Repository
from tests.cast import Cast, Member, grant
from tests.dists import make_sdist, make_wheel
from tests.packages.fetching import settled
from tests.uploads import published
from tests.upstreams import HTML, JSON, Asked, Reply, Server, make_remote, serving
from tests.virtuals import make_virtual

NAME = "acme-frog"
OURS = make_wheel(NAME, "1.0", files={"whose.py": b"ours"})


@dataclass
class Scene:
    """A virtual over our local and a remote, before whose upstream stands a stranger."""

    cast: Cast
    local: Repository
    virtual: Repository
    server: Server
    by: Member


@pytest.fixture
def upstream() -> Iterator[Server]:
    """An index on loopback."""
    held.forget()
    with serving() as server:
        yield server
    held.forget()


@pytest.fixture
def scene(cast: Cast, upstream: Server) -> Scene:
    """Our package, and a reader of everything."""
    remote = make_remote(cast.acme.tenant, upstream, names_are_kept=False)
    local = cast.acme.repository
    virtual = make_virtual(cast.acme, "virtual", [remote, local])
    for repository in (virtual, remote):
        grant(repository, Role.READER, cast.acme.reader)
    return Scene(cast, local, virtual, upstream, cast.acme.reader)


def wheel(version: str) -> tuple[str, bytes]:
    return make_wheel(NAME, version, files={"whose.py": b"theirs"})


NAMESAKES = {
    "higher": wheel("99.0"),
    "equal": wheel("1.0"),
    "lower": wheel("0.1"),
    "a pre-release": wheel("2.0rc1"),
    "a post-release": wheel("1.0.post1"),
    "a development release": wheel("1.1.dev1"),
    "with a local label": wheel("1.0+acme"),
    "of another epoch": wheel("1!0.1"),
    "an sdist": make_sdist(NAME, "1.0"),
    "spelled in capitals": make_wheel("Acme.Frog", "99.0", spelled="Acme.Frog"),
    "for one platform": make_wheel(NAME, "1.0", tag="cp311-cp311-manylinux_2_17_x86_64"),
    "of a later build": make_wheel(NAME, "1.0", build="2"),
}


def nothing(scene: Scene) -> None:
    """It is published and all is well."""
    ours(scene)


def ours(scene: Scene) -> None:
    published(Client(), NAME, "1.0", OURS, by=scene.cast.acme.writer)


def only_claimed(scene: Scene) -> None:
    """Nobody has published it yet."""
    configure.add_claim(Claim(repository=scene.local, pattern="acme-*"), by=SYSTEM)


def deleted(scene: Scene) -> None:
    """Its only file was deleted."""
    ours(scene)
    curate.delete(Distribution.objects.get(), by=scene.cast.acme.admin.principal)


def yanked(scene: Scene) -> None:
    """It is yanked, and installers look for another."""
    ours(scene)
    row = Distribution.objects.get()
    curate.yank(row, reason="bad", by=scene.cast.acme.admin.principal)


def quarantined(scene: Scene) -> None:
    """It is quarantined."""
    ours(scene)
    row, by = Project.objects.get(), scene.cast.acme.admin.principal
    curate.set_status(row, status=Project.Status.QUARANTINED, reason="bad", by=by)


def unreadable(scene: Scene) -> None:
    """The caller may read upstream's, and not ours."""
    ours(scene)
    configure.end_grant(scene.local.grants.get(membership__user=scene.by.user), by=SYSTEM)


def taken_out(scene: Scene) -> None:
    """The local that has it has left the virtual."""
    ours(scene)
    remote = Repository.objects.get(key="remote")
    configure.set_members(scene.virtual, [remote], by=SYSTEM)


def slow(scene: Scene) -> None:
    """Upstream takes its time, and whoever waits for it might go on without."""
    ours(scene)

    def later(_: Asked) -> Reply:
        time.sleep(0.3)
        return Reply(status=HTTPStatus.SERVICE_UNAVAILABLE)

    scene.server.replies[f"/simple/{NAME}/"] = later


def store_failing(scene: Scene) -> None:
    """Our bytes cannot be read."""
    ours(scene)
    Blob.objects.update(storage_key="gone/nowhere")


TROUBLES: list[Callable[[Scene], None]] = [
    nothing,
    only_claimed,
    deleted,
    yanked,
    quarantined,
    unreadable,
    taken_out,
    slow,
    store_failing,
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_strangers_file_is_never_given_out_under_our_name(
    client: Client, scene: Scene, trouble: Callable[[Scene], None]
) -> None:
    """Each trouble with each namesake: over a hundred cases, at every URL that could tell."""
    scene.server.add_files(NAME, *NAMESAKES.values())
    trouble(scene)
    for filename, content in NAMESAKES.values():
        theirs = hashlib.sha256(content).hexdigest()
        for url, body in answers(client, scene, filename, theirs):
            assert theirs.encode() not in body.replace(url.encode(), b""), url
            assert body != content, url
    assert not [each.path for each in scene.server.asked if NAME in each.path.lower()]


def answers(
    client: Client, scene: Scene, filename: str, sha256: str
) -> Iterator[tuple[str, bytes]]:
    """Ask every URL of the virtual that may lead to a file; at 404 installers would go on."""
    base = f"/{scene.virtual}"
    version = filename.split("-")[1].removesuffix(".tar.gz")
    pages = [f"{base}/simple/{NAME}/", f"{base}/+simple/{NAME}/"]
    for url in (
        *pages,
        f"{base}/pypi/{NAME}/json",
        f"{base}/pypi/{NAME}/{version}/json",
        f"{base}/files/{NAME}/{filename}",
        f"{base}/files/{NAME}/{sha256}/{filename}",
        f"{base}/files/{NAME}/{sha256}/{filename}.metadata",
    ):
        for accept in (JSON, HTML) if url in pages else ("*/*",):
            response = client.get(url, headers=scene.by.headers | {"Accept": accept})
            if url in pages:
                assert response.status_code in {HTTPStatus.OK, HTTPStatus.FORBIDDEN}, url
            yield url, response.getvalue()


@pytest.mark.django_db(transaction=True)
def test_what_is_not_ours_comes_through_byte_for_byte(client: Client, scene: Scene) -> None:
    """The remote beneath works: or the test above would show nothing."""
    file = make_wheel("toad", "1.0")
    scene.server.add_files("toad", file)
    headers = scene.by.headers | {"Accept": JSON}
    page = client.get(f"/{scene.virtual}/simple/toad/", headers=headers).json()
    (line,) = page["files"]
    assert line["hashes"] == {"sha256": hashlib.sha256(file[1]).hexdigest()}
    url = urljoin(f"/{scene.virtual}/simple/toad/", line["url"])
    assert client.get(url, headers=scene.by.headers).getvalue() == file[1]
    settled()
