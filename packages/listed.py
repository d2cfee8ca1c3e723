"""The lists of projects that upstreams have, as they are kept: in parts, never all in memory."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence

from packages.filenames import NormalizedName
from packages.models import UpstreamNames


def packed(names: Sequence[str]) -> bytes:
    """Return a part of the names, as upstream spells them, for `UpstreamNames.names`."""
    return zlib.compress("\n".join(names).encode())


def unpacked(data: bytes) -> list[str]:
    """Return the names that `packed` made into `data`."""
    return zlib.decompress(data).decode().split("\n")


def is_listed(remotes: Iterable[int], name: NormalizedName) -> bool:
    """Say whether a kept list of one of `remotes` has the project, however it is spelled there."""
    # PEP 503: runs of "-", "_" and "." are one "-", and case does not count.
    spelled = re.compile(
        rb"^" + re.escape(name).replace(r"\-", "[-_.]+").encode() + rb"$",
        re.IGNORECASE | re.MULTILINE,
    )
    rows = UpstreamNames.objects.filter(repository_id__in=remotes)
    parts = rows.values_list("names", flat=True).iterator(chunk_size=10)
    return any(spelled.search(zlib.decompress(bytes(part))) for part in parts)
