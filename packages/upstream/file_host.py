"""Finds out which other host of our own network the files of an index come from.

Split DNS and mirrors inside a company give the index a private address, and its files' host too.
"""

from __future__ import annotations

import socket

from packages.filenames import NormalizedName
from packages.upstream.addresses import Guard, origin_of, root_of
from packages.upstream.errors import (
    AddressRefused,
    NotConfigured,
    UpstreamAway,
    UpstreamUnreadable,
)
from packages.upstream.source import Source
from packages.upstream.trial import asked_page

# What no setting of an upstream names, though it may have private addresses.
_NOWHERE = Guard(frozenset(), private_allowed=True)


def private_file_host(source: Source, project: NormalizedName, *, seconds: float) -> str:
    """Return the URL of the host that the files of `project` come from, if only a setting opens it.

    Empty where they come from the index's own host, or index or files from a public address.
    Raises UpstreamFailed.
    """
    if not _is_private(source.root_url):
        return ""
    document = asked_page(source, project, seconds=seconds)
    if document is None or not document.lines:
        raise UpstreamUnreadable(f"{source.host} lists no files of {project}.")
    url = document.lines[-1].url
    is_another = origin_of(url) not in source.origins and _is_private(url)
    return root_of(url) if is_another else ""


def _is_private(url: str) -> bool:
    """Say whether a host has private addresses alone: one that is public is simply asked."""
    _, host, port = origin_of(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UpstreamAway(f"The name {host} cannot be looked up.") from None
    is_private = False
    for *_, address in found:
        try:
            _NOWHERE.judge_address(host, port, str(address[0]))
        except NotConfigured:
            is_private = True
        except AddressRefused:
            continue
        else:
            return False
    return is_private
