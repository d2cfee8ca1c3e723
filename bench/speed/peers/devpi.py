"""devpi-server as it comes, with metadata files on; callers show the token of a login.

Its answer to an upload takes the longer the more its project holds, and it has no way to take files
but one by one: it is given fewer, and the report says how many.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice

from bench.speed.corpus import Corpus, Wheel
from bench.speed.peers.running import Ground, Peer, Running, basic, timed_server
from bench.speed.sending import send_all
from tests.clients import client
from tests.parts.processes import private_folder

_PROJECTS, _LARGE, _ROOTS = 100, 1_000, 1_000  # at most
_EMPTY = 29  # further indexes that a virtual one is made of
_VIRTUALS = (1, 5, 30)


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Run it with an index of wheels, one of many projects, and indexes over others."""
    with private_folder("devpi") as folder:
        program, data = client("devpi", "upstreams"), ["--serverdir", str(folder / "data")]
        init = [str(program.with_name("devpi-init")), *data, "--no-root-pypi"]
        subprocess.run(init, check=True, capture_output=True)
        command = [str(program), *data, "--host", "127.0.0.1", "--enable-core-metadata"]
        with timed_server("devpi-log", lambda port: [*command, "--port", str(port)], "/") as (
            running,
            seconds,
        ):
            url = f"http://127.0.0.1:{running.port}/"
            login = _told(f"{url}+login", "POST", {"user": "root", "password": ""})
            proof = basic("root", login["password"])
            _make_indexes(url, proof)
            projects, large, roots = _fill(ground.corpus, url, proof)
            yield [
                Running(
                    "devpi",
                    pids=(running.pid,),
                    start_seconds=seconds,
                    index=f"{url}root/bench/+simple/",
                    root=f"{url}root/many/+simple/",
                    upload=f"{url}root/bench/",
                    reader=proof,
                    writer=proof,
                    virtuals={
                        number: f"{url}root/virtual{number}/+simple/" for number in _VIRTUALS
                    },
                    mirror=partial(_mirror, url, proof),
                    projects=projects,
                    large=large,
                    roots=roots or None,
                )
            ]


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


def _fill(corpus: Corpus, url: str, proof: str) -> tuple[int, int, int]:
    """Publish; return how many small projects, files of the large one and names it was given."""
    small = dict(islice(corpus.small.items(), _PROJECTS))
    large = corpus.large[:_LARGE]
    wheels: list[Wheel] = [each for wheels in small.values() for each in wheels]
    wheels += [
        *large,
        corpus.weighty,
        *(each for wheels in corpus.real.values() for each in wheels),
    ]
    send_all(f"{url}root/bench/", proof, wheels, callers=1)
    send_all(f"{url}root/last/", proof, corpus.small[corpus.hot], callers=1)
    names = corpus.root_names[:_ROOTS]
    many = corpus.to_upload(names)
    send_all(f"{url}root/many/", proof, many, callers=1)
    return len(small), len(large), len(names)


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
