"""Upstream's list of its projects: hundreds of thousands of names, never all in memory."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from http import HTTPStatus
from urllib.parse import unquote

from django.db import transaction
from packaging.utils import canonicalize_name

from base import clock
from base.connections import give_back
from packages.filenames import EXTENSIONS, NameRefused, NormalizedName, parse_name
from packages.listed import packed, unpacked
from packages.models import UpstreamNames, UpstreamPage
from packages.upstream import connection
from packages.upstream.asking import conditions, require_answer, taken_over, validators
from packages.upstream.connection import Answering
from packages.upstream.errors import (
    CircleClosed,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamUnreadable,
)
from packages.upstream.health import counted, require_open
from packages.upstream.pages import ACCEPT
from packages.upstream.refresh import (
    age_of,
    failed_lately,
    kept_row,
    note_use,
    refreshed,
)
from packages.upstream.source import Source
from repos.stamps import locked_state, move_serial

BYTES_AT_MOST = 512 * 1024 * 1024
NAMES_AT_MOST = 5_000_000
NAMES_PER_PART = 10_000

_THE_LIST = NormalizedName("")  # the row of the list stands among the pages
_SECONDS = 300.0
_FRESH_AT_LEAST = 600
# A name needs no escapes in JSON; what has some is none.
_JSON_NAME = re.compile(rb'"name"\s*:\s*"([A-Za-z0-9._-]{1,200})"')
_JSON_OVERLAP = 300  # longer than any match


@dataclass(frozen=True, slots=True)
class Names:
    """The names as upstream spells them; each iteration reads them part by part."""

    source: Source

    def __iter__(self) -> Iterator[str]:
        """Yield every name, with a part of them in memory at a time."""
        part = 0
        while (row := self._part(part)) is not None:
            yield from unpacked(row)
            part += 1

    def _part(self, part: int) -> bytes | None:
        rows = UpstreamNames.objects.filter(
            repository=self.source.repository, scope=self.source.scope, part=part
        )
        found = rows.first()
        give_back()  # what follows may be written to a slow client
        return bytes(found.names) if found is not None else None


@dataclass(frozen=True, slots=True)
class Listing:
    """What is known of the list; `digest` is equal for equal lists."""

    names: Iterable[str]
    digest: str
    serial: int
    stale_since: datetime | None


def known_list(source: Source) -> Listing:
    """Return upstream's list of projects: kept while fresh, else asked, else stale.

    Raises UpstreamFailed when it cannot be asked and nothing is kept.
    """
    row = kept_row(source, _THE_LIST)
    kept = row if row is not None and row.is_served else None
    if kept is not None:
        note_use(kept)
        is_fresh = age_of(kept) < max(_FRESH_AT_LEAST, source.upstream.fresh_seconds)
        if is_fresh:
            return _listing(source, kept)
        if source.upstream.offline or failed_lately(kept):
            return _listing(source, kept, is_stale=True)
    if source.upstream.offline:
        raise UpstreamFailed(f"{source.repository} is offline and has kept no list of projects.")
    try:
        return _listing(source, refreshed(source, _THE_LIST, _asked))
    except UpstreamFailed:
        if kept is None:
            raise
        return _listing(source, kept, is_stale=True)


def _listing(source: Source, row: UpstreamPage, *, is_stale: bool = False) -> Listing:
    return Listing(
        names=Names(source),
        digest=bytes(row.document or b"").hex(),
        serial=row.changed,
        stale_since=row.answered_at if is_stale else None,
    )


def _asked(source: Source, _project: NormalizedName, row: UpstreamPage, fence: str) -> UpstreamPage:
    health = require_open(source)
    give_back()
    mine = UpstreamPage.objects.filter(pk=row.pk, fence=fence)
    headers = {
        "Accept": ACCEPT,
        "Accept-Encoding": "gzip, deflate",
        **conditions(source, _THE_LIST, row),
    }
    try:
        with (
            counted(source, health),
            connection.opened(source, source.root_url, headers) as answering,
        ):
            _require_list(source, answering.status)
            if answering.status == HTTPStatus.NOT_MODIFIED and row.is_served:
                is_ours = mine.update(answered_at=clock.now(), failed_at=None, failure="") > 0
            else:
                is_ours = _write(source, row, fence, answering)
    except CircleClosed:
        raise
    except UpstreamFailed as failure:
        mine.update(failed_at=clock.now(), failure=failure.sentence[:500])
        raise
    if not is_ours:
        raise taken_over(source, _THE_LIST)
    row.refresh_from_db()
    return row


def _require_list(source: Source, status: int) -> None:
    require_answer(source, status)
    if status not in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
        raise UpstreamRefused(f"{source.host} has no list of projects: it answered {status}.")


def _write(source: Source, row: UpstreamPage, fence: str, answering: Answering) -> bool:
    """Keep the list, as long as the fence is ours; say whether it was."""
    digest, parts = hashlib.sha256(), []
    for names in _batches(_names(source, answering)):
        digest.update("\n".join(names).encode() + b"\n")
        parts.append(packed(names))
    place = {"repository": source.repository, "scope": source.scope}
    etag, last_modified = validators(answering.headers)
    with transaction.atomic():
        mine = UpstreamPage.objects.filter(pk=row.pk, fence=fence).update(
            is_served=True,
            was_ever_served=True,
            document=digest.digest(),
            asked_as=source.asked_as(_THE_LIST),
            etag=etag,
            last_modified=last_modified,
            answered_at=clock.now(),
            failed_at=None,
            failure="",
        )
        if mine and (not row.is_served or bytes(row.document or b"") != digest.digest()):
            UpstreamNames.objects.filter(**place).delete()
            UpstreamNames.objects.bulk_create(
                UpstreamNames(part=number, names=data, **place) for number, data in enumerate(parts)
            )
            serial = move_serial(locked_state(source.repository.pk))
            UpstreamPage.objects.filter(pk=row.pk).update(changed=serial)
    return mine > 0


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for count, name in enumerate(names, 1):
        if count > NAMES_AT_MOST:
            raise UpstreamUnreadable(f"The list has more than {NAMES_AT_MOST} names.")
        batch.append(name)
        if len(batch) == NAMES_PER_PART:
            yield batch
            batch = []
    if batch:
        yield batch


def _names(source: Source, answering: Answering) -> Iterator[str]:
    """Yield the plausible names of a list as it comes, one after another."""
    is_json = "json" in answering.headers.get("content-type", "")
    found = _json_names if is_json else _flat_names if source.is_flat else _html_names
    count, before = 0, ""
    for name in found(_timed(source, connection.decoded(answering, BYTES_AT_MOST))):
        try:
            parse_name(name)
        except NameRefused:
            continue
        if name != before:
            yield name
        count, before = count + 1, name
    if not count and not is_json:
        raise UpstreamUnreadable(f"{source.host} answers with a page that lists no projects.")


def _timed(source: Source, pieces: Iterable[bytes]) -> Iterator[bytes]:
    deadline, room = time.monotonic() + _SECONDS, BYTES_AT_MOST
    for piece in pieces:
        room -= len(piece)
        if time.monotonic() > deadline or room < 0:
            raise UpstreamUnreadable(f"The list of {source.host} does not come to an end.")
        yield piece


def _json_names(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        rest += piece
        end = 0
        for match in _JSON_NAME.finditer(rest):
            yield match[1].decode()
            end = match.end()
        # A match may have begun before the end of what is here.
        rest = rest[max(end, len(rest) - _JSON_OVERLAP) :]


def _html_names(pieces: Iterable[bytes]) -> Iterator[str]:
    return (href.rstrip("/").rpartition("/")[2] for href in _hrefs(pieces))


def _flat_names(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the projects of a list of files; what its file names say, each once in a row."""
    seen = set()
    for href in _hrefs(pieces):
        filename = href.partition("#")[0].rpartition("/")[2]
        extension = next((each for each in EXTENSIONS if filename.endswith(each)), "")
        stem = filename.removesuffix(extension)
        parted = (
            stem.partition("-")[0] if extension in {".whl", ".egg"} else stem.rpartition("-")[0]
        )
        name = canonicalize_name(parted) if extension else ""
        if name and name not in seen:
            seen.add(name)
            yield name


def _hrefs(pieces: Iterable[bytes]) -> Iterator[str]:
    anchors = _Anchors()
    for piece in pieces:
        anchors.feed(piece.decode("ascii", errors="replace"))  # names and their URLs are ASCII
        yield from anchors.found
        anchors.found.clear()
    anchors.close()
    yield from anchors.found


class _Anchors(HTMLParser):
    """Collects where the anchors of a page lead, as it comes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an anchor."""
        href = dict(attrs).get("href") if tag == "a" else None
        if href:
            self.found.append(unquote(href.partition("#")[0].partition("?")[0]))
