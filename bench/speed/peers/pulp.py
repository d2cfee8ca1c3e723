"""pulp_python with its cache in Redis: two processes for pages, two for files, and a worker.

An upload takes it a second. So it is filled from the inside, by a program that does what its worker
does for uploads; a file takes a while even so. It is given fewer, and the report says how many.

It has no publications: with one it answers each question for a page by a redirect to HTML.
"""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from bench.speed.corpus import Corpus
from bench.speed.peers.running import Ground, Peer, Running, timed_server
from tests.clients import client
from tests.journeys.larder import fresh_database
from tests.parts import redis
from tests.parts.processes import private_folder, server

_PROJECTS, _LARGE, _ROOTS = 100, 1_000, 1_000  # at most
_FILL = """
import json, pathlib, sys, django
django.setup()
from pulp_python.app.models import PythonDistribution, PythonPackageContent, PythonRepository
from pulpcore.plugin.models import Artifact, Content, ContentArtifact

def added(path):
    artifact = Artifact.init_and_validate(str(path))
    artifact.save()
    content, artifacts = PythonPackageContent.init_from_artifact_and_relative_path(
        artifact, path.name
    )
    content.save()
    for name, each in artifacts.items():
        ContentArtifact.objects.create(artifact=each, content=content, relative_path=name)
    return content.pk

for name, paths in json.load(sys.stdin).items():
    repository = PythonRepository.objects.create(name=name)
    PythonDistribution.objects.create(name=name, base_path=name, repository=repository)
    with repository.new_version() as version:
        ids = [added(pathlib.Path(path)) for path in paths]
        version.add_content(Content.objects.filter(pk__in=ids))
"""
_MIRROR = """
import sys, django
django.setup()
from pulp_python.app.models import PythonDistribution, PythonRemote
name, url = sys.argv[1:]
remote = PythonRemote.objects.create(name=name, url=url, policy="on_demand")
PythonDistribution.objects.create(name=name, base_path=name, remote=remote)
"""


@dataclass(frozen=True)
class _Pulp:
    """An installation: its programs, its folder and its settings."""

    programs: Path
    home: Path
    settings: Mapping[str, str]

    def command(self, program: str, *arguments: str, **more: str) -> list[str]:
        """Return what runs one of its programs, with `more` settings."""
        given = {**self.settings, **more}
        told = (f"PULP_{name}={value}" for name, value in given.items())
        django = "DJANGO_SETTINGS_MODULE=pulpcore.app.settings"
        return ["env", django, *told, str(self.programs / program), *arguments]

    def run(self, program: str, *arguments: str, told: str = "") -> None:
        """Run one of its programs until it ends."""
        command = self.command(program, *arguments)
        subprocess.run(
            command, cwd=self.home, input=told, text=True, check=True, capture_output=True
        )


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Run it over a database of its own, with a distribution of wheels and one of many projects."""
    with (
        fresh_database(ground.database) as database,
        redis() as cache,
        private_folder("pulp") as home,
    ):
        programs = client("pulp", "upstreams").parent
        pulp = _Pulp(programs, home, _settings(home, database, cache))
        pulp.run("pulpcore-manager", "migrate", "--noinput")
        pulp.run("python", "-c", _FILL, told=json.dumps(_wheels(ground.corpus)))
        with _serving(pulp, f"/pypi/bench/simple/{ground.corpus.hot}/") as (url, pids, seconds):
            sizes = ground.corpus.sizes
            yield [
                Running(
                    "pulp",
                    pids=pids,
                    start_seconds=seconds,
                    index=f"{url}bench/simple/",
                    root=f"{url}many/simple/",
                    mirror=partial(_mirror, pulp, url),
                    no_uploads="acknowledges an upload before it lists the file",
                    projects=min(_PROJECTS, sizes.projects),
                    large=min(_LARGE, sizes.large),
                    roots=min(_ROOTS, len(ground.corpus.root_names)) or None,
                    notes=(
                        "it asks nobody who they are",
                        "the work and memory of its Redis are not counted",
                    ),
                )
            ]


def _settings(home: Path, database: str, cache: str) -> dict[str, str]:
    key = home / "key"
    key.write_bytes(base64.urlsafe_b64encode(secrets.token_bytes(32)))
    for name in ("media", "tmp"):
        (home / name).mkdir()
    parts = urlsplit(database)
    return {
        "SECRET_KEY": "pulp's, of this bench alone",
        "DB_ENCRYPTION_KEY": str(key),
        "DATABASES__default__HOST": parts.hostname or "",
        "DATABASES__default__PORT": str(parts.port),
        "DATABASES__default__USER": parts.username or "",
        "DATABASES__default__NAME": parts.path.lstrip("/"),
        "MEDIA_ROOT": str(home / "media"),
        "WORKING_DIRECTORY": str(home / "tmp"),
        "FILE_UPLOAD_TEMP_DIR": str(home / "tmp"),
        "CACHE_ENABLED": "true",
        "REDIS_URL": cache,
        "ANALYTICS": "false",
    }


def _wheels(corpus: Corpus) -> dict[str, list[str]]:
    """Return as many files as it is given, by repository."""
    some = [*islice(corpus.small.values(), _PROJECTS), *corpus.real.values()]
    wheels = [each for wheels in some for each in wheels]
    wheels += [*corpus.large[:_LARGE], corpus.weighty]
    many = corpus.to_upload(corpus.root_names[:_ROOTS])
    return {
        name: [str(each.path) for each in found]
        for name, found in (("bench", wheels), ("many", many))
    }


@contextmanager
def _serving(pulp: _Pulp, page: str) -> Iterator[tuple[str, tuple[int, ...], float]]:
    """Run all its processes; yield the URL of its indexes, process ids, and how long it took."""
    options = ["--workers", "2", "--no-control-socket", "--bind"]
    began = time.monotonic()

    def content(port: int) -> list[str]:
        return pulp.command("pulpcore-content", *options, f"127.0.0.1:{port}")

    def worker(_port: int) -> list[str]:
        return pulp.command("pulpcore-worker")

    with (
        private_folder("pulp-worker") as folder,
        server(folder, worker, answers=lambda _port: True) as working,  # it listens nowhere
        timed_server("pulp-content", content, "/pulp/content/") as (files, _),
    ):
        origin = f"http://127.0.0.1:{files.port}"

        def api(port: int) -> list[str]:
            own = f"http://127.0.0.1:{port}"
            more = {"CONTENT_ORIGIN": origin, "PYPI_API_HOSTNAME": own}
            return pulp.command("pulpcore-api", *options, f"127.0.0.1:{port}", **more)

        with timed_server("pulp-api", api, page) as (pages, _):
            seconds = time.monotonic() - began
            pids = (pages.pid, files.pid, working.pid)
            yield f"http://127.0.0.1:{pages.port}/pypi/", pids, seconds


@contextmanager
def _mirror(pulp: _Pulp, url: str, index: str) -> Iterator[str]:
    name = f"mirror-{secrets.token_hex(4)}"
    pulp.run("python", "-c", _MIRROR, name, index.removesuffix("simple/"))
    yield f"{url}{name}/simple/"


PEER = Peer(("pulp",), start, pinned="pulp-python")
