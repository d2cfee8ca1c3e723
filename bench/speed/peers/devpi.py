"""devpi-server as it comes, with metadata files on; callers show the token of a login.

Its answer to an upload takes the longer the more its project holds, and it has no way to take files
but one by one: it is given fewer, and the report says how many. It is filled once, and started over
a copy of its files.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from bench.speed.corpus import Corpus, Wheel
from bench.speed.peers.running import Ground, Peer, Running, basic, timed_server
from bench.speed.sending import send_all
from tests.clients import ROOT, client
from tests.parts.processes import Server, private_folder

_PROJECTS, _LARGE, _ROOTS = 100, 1_000, 1_000  # at most
_EMPTY = 29  # further indexes that a virtual one is made of
_VIRTUALS = (1, 5, 30)
_KEPT = ROOT / ".cache" / "bench"


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Run it with an index of wheels, one of many projects, and indexes over others."""
    program, corpus = client("devpi", "upstreams"), ground.corpus
    filled = _kept(program, corpus) or _made(program, corpus)
    with private_folder("devpi") as folder:
        data = folder / "data"
        shutil.copytree(filled, data)
        page = f"/root/bench/+simple/{corpus.hot}/"
        with _serving(program, data, page) as (running, seconds, url):
            proof = _login(url)
            yield [
                Running(
                    "devpi",
                    pids=(running.pid,),
                    start_seconds=seconds,
                    index=f"{url}root/bench/+simple/",
                    root=f"{url}root/many/+simple/",
                    upload=f"{url}root/bench/",
                    root_upload=f"{url}root/many/",
                    reader=proof,
                    writer=proof,
                    virtuals={
                        number: f"{url}root/virtual{number}/+simple/" for number in _VIRTUALS
                    },
                    mirror=partial(_mirror, url, proof),
                    projects=min(_PROJECTS, corpus.sizes.projects),
                    large=min(_LARGE, corpus.sizes.large),
                    roots=min(_ROOTS, len(corpus.root_names)) or None,
                    notes=(
                        "it is started over what it holds",
                        "without the nginx of its manual, which would send files and compress",
                    ),
                )
            ]


def _kept(program: Path, corpus: Corpus) -> Path | None:
    """Return the files of one that was filled before, with all that this corpus has."""
    named = _KEPT.glob(f"{_name(program, corpus)}*")
    return next((each for each in named if _parts(corpus) <= set(each.name.split("+")[1:])), None)


def _name(program: Path, corpus: Corpus) -> str:
    """Return what is another one when the program, or a wheel that all corpora have, is."""
    wheel = corpus.small[corpus.hot][0].path.read_bytes()
    said = (program.parent.parent.name, hashlib.sha256(wheel).hexdigest(), corpus.sizes)
    return f"devpi-{hashlib.sha256(repr(said).encode()).hexdigest()[:12]}"


def _parts(corpus: Corpus) -> set[str]:
    """Return what some corpora have."""
    real = sorted(file.path.name for file in corpus.real_files)
    digest = hashlib.sha256(repr(real).encode()).hexdigest()[:12]
    parts = {f"real-{digest}": real, "roots": corpus.root_names}
    return {name for name, there in parts.items() if there}


def _made(program: Path, corpus: Corpus) -> Path:
    """Fill one, and keep its files in place of older ones: filling takes longer than all cases."""
    filled = _KEPT / "+".join([_name(program, corpus), *sorted(_parts(corpus))])
    with private_folder("devpi-filled") as folder:
        data = folder / "data"
        init = [str(program.with_name("devpi-init")), "--serverdir", str(data), "--no-root-pypi"]
        subprocess.run(init, check=True, capture_output=True)
        with _serving(program, data, "/") as (_, _, url):
            proof = _login(url)
            _make_indexes(url, proof)
            _fill(corpus, url, proof)
        _KEPT.mkdir(parents=True, exist_ok=True)
        for old in (*_KEPT.glob("devpi-*"), *_KEPT.glob("coming-*")):
            shutil.rmtree(old)
        coming = filled.with_name(f"coming-{filled.name}")
        shutil.copytree(data, coming)
        coming.rename(filled)
    return filled


@contextmanager
def _serving(program: Path, data: Path, page: str) -> Iterator[tuple[Server, float, str]]:
    """Run it over its files; yield it, how long it took until it answered a page, and its URL."""
    command = [str(program), "--serverdir", str(data), "--host", "127.0.0.1"]
    command.append("--enable-core-metadata")
    with timed_server("devpi-log", lambda port: [*command, "--port", str(port)], page) as (
        running,
        seconds,
    ):
        yield running, seconds, f"http://127.0.0.1:{running.port}/"


def _login(url: str) -> str:
    login = _told(f"{url}+login", "POST", {"user": "root", "password": ""})
    return basic("root", login["password"])


def _make_indexes(url: str, proof: str) -> None:
    empty = [f"root/member{number}" for number in range(_EMPTY)]
    for name in ("root/bench", "root/many", "root/last", *empty):
        _told(f"{url}{name}", "PUT", {"type": "stage", "bases": []}, proof)
    for number in _VIRTUALS:
        bases = [*empty[: number - 1], "root/last"]
        _told(f"{url}root/virtual{number}", "PUT", {"type": "stage", "bases": bases}, proof)


@contextmanager
def _mirror(url: str, proof: str, index: str) -> Iterator[str]:
    name = f"mirror{secrets.token_hex(4)}"
    _told(f"{url}root/{name}", "PUT", {"type": "mirror", "mirror_url": index}, proof)
    yield f"{url}root/{name}/+simple/"


def _fill(corpus: Corpus, url: str, proof: str) -> None:
    """Publish as many small projects, files of the large one and names as it is given."""
    small = islice(corpus.small.values(), _PROJECTS)
    real = corpus.real.values()
    wheels: list[Wheel] = [each for wheels in (*small, *real) for each in wheels]
    wheels += [*corpus.large[:_LARGE], corpus.weighty]
    send_all(f"{url}root/bench/", proof, wheels, callers=1)
    send_all(f"{url}root/last/", proof, corpus.small[corpus.hot], callers=1)
    many = corpus.to_upload(corpus.root_names[:_ROOTS])
    send_all(f"{url}root/many/", proof, many, callers=1)


def _told(url: str, method: str, body: Mapping[str, object], proof: str = "") -> Mapping[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if proof:
        headers["X-Devpi-Auth"] = proof.removeprefix("Basic ")
    sent = urllib.request.Request(  # noqa: S310 - our own URL
        url, json.dumps(body).encode(), headers, method=method
    )
    with urllib.request.urlopen(sent) as answer:  # noqa: S310 - as above
        result: Mapping[str, str] = json.load(answer).get("result") or {}
        return result


PEER = Peer(("devpi",), start, pinned="devpi-server")
