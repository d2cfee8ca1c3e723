"""A contestant that runs and is filled, and what starting one needs."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

from bench.speed.asking import INSTALLER, get, require_status
from bench.speed.corpus import Corpus, Sizes
from bench.speed.results import Void
from tests.parts.processes import Server, private_folder, server

# Takes the URL of an index, and yields that of a proxy of it which nobody has asked so far.
Mirror = Callable[[str], AbstractContextManager[str]]


@dataclass(frozen=True)
class Running:
    """A contestant: its URLs end with a slash, and an empty one means that it has no such thing."""

    name: str
    pids: tuple[int, ...]
    start_seconds: float
    index: str  # of all wheels of the corpus
    root: str = ""  # of the index with very many projects
    upload: str = ""  # where to publish to `index`
    root_upload: str = ""  # where to publish to `root`
    no_uploads: str = "takes no uploads"  # why, where nobody publishes
    reader: str = ""  # the Authorization header of who reads
    writer: str = ""  # of who publishes
    virtuals: Mapping[int, str] = field(default_factory=dict)  # index URLs, by number of members
    admin: str = ""  # of who may make and revoke tokens
    hosts: tuple[str, ...] = ()  # index URLs, one for each machine
    beside: Running | None = None  # who is asked as often meanwhile, and counts for nothing
    mirror: Mirror | None = None  # how to ask another index through it
    # What it holds, where that is less than the corpus; the report says so.
    projects: int | None = None
    large: int | None = None
    roots: int | None = None
    notes: tuple[str, ...] = ()

    def headers(self, **more: str) -> dict[str, str]:
        """Return what a reader sends."""
        own = {"Authorization": self.reader} if self.reader else {}
        return own | {name.replace("_", "-"): value for name, value in more.items()}

    def remarks(self, sizes: Sizes) -> list[str]:
        """Return what a reader of its figures should know."""
        fewer = [
            f"{held:,} of {all_:,} {what}"
            for held, all_, what in (
                (self.projects, sizes.projects, "small projects"),
                (self.large, sizes.large, "files of the large one"),
                (self.roots, sizes.root, "projects in the root list"),
            )
            if held is not None and held < all_
        ]
        return [*self.notes, *(["it holds " + ", ".join(fewer)] if fewer else [])]


@dataclass(frozen=True)
class Ground:
    """What a contestant may need to start: the corpus, PostgreSQL, and who runs already."""

    corpus: Corpus
    database: str
    running: list[Running]

    def named(self, name: str) -> Running:
        """Return a contestant that was started before."""
        for each in self.running:
            if each.name == name:
                return each
        raise Void(f"it needs {name}, which does not run")


Start = Callable[[Ground], AbstractContextManager[Sequence[Running]]]


@dataclass(frozen=True)
class Peer:
    """A module's entry: the names it brings, and whom it needs to have been started before it."""

    names: tuple[str, ...]
    start: Start
    needs: tuple[str, ...] = ()
    pinned: str = ""  # the project in requirements/upstreams whose version the report tells


@contextmanager
def timed_server(
    part: str,
    command: Callable[[int], Sequence[str]],
    path: str,
    authorization: str = "",
    *,
    address: str = "127.0.0.1",
) -> Iterator[tuple[Server, float]]:
    """Run a server; yield it and how long it took until it answered `path`.

    For who is compared by that time it is a project's page.
    """
    headers = {"Accept": INSTALLER}  # proxpi has nothing for who accepts nothing
    headers |= {"Authorization": authorization} if authorization else {}

    def answers(port: int) -> bool:
        connection = HTTPConnection(address, port, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status < 400
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    with private_folder(part) as folder:
        began = time.monotonic()
        with server(folder, command, answers=answers) as running:
            yield running, time.monotonic() - began


def seconds_until(page: str, began: float, **headers: str) -> float:
    """Ask a server that listens for a page, and return how long it took from then to now."""
    require_status(get(page, {"Accept": INSTALLER, **headers}), 200)
    return time.monotonic() - began


def basic(user: str, password: str) -> str:
    """Return the header of Basic authentication."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def user_and_password(authorization: str) -> tuple[str, str]:
    """Return what a header of Basic authentication holds."""
    told = base64.b64decode(authorization.removeprefix("Basic ")).decode()
    user, _, password = told.partition(":")
    return user, password
