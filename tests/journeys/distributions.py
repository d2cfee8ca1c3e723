"""Real distributions of well-known projects, fetched once by pip and kept in a cache.

With LARDER_TEST_COUNTS=full there are more than forty of them, one larger than 50 MB.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from tests.clients import ROOT
from tests.journeys.machine import sha256

IS_FULL = os.environ.get("LARDER_TEST_COUNTS") == "full"
CACHE = ROOT / ".cache" / "distributions"

# flit-core and setuptools are what the sdists are built with; colorama is click's on Windows,
# which the lock files of Poetry and PDM cover too.
WHEELS = (
    *("attrs==26.1.0", "certifi==2026.10.18", "charset-normalizer==3.5.2", "click==8.5.1"),
    *("colorama==0.4.6", "flit-core==4.2.0", "idna==3.20", "markupsafe==3.0.4"),
    *("requests==2.34.2", "setuptools==84.2.1", "six==1.17.0", "urllib3==2.8.0"),
)
SDISTS = ("idna==3.20", "six==1.17.0")
MORE_WHEELS = (
    *("annotated-types==0.8.0", "anyio==4.16.0", "asgiref==3.13.0", "blinker==1.9.0"),
    *("cffi==2.1.1", "cryptography==50.0.2", "django==5.2.19", "docutils==0.23"),
    *("exceptiongroup==1.3.1", "flask==3.1.3", "greenlet==3.5.6", "h11==0.16.0"),
    *("httpcore==1.0.9", "httpx==0.28.1", "importlib-metadata==10.2.0", "iniconfig==2.3.1"),
    *(
        "itsdangerous==2.2.0",
        "jinja2==3.1.6",
        "lazy-importer==0.1.0",
        "lxml==6.1.3",
        "markdown-it-py==4.3.0",
    ),
    *("mdurl==0.1.2", "numpy==2.4.6", "opencv-python-headless==5.0.0.93", "packaging==26.3"),
    *("pillow==13.0.0", "pluggy==1.7.0", "psutil==7.2.2", "pycparser==3.12"),
    *("pydantic==2.14.3", "pydantic-core==2.50.4", "pygments==2.21.0", "pytest==9.2.0"),
    *("pytz==2026.6", "pyyaml==6.0.3", "rich==15.0.0", "sqlalchemy==2.1.9", "sqlparse==0.6.1"),
    *("tomli==2.5.0", "typing-extensions==4.16.0", "typing-inspection==0.4.5", "tzdata==2026.6"),
    *("uvicorn==0.54.0", "werkzeug==3.1.9", "wheel==0.48.0", "zipp==4.1.2"),
)
MORE_SDISTS = (
    *("certifi==2026.10.18", "h11==0.16.0", "markupsafe==3.0.4", "psutil==7.2.2"),
    *("pytz==2026.6", "requests==2.34.2"),
)


@dataclass(frozen=True)
class File:
    """A distribution on disk: what it is called and what it is."""

    path: Path
    name: str
    version: str
    sha256: str

    @property
    def is_wheel(self) -> bool:
        """Say whether it is a wheel."""
        return self.path.suffix == ".whl"

    @property
    def pin(self) -> str:
        """The requirement that exactly this file meets, for an installer that checks hashes."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


@cache
def distributions() -> tuple[File, ...]:
    """Return all of them, fetching those that are not here yet."""
    as_wheels = WHEELS + MORE_WHEELS * IS_FULL
    as_sdists = SDISTS + MORE_SDISTS * IS_FULL
    names = ",".join(sdist.partition("==")[0] for sdist in as_sdists)
    folders = (
        _fetched("wheels", ["--only-binary", ":all:", *as_wheels]),
        _fetched("sdists", ["--no-binary", names, *as_sdists]),
    )
    return tuple(_file(path) for folder in folders for path in sorted(folder.iterdir()))


def wheels(*names: str) -> list[File]:
    """Return the wheels of these projects, or all of them."""
    return [file for file in distributions() if file.is_wheel and (not names or file.name in names)]


def sdists() -> list[File]:
    """Return the sdists."""
    return [file for file in distributions() if not file.is_wheel]


def paths(files: Sequence[File]) -> list[Path]:
    """Return where the files are."""
    return [file.path for file in files]


def _file(path: Path) -> File:
    if path.suffix == ".whl":
        name, version = parse_wheel_filename(path.name)[:2]
    else:
        name, version = parse_sdist_filename(path.name)
    return File(path, canonicalize_name(name), str(version), sha256(path))


def _fetched(kind: str, arguments: Sequence[str]) -> Path:
    """Return a folder with what pip downloads; pip knows the way to an index from here."""
    wanted = f"{sys.version} {' '.join(arguments)}"
    folder = CACHE / f"{kind}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            fresh = folder.with_suffix(".part")
            shutil.rmtree(fresh, ignore_errors=True)
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(fresh)]
            subprocess.run([*command, *arguments], check=True)
            fresh.rename(folder)
    return folder
