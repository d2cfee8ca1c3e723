"""Cases of proxies: an index is asked through each of them, which nobody has asked before."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Barrier
from urllib.parse import urljoin, urlsplit, urlunsplit

from bench.speed.asking import HTML, get, links, require_status
from bench.speed.clients import compiled, machine, signed_in, until_known
from bench.speed.peers.running import Running
from bench.speed.reading import Bench
from bench.speed.results import Measured, Void
from bench.speed.upstream import Upstream, upstream
from tests.journeys.distributions import File

CALLERS = 20
_WANTED = "numpy"  # a wheel that takes a while
_BLOCK, _SECONDS, _TRIES, _REDIRECTS = 256 * 1024, 300, 5, 3


def cold(running: Running, bench: Bench) -> Measured:
    """Measure `uv pip compile` through a proxy, the first time, by a client without a cache."""
    with _resolving(running, bench) as (_, ask):
        return Measured(ask())


def warm(running: Running, bench: Bench) -> tuple[Measured, ...]:
    """Measure it once each process of the proxy has been asked; and the second time of all."""
    with _resolving(running, bench) as (_, ask):
        ask()
        return _warm(ask)


def down(running: Running, bench: Bench) -> Measured:
    """Measure it once each process has been asked, by which upstream is down."""
    with _resolving(running, bench) as (source, ask):
        ask()
        source.stop()
        figure, second = _warm(ask)
        return replace(figure, note=f"{second.value:.2f} s the second time")


def _warm(ask: Callable[[], float]) -> tuple[Measured, Measured]:
    second = ask()
    until_known(ask)
    return Measured(ask()), Measured(second)


@contextmanager
def _resolving(running: Running, bench: Bench) -> Iterator[tuple[Upstream, Callable[[], float]]]:
    """Yield an upstream, and what resolves all through a proxy and looks at each pin and hash."""
    with _proxied(running, bench) as (source, index), machine(bench) as client:
        yield source, partial(compiled, client, index, bench.corpus, "--no-cache")


def crowd(running: Running, bench: Bench) -> Measured:
    """Count what upstream is asked when many want a file at once that nobody has had."""
    with _proxied(running, bench, signed=False) as (source, index):
        file = next(each for each in bench.corpus.real_files if each.name == _WANTED)
        page = get(f"{index}{_WANTED}/", running.headers(Accept=HTML))
        require_status(page, 200)
        url, together = links(page)[file.path.name], Barrier(CALLERS)

        def one(_: int) -> None:
            together.wait()
            _download(url, running.headers(), file)

        began = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(one, range(CALLERS)))
        seconds = time.monotonic() - began
        source.stop()
        asked = source.count(file.path.name)
    return Measured(asked, note=f"{seconds:.1f} s")


@contextmanager
def _proxied(
    running: Running, bench: Bench, *, signed: bool = True
) -> Iterator[tuple[Upstream, str]]:
    """Yield an upstream, and the URL of its index through a contestant."""
    if running.mirror is None:
        raise Void("is no proxy")
    with upstream(bench) as source, running.mirror(source.index) as index:
        yield source, signed_in(index, running) if signed else index


def _download(url: str, headers: Mapping[str, str], file: File) -> None:
    """Get a file as installers do, who follow redirects and come again when told to."""
    own, redirects = dict(headers), 0
    for _ in range(_TRIES + _REDIRECTS):
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc, timeout=_SECONDS)
        try:
            target = urlunsplit(("", "", parts.path, parts.query, ""))
            connection.request("GET", target, headers=own)
            response = connection.getresponse()
            if response.status == 503:
                time.sleep(int(response.headers.get("Retry-After", "1")))
            elif response.status in {302, 307} and redirects < _REDIRECTS:
                url, redirects = urljoin(url, response.headers["Location"]), redirects + 1
            else:
                _require_bytes(response, file)
                return
        except (OSError, HTTPException) as error:
            raise Void(f"no answer to one of many: {error}") from error
        finally:
            connection.close()
    raise Void("refused one of many again and again")


def _require_bytes(response: HTTPResponse, file: File) -> None:
    digest = hashlib.sha256()
    while block := response.read(_BLOCK):
        digest.update(block)
    if response.status != 200 or digest.hexdigest() != file.sha256:
        raise Void(f"answers one of many by {response.status} and other bytes")
