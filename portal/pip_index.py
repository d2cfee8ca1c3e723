"""Finds the index that this machine's pip is configured with, for the first remote repository.

pip is asked as a program, because its configuration has no public Python interface.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

_SECONDS = 30


@dataclass(frozen=True, slots=True)
class ConfiguredIndex:
    """An index URL without credentials, and the credentials it was written with."""

    url: str
    username: str
    password: str


def configured_index() -> ConfiguredIndex | None:
    """Return pip's index: its environment, its files, else its own default; None without pip."""
    url = (
        os.environ.get("PIP_INDEX_URL")
        or _ask_pip("config", "get", "install.index-url")
        or _ask_pip("config", "get", "global.index-url")
        or _default()
    )
    return split_credentials(url) if url else None


def split_credentials(url: str) -> ConfiguredIndex:
    """Return `url` with user name and password taken out of it."""
    parts = urlsplit(url.strip())
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return ConfiguredIndex(
        url=urlunsplit(bare),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _default() -> str:
    """Return the default that `pip install --help` names for --index-url."""
    text = _ask_pip("install", "--help", "--isolated")
    match = re.search(r"--index-url.*?\(default\s+(\S+?)\)", text, re.DOTALL)
    return match[1] if match else ""


def _ask_pip(*arguments: str) -> str:
    # A wide terminal keeps pip from breaking the URL over two lines.
    environment = os.environ | {"COLUMNS": "1000", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        answer = subprocess.run(  # noqa: S603 - our own interpreter, fixed arguments
            [sys.executable, "-m", "pip", *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
