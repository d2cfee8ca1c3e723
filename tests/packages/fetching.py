"""Has remotes fetch files, and waits for what they do in threads of their own."""

from __future__ import annotations

import threading

from packages.filenames import parse_name
from packages.index.base import Arriving, Transfer
from packages.index.remote import RemoteIndex
from repos.models import Repository


def settled() -> None:
    """Wait until nothing is being fetched or refreshed."""
    for thread in threading.enumerate():
        if thread.name in {"fetch", "refresh"}:
            thread.join(10)


def fetched(remote: Repository, filename: str) -> None:
    """Let a remote fetch a file from upstream, and wait until it is kept."""
    found = RemoteIndex(remote).open(parse_name(filename.split("-", maxsplit=1)[0]), filename)
    assert isinstance(found, Arriving)
    begun = found.begin()
    if isinstance(begun, Transfer):  # or it has come at once
        begun.stream.close()
    settled()
