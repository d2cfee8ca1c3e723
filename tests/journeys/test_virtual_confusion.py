"""Dependency confusion with real resolvers: through a virtual, ours is ours, whatever upstream has.

Our package `acme-frog` needs `toad`, which only the world has. The world has an `acme-frog` as
well, in every version that a resolver could prefer. Each resolver is told to take pre-releases too.
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dists import make_sdist, make_wheel
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine, signed_in, twine
from tests.journeys.remotes import make_remote
from tests.upstreams import Asked, Reply, Server, serving

NAME = "acme-frog"
TOAD = make_wheel("toad", "1.0")
NAMESAKES = [
    make_wheel(NAME, version, files={"whose.py": b"OURS = False\n"})
    for version in ("99.0", "1.0", "2.0rc1", "1.0.post1", "1.0+acme")
] + [make_sdist(NAME, "100.0")]
THEIRS = {hashlib.sha256(content).hexdigest() for _, content in NAMESAKES}
_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class Scene:
    """A virtual over a local of ours and a remote, and the index that the remote asks."""

    larder: Larder
    local: Repository
    virtual: Repository
    server: Server
    machine: Machine

    @property
    def index(self) -> str:
        """The URL that installers are given."""
        return signed_in(self.virtual.simple, self.larder.reader)

    @property
    def ours(self) -> tuple[str, bytes]:
        """Our package, in bytes that no other test has: a tenant keeps equal bytes once."""
        files = {"whose.py": b"OURS = True\n", "where.py": self.local.name.encode()}
        return make_wheel(NAME, "1.0", files=files, requires_dist=["toad"])

    def publish(self) -> None:
        """Publish ours."""
        filename, content = self.ours
        path = self.machine.folder("dist") / filename
        path.write_bytes(content)
        self.machine.run(*twine(self.local.url, [path], token=self.larder.writer))

    def project(self) -> Path:
        """Make a project that needs our package, in whatever version there is."""
        folder = self.machine.folder("consumer")
        (folder / "pyproject.toml").write_text(
            '[project]\nname = "consumer"\nversion = "1.0"\n'
            f'requires-python = "=={_HERE}.*"\ndependencies = ["{NAME}"]\n'
            "[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\n"
            f'name = "shelf"\nurl = "{self.virtual.simple}"\npriority = "primary"\n'
            "[tool.pdm]\ndistribution = false\n[tool.pdm.resolution]\nallow-prereleases = true\n"
            '[[tool.pdm.source]]\nname = "pypi"\n'
            f'url = "{signed_in(self.virtual.simple, "${SHELF_TOKEN}")}"\n'
        )
        return folder


@pytest.fixture
def upstream() -> Iterator[Server]:
    """The world: our namesakes and what we need of it."""
    with serving() as server:
        server.add_files(NAME, *NAMESAKES)
        server.add_files("toad", TOAD)
        yield server


@pytest.fixture
def scene(production: Larder, upstream: Server, machine: Machine) -> Scene:
    """A virtual of its own for each test; everybody in acme reads all of it."""
    local = production.repository()
    key = local.name.partition("/")[2]
    machine.variables |= {"UV_HTTP_RETRIES": "0", "PIP_RETRIES": "0"}
    remote = make_remote(production, f"world-{key}", upstream.url, names_are_kept=False)
    members = ["--member", remote.name, "--member", local.name]
    production.manage(["create_repository", f"acme/all-{key}", "--kind", "virtual", *members])
    virtual = Repository(f"{production.url}/acme/all-{key}/")
    return Scene(production, local, virtual, upstream, machine)


Resolved = tuple[bool, str]  # whether it succeeded; what it installed or locked, as text
Resolver = Callable[[Scene], Resolved]


def pip(scene: Scene) -> Resolved:
    """`pip install`, into a folder."""
    target = scene.machine.home / "target"
    done = ran(scene, "pip", "install", "--pre", "--target", str(target), "-i", scene.index, NAME)
    return done, installed(target)


def uv(scene: Scene) -> Resolved:
    """`uv pip install`, into a folder."""
    target = scene.machine.home / "target"
    options = ("--prerelease", "allow", "--target", str(target), "--default-index", scene.index)
    return ran(scene, "uv", "pip", "install", *options, NAME), installed(target)


def uv_lock(scene: Scene) -> Resolved:
    """`uv lock`."""
    project = scene.project()
    options = ("--prerelease", "allow", "--default-index", scene.index)
    return ran(scene, "uv", "lock", *options, within=project), locked(project / "uv.lock")


def poetry(scene: Scene) -> Resolved:
    """`poetry lock`."""
    project = scene.project()
    variables = {
        "POETRY_HTTP_BASIC_SHELF_USERNAME": "__token__",
        "POETRY_HTTP_BASIC_SHELF_PASSWORD": scene.larder.reader,
    }
    done = ran(scene, "poetry", "lock", within=project, **variables)
    return done, locked(project / "poetry.lock")


def pdm(scene: Scene) -> Resolved:
    """`pdm lock`."""
    project = scene.project()
    done = ran(scene, "pdm", "lock", within=project, SHELF_TOKEN=scene.larder.reader)
    return done, locked(project / "pdm.lock")


RESOLVERS = [pip, uv, uv_lock, poetry, pdm]


def ran(scene: Scene, *command: str, within: Path | None = None, **more: str) -> bool:
    """Run a client, and say whether it succeeded."""
    name, *arguments = command
    try:
        scene.machine.run(name, *arguments, within=within, **more)
    except AssertionError:
        return False
    return True


def installed(target: Path) -> str:
    """Return what was installed: whose our package is, and the names of all."""
    whose = target / "whose.py"
    names = " ".join(sorted(path.name for path in target.glob("*"))) if target.exists() else ""
    return f"{whose.read_text() if whose.exists() else ''} {names}"


def locked(lock: Path) -> str:
    """Return a lock file's text."""
    return lock.read_text() if lock.exists() else ""


