"""Cases of two hosts: what a request costs, and whether one knows at once what the other did."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urljoin, urlsplit

from bench.speed.asking import JSON, checked, get, require_names, require_status
from bench.speed.load import Seen, read, read_again
from bench.speed.peers.larder_hosts import PROJECTS
from bench.speed.peers.running import Running, basic, user_and_password
from bench.speed.reading import Bench
from bench.speed.results import NOT_RUN, Measured, Void
from bench.speed.settling import Work
from tests.clients import ROOT

_READS = 4  # over connections of their own, so that each process is asked
_PAGE = "/main/pypi-local/simple/"  # what tokens are tried at
_PAUSE = 10  # milliseconds
_REVOKED = 20
_SECONDS = 600


def cost(running: Running, bench: Bench) -> Measured:
    """Measure how long all processes work for a page, all hosts being asked at once.

    Each host is asked as often as the other. As fast as it goes would be another load for each:
    here all of them share the cores of one machine, and what is asked of the database once for all
    who come within a lease is of fewer pages then.
    """
    size = _smallest(running, bench)
    _asked(running, bench, read)
    work = Work(running.pids)
    seen = _asked(running, bench, partial(read_again, pause=_PAUSE))
    spent, requests = work.milliseconds(), sum(each.requests for each in seen)
    _smallest(running, bench)
    for each in seen:
        each.require_bodies(size)
    rate = sum(each.requests / each.seconds for each in seen)
    return Measured(spent / requests, note=f"{rate:,.0f} requests/s")


def _asked(running: Running, bench: Bench, ask: Callable[..., Seen]) -> list[Seen]:
    """Ask all hosts, and who stands beside them; return what happened at the hosts."""

    def one(index: str, headers: Mapping[str, str]) -> Seen:
        folder = bench.folder / f"load-{urlsplit(index).netloc}"
        folder.mkdir(exist_ok=True)
        urls = [f"{index}{name}/" for name in _names(bench)]
        return ask(urls, headers, callers=16, seconds=bench.seconds, folder=folder)

    asked = _all_hosts(running)
    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(one, *zip(*asked, strict=True)))[: len(running.hosts)]


def _names(bench: Bench) -> list[str]:
    return list(bench.corpus.small)[:PROJECTS]


def _all_hosts(running: Running) -> list[tuple[str, dict[str, str]]]:
    """Return the indexes of all hosts, and who stands beside them, with what a reader sends."""
    return [
        (index, each.headers(Accept=JSON, Accept_Encoding="identity"))
        for each in (running, running.beside)
        if each is not None
        for index in each.hosts
    ]


def _smallest(running: Running, bench: Bench) -> int:
    """Look at each page of each host, and return the size of the smallest."""
    listed = {name: {each.name for each in bench.corpus.small[name]} for name in _names(bench)}
    return min(
        checked(f"{index}{name}/", headers, partial(require_names, names=files)).sent
        for index, headers in _all_hosts(running)
        for name, files in listed.items()
    )


def visible(running: Running, bench: Bench) -> Measured:
    """Count uploads to the first host that are not there at once at the last: bench/visibility."""
    _refuse_the_control(running)
    urls = [index.removesuffix("simple/") for index in running.hosts]
    command = [sys.executable, "bench/visibility.py", "--rounds", str(bench.corpus.sizes.uploads)]
    command += ["--url", urls[0], "--read-url", urls[-1]]
    tokens = {
        "LARDER_WRITER": user_and_password(running.writer)[1],
        "LARDER_READER": user_and_password(running.reader)[1],
    }
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | tokens,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    told = re.search(r"(\d+) rounds, .*: (\d+) misses", done.stdout)
    if told is None or "did not fit" in done.stdout:
        raise Void(f"the bench of visibility failed: {done.stderr.strip()[-200:]}")
    return Measured(int(told[2]), note=f"{told[1]} uploads")


def revoked(running: Running, _bench: Bench) -> Measured:
    """Count reads at the last host with tokens that were revoked at the first just before."""
    _refuse_the_control(running)
    pages = [urljoin(index, _PAGE) for index in running.hosts]
    misses = sum(_is_missed(running, pages, number) for number in range(_REVOKED))
    return Measured(misses, note=f"{_REVOKED * _READS} reads with {_REVOKED} tokens")


def _refuse_the_control(running: Running) -> None:
    if running.beside is not None:
        raise Void(f"{NOT_RUN}it is the one host")


def _is_missed(running: Running, pages: list[str], number: int) -> int:
    """Use a token until each process remembers it, revoke it, and count the reads after that."""
    tokens = urljoin(running.index, "/api/v1/tokens")
    wanted = {
        "tenant": "main",
        "name": f"bench {number}",
        "role": "reader",
        "repositories": None,
        "expires_at": None,
    }
    made = json.loads(_told("POST", tokens, running, wanted))
    shown = {"Authorization": basic("__token__", made["secret"]), "Accept": JSON}
    # Tokens that are refused are counted against their address; the hosts believe us which it is.
    shown["X-Forwarded-For"] = f"203.0.113.{number}"
    for page in pages * _READS:
        require_status(get(page, shown), 200)
    _told("DELETE", f"{tokens}/{made['id']}", running)
    return sum(get(pages[-1], shown).status != 401 for _ in range(_READS))


def _told(method: str, url: str, running: Running, body: Mapping[str, Any] | None = None) -> bytes:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_SECONDS)
    headers = {"Authorization": running.admin, "Content-Type": "application/json"}
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, parts.path, body=sent, headers=headers)
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, HTTPException) as error:
        raise Void(f"no answer about a token: {error}") from error
    finally:
        connection.close()
    if answer.status >= 300:
        raise Void(f"{method} of a token: {answer.status} {said[:200].decode()}")
    return said
