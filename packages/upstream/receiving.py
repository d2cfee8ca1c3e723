"""Receives one file from upstream, in as many answers as it takes, and judges it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from packages.filenames import NormalizedName
from packages.upstream import connection
from packages.upstream.connection import Answering
from packages.upstream.errors import (
    AddressRefused,
    AskedTooOften,
    CircleClosed,
    NotAsked,
    NotConfigured,
    TooLarge,
    UpstreamFailed,
    UpstreamRefused,
    WrongBytes,
)
from packages.upstream.links import Line
from packages.upstream.source import Source
from packages.upstream.spools import Spool

_TRIES = 3
_RANGE = re.compile(r"bytes (\d+)-")
_DIGITS_AT_MOST = 15  # petabytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file of one page."""

    source: Source
    project: NormalizedName
    line: Line


@dataclass(slots=True)
class _Progress:
    """How far it has come. `size` is what it should be in the end, if anybody says."""

    size: int | None = None
    has_begun: bool = False
    validator: str = ""  # RFC 9110, If-Range: a strong ETag


def received(wanted: Wanted, spool: Spool) -> Iterator[int | None]:
    """Receive the file into `spool`; yield its size, if known, once, when the first bytes come.

    Where upstream breaks off it is asked for the rest. Raises UpstreamFailed, and WrongBytes for a
    file that is not the one on the page; the spool's last block is not given out by then.
    """
    progress = _Progress(size=wanted.line.size)
    for attempt in range(1, _TRIES + 1):
        try:
            headers = _headers(progress, spool)
            with (
                naming_the_setting(wanted.source),
                connection.opened(wanted.source, wanted.line.url, headers) as answering,
            ):
                _require_file(wanted, answering)
                if not progress.has_begun:
                    _begin(wanted, answering, progress)
                    yield progress.size
                _pour(wanted, answering, spool, progress)
            if progress.size is None or spool.size >= progress.size:
                break
        except (WrongBytes, UpstreamRefused, AskedTooOften, NotAsked, TooLarge):
            raise
        except UpstreamFailed:
            if attempt == _TRIES or not _can_go_on(wanted, progress, spool):
                raise
        if not _can_go_on(wanted, progress, spool):
            break
        connection.pause_after(attempt)
    _judge(wanted, progress, spool)


@contextmanager
def naming_the_setting(source: Source) -> Iterator[None]:
    """Say of a host that is not asked for files which setting would let it be.

    Who asks for a file may read the remote, and so know its name.
    """
    try:
        yield
    except NotConfigured as refused:
        raise AddressRefused(
            f"{refused.sentence} In {source.repository}, URL of files is to be {refused.url} for "
            "that (Administration, Upstream)."
        ) from None


def _headers(progress: _Progress, spool: Spool) -> dict[str, str]:
    if not spool.size:
        return {}
    rest = {"Range": f"bytes={spool.size}-"}
    return rest | ({"If-Range": progress.validator} if progress.validator else {})


def _can_go_on(wanted: Wanted, progress: _Progress, spool: Spool) -> bool:
    """Say whether the rest of another answer would be known to be of the same file."""
    return bool(progress.validator or wanted.line.hashes or not spool.size)


def _require_file(wanted: Wanted, answering: Answering) -> None:
    status, host = answering.status, wanted.source.host
    if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return
    sentence = f"{host} answered {status} for {wanted.line.filename}."
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise AskedTooOften(sentence)
    if status == HTTPStatus.LOOP_DETECTED:
        raise CircleClosed(sentence)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise UpstreamFailed(sentence)
    raise UpstreamRefused(sentence)


def _begin(wanted: Wanted, answering: Answering, progress: _Progress) -> None:
    """Learn from the first answer how long the file is, and refuse it if that is too long."""
    declared = answering.headers.get("content-length", "")
    size = int(declared) if declared.isdigit() and len(declared) <= _DIGITS_AT_MOST else None
    line, most = wanted.line, wanted.source.repository.max_file_bytes
    if size is not None and line.size is not None and size != line.size:
        raise WrongBytes(
            f"{wanted.source.host} lists {line.filename} with {line.size} bytes and sends {size}."
        )
    progress.size = line.size if line.size is not None else size
    if progress.size is not None and progress.size > most:
        raise _too_large(wanted)
    etag = answering.headers.get("etag", "")
    progress.validator = "" if etag.startswith("W/") else etag
    progress.has_begun = True


def _pour(wanted: Wanted, answering: Answering, spool: Spool, progress: _Progress) -> None:
    skipped = 0
    if answering.status == HTTPStatus.PARTIAL_CONTENT:
        begins = _RANGE.match(answering.headers.get("content-range", ""))
        if begins is None or int(begins[1]) != spool.size:
            raise UpstreamFailed(f"{wanted.source.host} sent another part than was asked for.")
    elif spool.size:
        # It sends the file again from its start. Only a digest can tell that it is the same.
        if not wanted.line.hashes:
            raise UpstreamFailed(f"{wanted.source.host} broke {wanted.line.filename} off.")
        skipped = spool.size
    most = wanted.source.repository.max_file_bytes
    while chunk := answering.read():
        if skipped:
            skipped, chunk = max(0, skipped - len(chunk)), chunk[skipped:]
        spool.write(chunk)
        if progress.size is not None and spool.size > progress.size:
            raise WrongBytes(
                f"{wanted.source.host} sends more of {wanted.line.filename} than "
                f"{progress.size} bytes."
            )
        if spool.size > most:
            raise _too_large(wanted)


def _too_large(wanted: Wanted) -> TooLarge:
    most = wanted.source.repository.max_file_bytes
    return TooLarge(f"{wanted.line.filename} has more than {most} bytes, the most that is taken.")


def _judge(wanted: Wanted, progress: _Progress, spool: Spool) -> None:
    """Refuse a file that is not the one on the page."""
    line, host = wanted.line, wanted.source.host
    if progress.size is not None and spool.size != progress.size:
        raise WrongBytes(f"{host} sent {spool.size} bytes of {line.filename}, not {progress.size}.")
    for algorithm, digest in line.hashes.items():
        if spool.digest(algorithm) != digest:
            raise WrongBytes(
                f"{host} sent another {line.filename} than it lists: its {algorithm} is "
                f"{spool.digest(algorithm)}, not {digest}."
            )