def only_claimed(scene: Scene) -> None:
    """Claim the name, and publish nothing."""
    tell(scene, "configure.add_claim(Claim(repository=local, pattern='acme-*'), by=SYSTEM)")


def unreadable(scene: Scene) -> None:
    """Publish it, and let only its administrators read it."""
    scene.publish()
    tell(scene, "[configure.end_grant(row, by=SYSTEM) for row in list(local.grants.all())]")


def store_failing(scene: Scene) -> None:
    """Publish it, and lose its bytes."""
    scene.publish()
    blobs = "Blob.objects.filter(distributions__repository=local)"
    tell(scene, f"{blobs}.update(storage_key='gone/' + local.key)")


def upstream_slow(scene: Scene) -> None:
    """Publish it, and let upstream take its time with everything, then fail."""
    scene.publish()

    def later(_: Asked) -> Reply:
        time.sleep(0.5)
        return Reply(status=503)

    scene.server.replies |= {f"/simple/{NAME}/": later, "/simple/toad/": later}


def tell(scene: Scene, statement: str) -> None:
    """Run a statement about the local inside Larder."""
    tenant, _, key = scene.local.name.partition("/")
    scene.larder.python(
        "import django; django.setup()\n"
        "from base.audit import SYSTEM\n"
        "from packages.models import Blob\n"
        "from repos import configure\n"
        "from repos.models import Claim, Repository\n"
        f"local = Repository.objects.get(tenant__slug={tenant!r}, key={key!r})\n"
        f"{statement}\n"
    )


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_each_resolver_takes_ours_and_what_ours_needs_of_the_world(
    scene: Scene, resolver: Resolver
) -> None:
    scene.publish()
    done, text = resolver(scene)
    assert done
    assert "toad" in text
    if resolver in (pip, uv):
        assert text.startswith("OURS = True")
    else:
        assert hashlib.sha256(scene.ours[1]).hexdigest() in text
    assert_no_stranger(scene, text)


@pytest.mark.parametrize("resolver", RESOLVERS)
@pytest.mark.parametrize("trouble", [only_claimed, unreadable, store_failing, upstream_slow])
def test_in_trouble_each_resolver_would_rather_fail_than_take_a_strangers(
    scene: Scene, resolver: Resolver, trouble: Callable[[Scene], None]
) -> None:
    trouble(scene)
    done, text = resolver(scene)
    # Locking needs metadata alone, which does not come from the store that fails.
    assert not done or (trouble is store_failing and resolver not in (pip, uv))
    assert "OURS = " not in text
    assert_no_stranger(scene, text)


def assert_no_stranger(scene: Scene, text: str) -> None:
    """Nothing of theirs was taken, and nobody has asked them for our name."""
    assert not THEIRS & set(re.findall(r"[0-9a-f]{64}", text))
    assert not [each.path for each in scene.server.asked if "frog" in each.path.lower()]
