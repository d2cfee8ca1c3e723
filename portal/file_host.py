"""Finds out, at the first start, whether the index that was found keeps its files on another host.

Inside a company both may have private addresses, and a remote asks only those that are set. The
index is the one of whoever starts Larder here, and is asked for one page.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from packages.filenames import NormalizedName
from packages.upstream.errors import UpstreamFailed
from packages.upstream.file_host import private_file_host
from packages.upstream.source import Source
from portal.pip_index import ConfiguredIndex
from repos.models import Repository, Upstream
from repos.sealed import seal

_SECONDS = 4.0  # in all, also where names are looked up slowly
_SECONDS_TO_CONNECT = 1
_A_PROJECT = NormalizedName("pip")  # the index is pip's own


@dataclass(frozen=True, slots=True)
class FileHost:
    """The URL of files that a remote needs, empty for none, and a line for whoever starts it."""

    url: str = ""
    says: str = ""


def file_host_of(index: ConfiguredIndex) -> FileHost:
    """Ask `index` where its files come from; whatever goes wrong takes a few seconds at most."""
    answers: list[FileHost] = []
    # A look-up of a name cannot be given a time: its thread is left behind.
    asking = threading.Thread(target=lambda: answers.append(_asked(index)), daemon=True)
    asking.start()
    asking.join(_SECONDS)
    return answers[0] if answers else _not_found_out("The index takes too long to answer.")


def _asked(index: ConfiguredIndex) -> FileHost:
    upstream = Upstream(
        index_url=index.url,
        username=index.username,
        sealed_password=seal(index.password),
        private_allowed=True,
        connect_seconds=_SECONDS_TO_CONNECT,
        read_seconds=_SECONDS,
    )
    try:
        url = private_file_host(Source(Repository(), upstream), _A_PROJECT, seconds=_SECONDS)
    except UpstreamFailed as failure:
        return _not_found_out(failure.sentence)
    if not url:
        return FileHost()
    if index.username or index.password:  # it would be sent there, which is not ours to decide
        return FileHost(
            says=f"The index has its files at {url}. If that host may have the index's password, "
            "set it as URL of files of the remote (Administration, Upstream)."
        )
    return FileHost(
        url, f"The index of pypi-remote has its files at {url}: the remote fetches them there."
    )


def _not_found_out(why: str) -> FileHost:
    return FileHost(says=f"Where the index has its files was not found out: {why}")
