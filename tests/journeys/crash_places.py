"""The places of "Publishing" at which a test ends the process: each names a step and its side."""

from __future__ import annotations

from typing import Literal, NamedTuple

FLAG = "LARDER_TEST_CRASH"
ANSWERED = "answered"


class Place(NamedTuple):
    """Before or after one function on the way of an upload."""

    name: str
    module: str
    function: str
    side: Literal["before", "after"]


PLACES = (
    Place("received", "packages.publish", "_compare_digests", "before"),  # the file is spooled
    Place("judged", "packages.publish", "_open_archive", "after"),  # the archive was let in
    Place("noted", "packages.storage", "put", "before"),  # the object is noted as loose
    Place("stored", "packages.storage", "put", "after"),  # the bytes are durable
    Place("blob", "packages.publish", "blob_row", "after"),  # its row is written, uncommitted
    Place("rows", "packages.publish", "contents_changed", "after"),  # all rows, uncommitted
    Place("committed", "packages.publish", "_commit", "after"),  # but nobody has been told
)
