"""Cases of real clients: uv resolves and pip installs well-known projects, and both are timed."""

from __future__ import annotations

import math
import re
import secrets
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from packaging.utils import canonicalize_name

from bench.speed.corpus import Corpus
from bench.speed.peers.running import Running, user_and_password
from bench.speed.reading import Bench
from bench.speed.results import NOT_RUN, Measured, Void
from tests.journeys.machine import Machine

PROJECTS = (
    *("anyio", "asgiref", "attrs", "cryptography", "django", "docutils", "flask", "greenlet"),
    *("httpx", "importlib-metadata", "jinja2", "lxml", "markdown-it-py", "numpy", "pillow"),
    *("psutil", "pydantic", "pytest", "pytz", "pyyaml", "requests", "rich", "sqlalchemy"),
    *("tomli", "uvicorn"),
)
NO_REAL_WHEELS = f"{NOT_RUN}there are no wheels of real projects here"
_FIRST_TIMES, _FASTER = 5, 0.9
_RUNS = 5
_PINNED = re.compile(r"^(\S+)==(\S+) \\\n    --hash=sha256:(\w+)$", re.MULTILINE)
_INSTALLED = re.compile(r"(.+)-([^-]+)\.dist-info")


@dataclass(frozen=True)
class Compile:
    """Measures `uv pip compile`; warm: by a client that has just had the same answer.

    One run takes a fraction of a second, and now this, now that: a figure is the median of some.
    """

    is_warm: bool

    def measure(self, running: Running, bench: Bench) -> Measured:
        """Resolve, and look whether each pin and hash is that of the wheel that is there."""
        url = signed_in(running.index, running)
        with machine(bench) as client:
            until_known(lambda: compiled(client, url, bench.corpus, "--no-cache"))
            if self.is_warm:
                compiled(client, url, bench.corpus)
                took = [compiled(client, url, bench.corpus) for _ in range(_RUNS)]
            else:
                took = [self._cold(url, bench) for _ in range(_RUNS)]
        return Measured(statistics.median(took))

    def _cold(self, url: str, bench: Bench) -> float:
        with machine(bench) as client:
            return compiled(client, url, bench.corpus)


def until_known(ask: Callable[[], float]) -> None:
    """Ask until it gets no faster: each process of a server has a first time with each page."""
    before = math.inf
    for _ in range(_FIRST_TIMES):
        seconds = ask()
        if seconds > before * _FASTER:
            return
        before = seconds


def install(running: Running, bench: Bench) -> Measured:
    """Measure `pip install --target` with an empty cache, and look at what is there then."""
    with machine(bench) as client:
        url = signed_in(running.index, running)
        (client.home / "all.in").write_text("\n".join(PROJECTS))
        options = ["--no-cache-dir", "--target", "there", "--index-url", url]
        seconds = _timed(client, "pip", "install", *options, "-r", "all.in")
        _require_installed(client.home / "there", bench.corpus)
    return Measured(seconds)


@contextmanager
def machine(bench: Bench) -> Iterator[Machine]:
    """Yield a person's machine on which nothing was done yet."""
    if not bench.corpus.real:
        raise Void(NO_REAL_WHEELS)
    home = bench.folder / f"machine-{secrets.token_hex(4)}"
    home.mkdir()
    try:
        yield Machine(home)
    finally:
        shutil.rmtree(home)


def compiled(client: Machine, url: str, corpus: Corpus, *more: str) -> float:
    """Resolve all projects from an index and return how long that took; a wrong answer is void."""
    (client.home / "all.in").write_text("\n".join(PROJECTS))
    options = ["--generate-hashes", "--no-header", "--no-annotate", "--index-url", url, *more]
    seconds = _timed(client, "uv", "pip", "compile", *options, "all.in", "-o", "all.txt")
    answer = client.home / "all.txt"
    require_pins(answer.read_text(), corpus)
    answer.unlink()  # uv prefers the pins that it finds in its output
    return seconds


def require_pins(answer: str, corpus: Corpus) -> None:
    """Refuse an answer without one of the projects, or with a pin that no wheel here has."""
    found = {name: (version, sha256) for name, version, sha256 in _PINNED.findall(answer)}
    there = {each.name: (each.version, each.sha256) for each in corpus.real_files}
    _require(found, there)


def _require_installed(folder: Path, corpus: Corpus) -> None:
    matches = filter(None, (_INSTALLED.fullmatch(each.name) for each in folder.iterdir()))
    found = {str(canonicalize_name(each[1])): each[2] for each in matches}
    _require(found, {each.name: each.version for each in corpus.real_files})


def _require(found: Mapping[str, object], there: Mapping[str, object]) -> None:
    missing = set(PROJECTS) - set(found)
    wrong = {name for name, what in found.items() if there.get(name) != what}
    if missing or wrong:
        raise Void(f"wrong answer to a client: {', '.join(sorted(missing | wrong))}")


def signed_in(url: str, running: Running) -> str:
    """Return a URL of a contestant with what its reader shows, as installers take it."""
    if not running.reader:
        return url
    parts = urlsplit(url)
    who = ":".join(quote(each, safe="") for each in user_and_password(running.reader))
    return parts._replace(netloc=f"{who}@{parts.netloc}").geturl()


def _timed(client: Machine, *command: str) -> float:
    began = time.monotonic()
    done: subprocess.CompletedProcess[str] = client.tries(*command)
    seconds = time.monotonic() - began
    if done.returncode:
        raise Void(f"{command[0]} fails: {' '.join(done.stdout.split())[-300:]}")
    return seconds
