"""Resolve 25 real projects through each proxy, side by side: `uv pip compile`, cold and warm.

    python bench/proxy.py --rounds 5

An index of real wheels stands on loopback, served as files. Each round resolves the same
requirements from it directly, and through Larder's remote, Larder's virtual, devpi and proxpi, in
another order each time. Cold: the proxy has never been asked for any of it. Warm: it has just
answered the same. uv's own cache is always empty. The table gives medians, as ratios to the direct
way. A proxy whose answer differs from the direct one is void.

The wheels are fetched by pip, once, into .cache (about 200 MB). A proxy that cannot be started is
named, with the reason.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import random
import secrets
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.speed.clients import PROJECTS
from tests.clients import client
from tests.journeys import larder as larders
from tests.journeys.distributions import wheels_of_the_long_list
from tests.journeys.indexes import static_index
from tests.journeys.machine import Machine, signed_in
from tests.journeys.remotes import make_remote
from tests.parts.processes import ServerDied, private_folder, server

DIRECT = "directly"


@dataclass(frozen=True)
class Way:
    """One way to the index. `fresh` returns the URL of a proxy that has never been asked."""

    name: str
    fresh: Callable[[], str]


def main(arguments: list[str]) -> int:
    """Run the rounds, print the table, and return 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args(arguments).rounds
    with ExitStack() as stack:
        index = stack.enter_context(static_index(wheels_of_the_long_list()))
        ways = [Way(DIRECT, lambda: index), *_ways(stack, index)]
        home = stack.enter_context(private_folder("resolver"))
        took, wrong = _measure(ways, rounds, home)
    _print(took, wrong, rounds)
    return 1 if wrong else 0


def _measure(
    ways: list[Way], rounds: int, home: Path
) -> tuple[dict[tuple[str, str], list[float]], set[str]]:
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    wanted, wrong = _resolved(home, ways[0].fresh())[1], set[str]()
    for _ in range(rounds):
        for way in random.sample(ways, len(ways)):
            url = way.fresh()
            for state in ("cold", "warm"):
                seconds, answer = _resolved(home, url)
                took[way.name, state].append(seconds)
                if answer != wanted:
                    wrong.add(way.name)
    return took, wrong


def _resolved(home: Path, url: str) -> tuple[float, str]:
    """Return how long the resolver needed, and what it found."""
    folder = home / secrets.token_hex(4)
    folder.mkdir()
    (folder / "all.in").write_text("\n".join(PROJECTS))
    command = ["pip", "compile", "--no-cache", "--generate-hashes", "--no-header", "--no-annotate"]
    started = time.monotonic()
    found = Machine(folder).run("uv", *command, "--index-url", url, "all.in", "-o", "all.txt")
    seconds = time.monotonic() - started
    answer = (folder / "all.txt").read_text()
    shutil.rmtree(folder)
    return seconds, answer or found


def _ways(stack: ExitStack, index: str) -> Iterator[Way]:
    for name, start in (("larder", _larder), ("devpi", _devpi), ("proxpi", _proxpi)):
        try:
            yield from stack.enter_context(start(index))
        except (ServerDied, subprocess.CalledProcessError) as error:
            print(f"{name} could not be started: {error}", file=sys.stderr)


@contextmanager
def _larder(index: str) -> Iterator[list[Way]]:
    """Larder as `make run` starts it: SQLite, two processes; the caller has a token."""
    with larders.embedded() as larder:

        def remote() -> str:
            repository = make_remote(larder, f"remote-{secrets.token_hex(4)}", index)
            return signed_in(repository.simple, larder.reader)

        def virtual() -> str:
            key = secrets.token_hex(4)
            make_remote(larder, f"remote-{key}", index)
            member = ["--member", f"acme/remote-{key}"]
            larder.manage(
                ["create_repository", f"acme/virtual-{key}", "--kind", "virtual", *member]
            )
            return signed_in(f"{larder.url}/acme/virtual-{key}/simple/", larder.reader)

        yield [Way("Larder, remote", remote), Way("Larder, virtual", virtual)]


@contextmanager
def _devpi(index: str) -> Iterator[list[Way]]:
    """devpi-server as it comes; each round has a mirror of its own."""
    with private_folder("devpi") as folder, private_folder("log") as log:
        program, data = client("devpi", "upstreams"), ["--serverdir", str(folder / "data")]
        init = [str(program.with_name("devpi-init")), *data, "--no-root-pypi"]
        subprocess.run(init, check=True, capture_output=True)
        command = [str(program), *data, "--host", "127.0.0.1"]
        with server(log, lambda port: [*command, "--port", str(port)]) as running:
            url = f"http://127.0.0.1:{running.port}/"
            login = {"user": "root", "password": ""}
            token = str(_told(f"{url}+login", "POST", login)["password"])
            as_root = base64.b64encode(f"root:{token}".encode()).decode()

            def mirror() -> str:
                name = f"mirror{secrets.token_hex(4)}"
                settings = {"type": "mirror", "mirror_url": index}
                _told(f"{url}root/{name}", "PUT", settings, as_root)
                return f"{url}root/{name}/+simple/"

            yield [Way("devpi", mirror)]


def _told(url: str, method: str, body: dict[str, str], as_root: str = "") -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if as_root:
        headers["X-Devpi-Auth"] = as_root
    sent = urllib.request.Request(  # noqa: S310 - our own URL
        url, json.dumps(body).encode(), headers, method=method
    )
    with urllib.request.urlopen(sent) as answer:  # noqa: S310 - as above
        result: dict[str, str] = json.load(answer).get("result") or {}
        return result


@contextmanager
def _proxpi(index: str) -> Iterator[list[Way]]:
    """Run proxpi under gunicorn, with one process as its cache wants; each round empties it."""
    with private_folder("proxpi") as folder, private_folder("log") as log:
        program = client("proxpi", "upstreams").with_name("gunicorn")
        settings = {"PROXPI_INDEX_URL": index, "PROXPI_CACHE_DIR": str(folder)}
        command = ["env", *(f"{name}={value}" for name, value in settings.items()), str(program)]
        options = ["--worker-class", "gthread", "--threads", "32", "proxpi.server:app"]
        with server(log, lambda port: [*command, "-b", f"127.0.0.1:{port}", *options]) as running:
            url = f"http://127.0.0.1:{running.port}/"

            def emptied() -> str:
                for each in ("cache/list", *(f"cache/{name}" for name in PROJECTS)):
                    request = urllib.request.Request(f"{url}{each}", method="DELETE")  # noqa: S310 - our own URL
                    urllib.request.urlopen(request).close()  # noqa: S310 - as above
                return f"{url}index/"

            yield [Way("proxpi", emptied)]


def _print(took: dict[tuple[str, str], list[float]], wrong: set[str], rounds: int) -> None:
    names = list(dict.fromkeys(name for name, _ in took))
    names.sort(key=lambda name: (name != DIRECT, name))
    print(f"uv pip compile of {len(PROJECTS)} projects, {rounds} rounds, medians")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(f"{'':18} {'cold':>8} {'':>9} {'warm':>8}")
    direct = {state: statistics.median(took[DIRECT, state]) for state in ("cold", "warm")}
    for name in names:
        cells = []
        for state in ("cold", "warm"):
            median = statistics.median(took[name, state])
            cells.append(f"{median:7.2f}s {median / direct[state]:6.2f} x")
        said = "void: another answer" if name in wrong else "  ".join(cells)
        print(f"{name:18} {said}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
