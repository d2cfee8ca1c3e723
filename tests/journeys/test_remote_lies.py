"""An upstream that lies: no client ever takes what it sent for the whole file."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import IncompleteRead
from pathlib import Path
from random import Random

import pytest

from tests import dists
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine, sha256_of, signed_in
from tests.journeys.remotes import make_remote
from tests.journeys.wire import request
from tests.upstreams import Reply, Server, serving

NOISE = Random(7).randbytes(1_000_000)  # noqa: S311 - it only must not be packed small
NAME, RIGHT = dists.make_wheel("frog", "1.0", files={"frog/noise": NOISE})
WRONG = RIGHT[:-1] + bytes([RIGHT[-1] ^ 1])
DIGEST = sha256_of(RIGHT)


@pytest.fixture
def upstream() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def remote(embedded: Larder, upstream: Server) -> Repository:
    upstream.add_files("frog", (NAME, RIGHT))
    upstream.replies[f"/files/{NAME}"] = Reply(WRONG)
    return make_remote(embedded, f"lies-{upstream.port}", upstream.url)


def broken_off(url: str, token: str) -> bytes:
    """Return what came before the connection was cut."""
    with request("GET", url, token) as response:
        assert response.status == 200
        with pytest.raises(IncompleteRead) as cut:
            response.read()
    return cut.value.partial


def test_a_wrong_file_is_cut_short_and_refused_for_a_while(
    embedded: Larder, remote: Repository
) -> None:
    url = f"{remote.url}files/frog/{DIGEST}/{NAME}"
    assert len(broken_off(url, embedded.reader)) < len(WRONG)
    with request("GET", url, embedded.reader) as refused:
        assert refused.status == 502
        assert "sent another" in refused.reason
        refused.read()


def test_a_file_without_a_length_is_cut_short_too(
    embedded: Larder, upstream: Server, remote: Repository
) -> None:
    digest = f"#sha256={DIGEST}"
    upstream.add_html("/simple/frog/", f'<a href="/files/{NAME}{digest}">{NAME}</a>')
    upstream.replies[f"/files/{NAME}"] = Reply(WRONG, length=None)
    url = f"{remote.url}files/frog/{DIGEST}/{NAME}"
    with request("GET", url, embedded.reader) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        with pytest.raises(IncompleteRead):
            response.read()


def test_pip_installs_nothing_of_it(
    embedded: Larder, remote: Repository, machine: Machine, tmp_path: Path
) -> None:
    index = signed_in(remote.simple, embedded.reader)
    options = ("--retries", "0", "--index-url", index, "--dest", str(tmp_path / "got"))
    machine.fails("pip", "download", *options, "frog")
    assert not list((tmp_path / "got").glob("*.whl"))
