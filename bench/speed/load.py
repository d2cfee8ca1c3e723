"""The load of readers: wrk for some seconds over a list of URLs of one contestant."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.speed.results import NOT_RUN, Void

MISSING = f"{NOT_RUN}wrk is missing on this machine: `apt install wrk` or `brew install wrk`."
# Where nothing was answered in the time, once more with this many times as much.
_PATIENCE = 10
_ANSWER_SECONDS = 60
_WARM_SECONDS = 1
# All requests are made before the clock starts; figures come as JSON, after wrk's own words.
_SCRIPT = """
local asked, turn = {}, 0

function init(arguments)
  for path in io.lines(arguments[1]) do
    asked[#asked + 1] = wrk.format("GET", path)
  end
end

function request()
  turn = turn % #asked + 1
  return asked[turn]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"requests": %d, "bytes": %d, "microseconds": %d, "p99": %d, ' ..
    '"refused": %d, "broken": %d}\\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""
_PAUSE = """
function delay()
  return %d
end
"""


@dataclass(frozen=True)
class Seen:
    """What happened in the window; wrk knows no single answer, but the bytes of all, with heads."""

    requests: int
    bytes: int
    seconds: float
    p99: float  # milliseconds

    def require_bodies(self, size: int) -> None:
        """Refuse answers that had fewer bytes, on average, than a body of that size."""
        if self.bytes < size * self.requests:
            raise Void(f"answers had {self._each} bytes on average, a whole one has {size}")

    def require_no_bodies(self, size: int) -> None:
        """Refuse answers that had as many bytes, on average, as a body of that size."""
        if self.bytes >= size * self.requests:
            raise Void(f"answers had {self._each} bytes on average, as if they had been whole")

    @property
    def _each(self) -> int:
        return self.bytes // self.requests


def is_there() -> bool:
    """Say whether this machine has wrk."""
    return shutil.which("wrk") is not None


def read(
    urls: Sequence[str], headers: Mapping[str, str], *, callers: int, seconds: int, folder: Path
) -> Seen:
    """Let so many callers ask for these URLs in turn; an answer by 400 or more makes it void.

    Other statuses wrk does not tell apart: look at the bytes of what it has seen.
    """
    warm(urls, headers, callers=callers, folder=folder)
    return read_again(urls, headers, callers=callers, seconds=seconds, folder=folder)


def warm(urls: Sequence[str], headers: Mapping[str, str], *, callers: int, folder: Path) -> None:
    """Ask for a moment: each of the server's processes and connections has a first time."""
    _seen(_asking(urls, headers, callers, folder), _WARM_SECONDS)


def read_again(  # noqa: PLR0913 - each by its name
    urls: Sequence[str],
    headers: Mapping[str, str],
    *,
    callers: int,
    seconds: int,
    folder: Path,
    pause: int = 0,
) -> Seen:
    """Do the same where it was done just before, so that nothing has a first time.

    With `pause` each caller waits so many milliseconds before each request.
    """
    asking = _asking(urls, headers, callers, folder, pause)
    for window in (seconds, seconds * _PATIENCE):
        if (found := _seen(asking, window)).requests:
            return found
    raise Void(f"nothing was answered within {seconds * _PATIENCE} s")


def _asking(
    urls: Sequence[str], headers: Mapping[str, str], callers: int, folder: Path, pause: int = 0
) -> list[str]:
    script, paths = folder / "load.lua", folder / "paths"
    script.write_text(_SCRIPT + (_PAUSE % pause if pause else ""))
    paths.write_text("".join(f"{urlsplit(url).path}\n" for url in urls))
    command = ["wrk", "-t1", f"-c{callers}", f"--timeout={_ANSWER_SECONDS}s", "-s", str(script)]
    command += [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    return [*command, urlsplit(urls[0])._replace(path="/", query="").geturl(), "--", str(paths)]


def _seen(asking: Sequence[str], window: int) -> Seen:
    command, patience = [asking[0], f"-d{window}s", *asking[1:]], window + 2 * _ANSWER_SECONDS
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    if done.returncode:
        raise Void(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["refused"] or told["broken"]:
        raise Void(
            f"{told['refused']} of {told['requests']} answers were errors, "
            f"{told['broken']} connections broke"
        )
    return Seen(told["requests"], told["bytes"], told["microseconds"] / 1e6, told["p99"] / 1e3)
