"""The limit: nginx giving out, as files, the very pages and wheels that Larder gives out."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bench.speed.asking import HTML, JSON, get, links, require_status
from bench.speed.corpus import Corpus, Wheel
from bench.speed.peers.running import Ground, Peer, Running, seconds_until
from tests.journeys.front import nginx_with
from tests.parts.processes import private_folder

NAME = "nginx static"
_KINDS = {"html": HTML, "json": JSON}
# Without sendfile: over loopback it takes a fifth to a half longer for big bodies, and small ones
# come no faster by it.
_SERVER = """
    open_file_cache max=50000 inactive=1h;
    open_file_cache_valid 1h;
    gzip_static on;
    gzip_vary on;
    map $http_accept $page { default html; "~^application/vnd.pypi.simple.v1\\+json" json; }
    types { text/html html; application/vnd.pypi.simple.v1+json json; }
    default_type application/octet-stream;
    server {
        listen 127.0.0.1:%(port)s;
        root %(root)s;
        # A named group: the pattern of a map takes $1 away.
        rewrite ^(?<folder>.*/)$ ${folder}index.$page;
    }
"""


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Write Larder's answers down, and serve them."""
    source = ground.named("Larder alone")
    with private_folder("static") as root:
        mirror = _Mirror(source, root)
        mirror.copy(ground.corpus)
        began = time.monotonic()
        with nginx_with(lambda port: _SERVER % {"port": port, "root": root}) as running:
            url = f"http://127.0.0.1:{running.port}"
            index = url + urlsplit(source.index).path
            yield [
                Running(
                    NAME,
                    pids=(running.pid,),
                    start_seconds=seconds_until(f"{index}{ground.corpus.hot}/", began),
                    index=index,
                    root=url + urlsplit(source.root).path,
                    mirror=nullcontext,  # upstream itself, which is such a server too
                    notes=(
                        "it asks nobody who they are",
                        "without sendfile, which is slower over loopback for big bodies",
                    ),
                )
            ]


class _Mirror:
    """Writes what a contestant answers to the files that nginx looks for."""

    def __init__(self, source: Running, root: Path) -> None:
        self.source = source
        self.root = root

    def copy(self, corpus: Corpus) -> None:
        """Write the pages of all projects, all wheels, and what metadata anybody asks for."""
        self._page(self.source.root)
        asked_for = {corpus.hot, *corpus.real}
        for project, wheels in corpus.projects().items():
            urls = self._page(f"{self.source.index}{project}/")
            self._wheels(wheels, urls)
            for url in urls.values() if project in asked_for else ():
                self._path(f"{url}.metadata").write_bytes(self._body(f"{url}.metadata", "*/*"))

    def _page(self, url: str) -> dict[str, str]:
        for end, accept in _KINDS.items():
            answer = get(url, self.source.headers(Accept=accept))
            require_status(answer, 200)
            path = self._path(url) / f"index.{end}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(answer.body)
            path.with_suffix(f".{end}.gz").write_bytes(gzip.compress(answer.body, 6))
        return links(answer)

    def _wheels(self, wheels: Sequence[Wheel], urls: dict[str, str]) -> None:
        for wheel in wheels:
            path = self._path(urls[wheel.name])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.hardlink_to(wheel.path)

    def _body(self, url: str, accept: str) -> bytes:
        answer = get(url, self.source.headers(Accept=accept))
        require_status(answer, 200)
        return answer.body

    def _path(self, url: str) -> Path:
        return self.root / unquote(urlsplit(url).path).lstrip("/")


PEER = Peer((NAME,), start, needs=("Larder alone",))
