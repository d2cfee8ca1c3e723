"""A person's machine: a home of its own and real clients that know a URL and a token."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.clients import client, client_environment

_SECONDS = 600
Command = Sequence[str]


@dataclass
class Machine:
    """Runs clients with `home` as their home; `variables` are set for all of them."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, name: str, *arguments: str, within: Path | None = None, **more: str) -> str:
        """Run a client that must succeed, and return what it printed."""
        done = self._done(name, arguments, within, more)
        assert done.returncode == 0, f"{name} {' '.join(arguments)}\n{done.stdout}"
        return done.stdout

    def fails(self, name: str, *arguments: str, within: Path | None = None, **more: str) -> str:
        """Run a client that must fail, and return what it printed."""
        done = self._done(name, arguments, within, more)
        assert done.returncode != 0, f"{name} {' '.join(arguments)}\n{done.stdout}"
        return done.stdout

    def tries(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a client, and return what it printed and how it ended."""
        return self._done(name, arguments, None, {})

    def types(self, lines: str, *names: str, within: Path | None = None, **more: str) -> str:
        """Type lines into a shell that finds these clients; return what the last of them printed.

        Each must succeed.
        """
        path = os.pathsep.join([*(str(client(name).parent) for name in names), os.environ["PATH"]])
        done = self._spawned(["sh", "-e", "-c", lines], within, {"PATH": path, **more})
        assert done.returncode == 0, f"{lines}\n{done.stdout}"
        return done.stdout

    def folder(self, name: str) -> Path:
        """Make a folder on this machine."""
        made = self.home / name
        made.mkdir(parents=True)
        return made

    def _done(
        self, name: str, arguments: Sequence[str], within: Path | None, more: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return self._spawned([str(client(name)), *arguments], within, more)

    def _spawned(
        self, command: Sequence[str], within: Path | None, more: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=within or self.home,
            env=client_environment(self.home) | self.variables | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )


def twine(to: str, files: Iterable[Path], *, token: str, user: str = "__token__") -> Command:
    """Return the command that uploads `files` with twine."""
    return ("twine", "upload", "--repository-url", to, "-u", user, "-p", token, *_names(files))


def uv(
    to: str,
    files: Iterable[Path],
    *,
    token: str | None,
    user: str = "__token__",
    options: Command = (),
) -> Command:
    """Return the command that uploads `files` with uv; no token means anonymously."""
    who = ("-u", user, "-p", token) if token else ()
    command = ("uv", "publish", "--trusted-publishing", "never", "--publish-url", to)
    return (*command, *who, *options, *_names(files))


def signed_in(url: str, token: str) -> str:
    """Return `url` with a token in it, as installers take it."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"__token__:{token}@{parts.netloc}").geturl()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder, by name."""
    return {path.name: sha256(path) for path in sorted(folder.iterdir())}


def _names(files: Iterable[Path]) -> list[str]:
    return [str(file) for file in files]
