"""What the figures were measured on, and with which versions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.clients import REQUIREMENTS
from tests.parts.processes import executable

_OURS = ("django", "gunicorn", "granian", "psycopg")


def described() -> Iterator[str]:
    """Yield a line for each thing that a reader should know of this machine."""
    yield f"{os.cpu_count()} cores ({_processor()}), {_memory_gib():.0f} GiB of memory"
    yield f"{platform.system()} {platform.release()}, Python {platform.python_version()}"


def load() -> str:
    """Return what this machine has to do now."""
    return "load " + " ".join(f"{each:.1f}" for each in os.getloadavg())


def versions(pinned: Sequence[str]) -> Iterator[str]:
    """Yield name and version of each program that took part."""
    yield f"PostgreSQL {_told(['postgres', '--version'], '/usr/lib/postgresql/*/bin')}"
    yield f"nginx {_told(['nginx', '-v'], '/usr/sbin')}"
    yield f"wrk {_told(['wrk', '--version'])}"
    ours = (REQUIREMENTS / "base.txt").read_text()
    yield from (f"{name} {_pinned(name, ours)}" for name in _OURS)
    for text in (path.read_text() for path in sorted((REQUIREMENTS / "upstreams").glob("*.txt"))):
        yield from (f"{name} {_pinned(name, text)}" for name in pinned if _pinned(name, text))


def commit() -> str:
    """Return the commit that was measured, and whether anything in it was changed."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def _pinned(name: str, requirements: str) -> str:
    found = re.search(rf"^{re.escape(name)}(?:\[\w+\])?==(\S+)", requirements, re.MULTILINE)
    return found.group(1) if found else ""


def _told(command: Sequence[str], folders: str = "") -> str:
    """Return the version that a program tells, in whatever words."""
    found = sorted(Path("/").glob(folders.lstrip("/"))) if folders else []
    program = executable(command[0], *reversed(found))
    if program is None:
        return "missing"
    done = subprocess.run([str(program), *command[1:]], capture_output=True, text=True, check=False)
    version = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return version.group() if version else "unknown"


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    text = known.read_text() if known.exists() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found.group(1) if found else platform.processor() or platform.machine()


def _memory_gib() -> float:
    pages: int = os.sysconf("SC_PHYS_PAGES")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**3
