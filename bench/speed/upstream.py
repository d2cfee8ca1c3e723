"""The upstream of proxies: nginx over the wheels of real projects, and what it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.speed.clients import NO_REAL_WHEELS
from bench.speed.reading import Bench
from bench.speed.results import Void
from tests.journeys.front import nginx_with
from tests.journeys.indexes import write_index

_SERVER = """
    types {{ text/html html; }}
    default_type application/octet-stream;
    log_format asked '$request_method $uri';
    server {{
        listen 127.0.0.1:{port};
        root {root};
        access_log {log} asked;
    }}
"""


class Upstream:
    """Runs until it is stopped; then it knows what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.index = ""
        self._folder, self._stack = folder, ExitStack()
        self._log = folder / "asked.log"

    def start(self) -> None:
        """Begin to answer, with nothing asked so far."""
        self._log.unlink(missing_ok=True)

        def told(port: int) -> str:
            return _SERVER.format(port=port, root=self._folder, log=self._log)

        running = self._stack.enter_context(nginx_with(told))
        self.index = f"http://127.0.0.1:{running.port}/simple/"

    def stop(self) -> None:
        """End, with all that is asked for written down."""
        self._stack.close()

    def count(self, filename: str) -> int:
        """Return how often a file was asked for."""
        return self._log.read_text().splitlines().count(f"GET /files/{filename}")


@contextmanager
def upstream(bench: Bench) -> Iterator[Upstream]:
    """Run one over the wheels of real projects."""
    if not bench.corpus.real:
        raise Void(NO_REAL_WHEELS)
    folder = bench.folder / "upstream"
    if not folder.exists():
        folder.mkdir()
        write_index(folder, bench.corpus.real_files)
    running = Upstream(folder)
    running.start()
    try:
        yield running
    finally:
        running.stop()
