"""The bench of speed, where it drives clients, proxies and hosts: what is void, and what a miss."""

from __future__ import annotations

import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.speed import changing, clients, growing, hosts, made_up, proxying
from bench.speed.clients import PROJECTS, require_pins, signed_in
from bench.speed.corpus import Corpus
from bench.speed.peers import network
from bench.speed.peers.larder_grown import FILES
from bench.speed.peers.running import Running, basic
from bench.speed.reading import Bench
from bench.speed.results import Void
from tests import dists
from tests.journeys.distributions import File
from tests.journeys.machine import sha256_of
from tests.test_speed import TINY

Answers = Callable[[str, str], tuple[int, object]]
EMPTY = {"meta": {"api-version": "1.0"}, "name": "large", "files": []}


@contextmanager
def answering(answer: Answers) -> Iterator[str]:
    """Run a server that answers each method and path with a status and JSON; yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = answer(self.command, self.path)
            body = b"" if status == 204 else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET  # noqa: N815 - names that the base class looks for

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def a_bench(folder: Path, *real: File) -> Bench:
    return Bench(Corpus(folder, TINY, real), 1, folder)


def a_file(folder: Path, name: str) -> File:
    filename, content = dists.make_wheel(name, "1.0")
    path = folder / filename
    path.write_bytes(content)
    return File(path, name, "1.0", sha256_of(content))


def at(url: str) -> Running:
    return Running(
        "somebody",
        pids=(),
        start_seconds=0.0,
        index=f"{url}simple/",
        upload=url,
        hosts=(f"{url}simple/",),
        mirror=nullcontext,
    )


def requirements_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (each for each in archive.namelist() if each.endswith("/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]


def pins(*files: File) -> str:
    return "".join(f"{each.name}==1.0 \\\n    --hash=sha256:{each.sha256}\n" for each in files)


def test_a_client_must_have_found_our_wheels(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = [a_file(tmp_path / "real", name) for name in (*PROJECTS, "idna")]
    corpus = Corpus(tmp_path, TINY, real)
    require_pins(pins(*real), corpus)
    wrong = [each for each in real if each.name not in {"flask", "uvicorn"}]
    wrong.append(File(Path(), "flask", "1.0", "0" * 64))
    with pytest.raises(Void, match="wrong answer to a client: flask, uvicorn"):
        require_pins(pins(*wrong), corpus)


def test_without_the_wheels_of_real_projects_a_client_has_nothing_to_do(tmp_path: Path) -> None:
    bench = a_bench(tmp_path)
    for measure in (clients.install, proxying.crowd):
        with pytest.raises(Void, match="no wheels of real projects"):
            measure(at("http://127.0.0.1/"), bench)


def test_what_stands_in_for_real_projects_has_all_that_it_requires(tmp_path: Path) -> None:
    made = made_up.wheels(tmp_path / "made-up", kib=1)
    required = {name for each in made for name in requirements_of(each.path)}
    assert {"idna", "werkzeug", "pydantic-core"} <= required
    assert required | set(PROJECTS) <= {each.name for each in made}


def test_clients_are_given_what_a_reader_shows() -> None:
    known = Running("one", (), 0.0, "http://127.0.0.1/", reader=basic("ray", "a:b@c"))
    assert signed_in(known.index, known) == "http://ray:a%3Ab%40c@127.0.0.1/"
    assert signed_in(known.index, at("http://127.0.0.1/")) == known.index


@pytest.mark.parts
def test_who_keeps_nothing_asks_upstream_for_each_of_many(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    bench = a_bench(tmp_path, a_file(tmp_path / "real", "numpy"))
    assert proxying.crowd(at(""), bench).value == proxying.CALLERS
    with pytest.raises(Void, match="is no proxy"):
        proxying.crowd(Running("one", (), 0.0, ""), bench)


def test_a_page_that_lacks_what_was_just_published_is_void(tmp_path: Path) -> None:
    with (
        answering(lambda *_: (200, EMPTY)) as url,
        pytest.raises(Void, match="stale page: without large-2"),
    ):
        changing.first_read(at(url), a_bench(tmp_path))


def test_a_root_list_that_lacks_the_new_project_is_void(tmp_path: Path) -> None:
    bench = a_bench(tmp_path)
    with answering(lambda *_: (200, {"projects": [{"name": "old"}]})) as url:
        with pytest.raises(Void, match="takes no uploads to that list"):
            changing.first_read_of_root(at(url), bench)
        with_root = replace(at(url), root=f"{url}simple/", root_upload=url)
        with pytest.raises(Void, match="stale page: without new-"):
            changing.first_read_of_root(with_root, bench)


def test_as_many_pages_are_asked_for_among_few_files_and_among_many(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path, TINY)
    held = [each // FILES for each in (TINY.few, TINY.many)]
    few, many = (
        growing.pages(Running("one", (), 0.0, "/", projects=each), corpus).urls for each in held
    )
    assert len(few) == len(set(many)) == len(many)
    assert few != many


def test_more_pages_are_asked_for_than_are_held_where_there_are_so_many(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path, TINY)
    many, few = (
        growing.many_pages(Running("one", (), 0.0, "/", projects=each), corpus).urls
        for each in (100_000, 2_000)
    )
    assert (len(set(many)), len(set(few))) == (6_000, 2_000)
    assert many[-1] == "/acme-95985/"


@pytest.mark.parametrize("forgets", [True, False])
def test_a_revoked_token_that_still_reads_is_a_miss(tmp_path: Path, *, forgets: bool) -> None:
    revoked = False

    def answer(method: str, _path: str) -> tuple[int, object]:
        nonlocal revoked
        revoked = {"POST": False, "DELETE": True}.get(method, revoked)
        told = {"POST": (201, {"id": 1, "secret": "s"}), "DELETE": (204, {})}
        return told.get(method, (401 if revoked and forgets else 200, {}))

    with answering(answer) as url:
        seen = hosts.revoked(at(url), a_bench(tmp_path))
    assert seen.note == "80 reads with 20 tokens"
    assert seen.value == (0 if forgets else 80)


def test_hosts_need_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Void, match="need root"), network.hosts(2):
        pass
