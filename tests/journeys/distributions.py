"""Real distributions of well-known projects, fetched once by pip and kept in a cache.

With LARDER_TEST_COUNTS=full there are more than forty of them, one larger than 50 MB, and seventy
more that are old: who wrote them kept to other rules, or to none.
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

from tests.clients import ROOT, client
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

# An sdist with attestations of its project's CI, which are in tests/packages/attestations/real.
ATTESTED = "pypi-attestations==0.0.19"

OLD_WHEELS = ("requests==2.0.0", "flask==0.12", "wheel==0.21.0", "google-cloud-storage==1.0.0")
OLD_SDISTS = ("six==1.0.0", "mock==1.0.1", "toml==0.9.0", "python-dateutil==2.2")
MORE_OLD_WHEELS = (
    *("apache-airflow==2.6.0", "black==23.1.0", "boto==2.38.0", "celery==3.1.18", "chardet==2.3.0"),
    *("cryptography==42.0.0", "django==1.11.29", "docutils==0.12", "gunicorn==19.3.0"),
    *("hatchling==1.27.0", "ipython==4.0.0", "jinja2==2.8", "kombu==3.0.26", "lxml==4.9.4"),
    *("mock==1.3.0", "nose==1.3.7", "protobuf==3.20.0", "setuptools==18.0", "sphinx==1.3"),
    *("twine==1.5.0", "whitenoise==1.0.6"),
)
MORE_OLD_SDISTS = (
    *("amqp==1.4.6", "attrs==15.0.0", "beautifulsoup4==4.3.2", "billiard==3.3.0.20"),
    *("celery==3.1.18", "certifi==0.0.8", "chardet==2.3.0", "click==5.0", "colorama==0.3.3"),
    *("cssselect==0.9.1", "django==1.4", "django==1.11.29", "docutils==0.15", "ecdsa==0.11"),
    *("feedparser==5.2.1", "flask==0.10.1", "gunicorn==19.3.0", "httplib2==0.9"),
    *("hypothesis==1.0.0", "idna==2.0", "isodate==0.5.1", "itsdangerous==0.24", "jinja2==2.10"),
    *("kombu==3.0.26", "markdown==2.6", "nose==1.3.7", "paramiko==1.15.0", "paste==2.0"),
    *("pluggy==0.3.0", "prettytable==0.7.2", "py==1.4.26", "pyasn1==0.1.7", "pygments==2.0"),
    *("pyyaml==3.11", "redis==2.10.3", "rsa==3.1.4", "simplejson==3.8.0", "sqlalchemy==0.9.0"),
    *("tornado==4.1", "tox==1.9.0", "virtualenv==12.0", "webob==1.4", "werkzeug==0.16.0"),
    *("xlrd==0.9.3", "zope.interface==5.0.0"),
)

# What the larder command requires, on any system and any Python.
OF_THE_CLIENT = (
    *("backports-tarfile==1.2.0", "cffi==2.1.1", "cryptography==50.0.2"),
    *("importlib-metadata==10.2.0", "jaraco-classes==3.4.0", "jaraco-context==6.1.2"),
    *("jaraco-functools==4.6.0", "jeepney==0.9.0", "keyring==25.7.0", "lazy-importer==0.1.0"),
    *("more-itertools==11.2.1", "pycparser==3.12", "secretstorage==3.5.0", "zipp==4.1.2"),
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


@cache
def old_distributions() -> tuple[Path, ...]:
    """Return old ones, fetching those that are not here yet.

    pip asks an sdist for its metadata before it keeps it, so that old ones need old setuptools.
    """
    old = ["--python", str(client("setuptools"))]
    wheels = OLD_WHEELS + MORE_OLD_WHEELS * IS_FULL
    sdists = OLD_SDISTS + MORE_OLD_SDISTS * IS_FULL
    no_build = ["--no-binary", ":all:", "--no-build-isolation"]
    folders = [_fetched("old-wheels", ["--only-binary", ":all:", *wheels])]
    # One at a time: there are two versions of some.
    folders += [_fetched(f"old-{sdist}", [*no_build, sdist], options=old) for sdist in sdists]
    return tuple(path for folder in folders for path in sorted(folder.iterdir()))


def attested_sdist() -> File:
    """Return the one whose attestations are here, fetching it if it is not."""
    (path,) = _fetched("attested", ["--no-binary", ":all:", ATTESTED]).iterdir()
    return _file(path)


def wheels(*names: str) -> list[File]:
    """Return the wheels of these projects, or all of them."""
    return [file for file in distributions() if file.is_wheel and (not names or file.name in names)]


def wheels_of_the_long_list() -> list[File]:
    """Return the wheels of the long list, whatever the counts, fetching those that are not here."""
    folder = _fetched("wheels", ["--only-binary", ":all:", *WHEELS, *MORE_WHEELS])
    return [_file(path) for path in sorted(folder.iterdir())]


def wheels_of_the_client() -> list[File]:
    """Return the wheels of what the larder command requires, fetching those that are not here."""
    folder = _fetched("wheels-of-the-client", ["--only-binary", ":all:", *OF_THE_CLIENT])
    return [_file(path) for path in sorted(folder.iterdir())]


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


def _fetched(kind: str, arguments: Sequence[str], options: Sequence[str] = ()) -> Path:
    """Return a folder with what pip downloads; pip knows the way to an index from here."""
    wanted = f"{sys.version} {' '.join(arguments)}"
    folder = CACHE / f"{kind}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            fresh = folder.with_suffix(".part")
            shutil.rmtree(fresh, ignore_errors=True)
            command = [sys.executable, "-m", "pip", *options, "download", "-q", "--no-deps"]
            subprocess.run([*command, "-d", str(fresh), *arguments], check=True)
            fresh.rename(folder)
    return folder
