"""The real clients that journeys drive: each pinned, in a virtual environment of its own.

Clients live apart from Larder's environment and from each other because their requirements
disagree, and because a person's machine has them apart too.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
CACHE = ROOT / ".cache" / "clients"
# Where the program is not named as the project.
PROGRAMS = {
    "build": "pyproject-build",
    "setuptools": "python",
    "dohq": "python",
    "pypiserver": "pypi-server",
    "devpi": "devpi-server",
    "pulp": "pulpcore-api",
}
NOBODY_LISTENS = "http://127.0.0.1:9"
KEPT = (
    *("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"),
)


def client(name: str, kind: str = "clients") -> Path:
    """Return the executable of a client, installing it on first use.

    With `kind` "upstreams", that of another index server.
    """
    requirements = REQUIREMENTS / kind / f"{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = CACHE / f"{name}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test workers may ask at once; closing releases it
        if not (home / "complete").exists():
            _install(home, requirements)
    return home / "bin" / PROGRAMS.get(name, name)


def client_environment(home: Path) -> dict[str, str]:
    """Return the environment of a client that knows nothing but `home` and the URL it is given.

    No configuration of this machine is inherited, and what is not on this machine is sent to a
    proxy that is not there: a client that falls back to a public index fails instead.
    """
    folders = {
        name: str(home / folder)
        for name, folder in {
            "HOME": "",
            "XDG_CACHE_HOME": ".cache",
            "XDG_CONFIG_HOME": ".config",
            "XDG_CONFIG_DIRS": ".config/system",
            "XDG_DATA_HOME": ".local/share",
            "XDG_STATE_HOME": ".local/state",
        }.items()
    }
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **folders,
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOBODY_LISTENS),
        "NO_PROXY": "127.0.0.1,localhost",
        "NO_COLOR": "1",
        "COLUMNS": "200",  # rich wraps messages, twine's and PDM's among them, at the width
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_KEYRING_PROVIDER": "disabled",
        "PIP_NO_INPUT": "1",
        "UV_KEYRING_PROVIDER": "disabled",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "TWINE_NON_INTERACTIVE": "1",
        "POETRY_KEYRING_ENABLED": "false",
        "POETRY_NO_INTERACTION": "1",
        "PDM_CHECK_UPDATE": "false",
        "PDM_NON_INTERACTIVE": "1",
    }


def _install(home: Path, requirements: Path) -> None:
    """Install with the pip beside the tests, which knows the way to an index from here."""
    shutil.rmtree(home, ignore_errors=True)
    venv.create(home, symlinks=True)
    command = [sys.executable, "-m", "pip", "--python", str(home), "-qq", "install"]
    command += ["--require-hashes", "--no-deps", "--requirement", str(requirements)]
    subprocess.run(command, check=True)
    (home / "complete").touch()
