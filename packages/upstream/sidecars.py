"""Fetches the metadata files that upstream serves beside its files (PEP 658), and keeps them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from base.connections import give_back
from base.quick_rows import find, insert_or_leave, remove
from packages.filenames import NormalizedName
from packages.models import Fetch, UpstreamMetadata, UpstreamPage
from packages.upstream import connection, heartbeats
from packages.upstream.errors import UpstreamFailed, UpstreamRefused, WrongBytes
from packages.upstream.health import counted_there
from packages.upstream.links import Line
from packages.upstream.receiving import naming_the_setting
from packages.upstream.source import Source
from packages.upstream.waiting import waiting
from repos.stamps import locked_state, move_serial

METADATA_BYTES_AT_MOST = 8 * 1024 * 1024

_SECONDS = 60.0
_POLLED_EVERY = 0.05  # seconds
_REASON_AT_MOST = 500
_DIGITS = 50


def kept_metadata(source: Source, project: NormalizedName, line: Line) -> bytes | None:
    """Return the metadata file of `line` if it is kept and still the one that is listed."""
    row = find(UpstreamMetadata, **_place(source, project, line))
    if row is None:
        return None
    is_listed = (
        row.sha256 == line.metadata_sha256
        if line.metadata_sha256
        else (row.of_file == line.identity)
    )
    return bytes(row.raw) if is_listed else None


def forget_metadata(source: Source, project: NormalizedName, filenames: Collection[str]) -> None:
    """Let go of the metadata files of what upstream lists no more; within its transaction."""
    place = source.place_of(project)
    UpstreamMetadata.objects.filter(filename__in=filenames, **place).delete()


def fetched_metadata(source: Source, project: NormalizedName, line: Line) -> bytes:
    """Ask upstream for the metadata file of `line`, check it against the page, and keep it.

    Of all that want it in all processes, one asks. Raises UpstreamFailed, and WrongBytes when its
    digest is not the one that is listed.
    """
    deadline, watched = time.monotonic() + _SECONDS, ""
    sought = f"metadata {line.metadata_sha256[:_DIGITS]}"  # no digest of a file's
    with waiting():
        while time.monotonic() < deadline:
            row = find(Fetch, sha256=sought, **_place(source, project, line))
            if row is None:
                row = Fetch(sha256=sought, **_place(source, project, line))
                if heartbeats.insert_claimed(row) is not None:
                    return _fetched(source, project, line, row)
            elif not heartbeats.is_held(row):
                if row.reason and watched == row.fence:
                    raise UpstreamFailed(row.reason)  # it failed elsewhere while we waited
                if (fence := heartbeats.claim(row)) is not None:
                    row.fence = fence
                    return _fetched(source, project, line, row)
            watched = row.fence
            give_back()
            time.sleep(_POLLED_EVERY)
            if (raw := kept_metadata(source, project, line)) is not None:
                return raw
    raise UpstreamFailed(f"{source.host} takes too long to send the metadata of {line.filename}.")


def _fetched(source: Source, project: NormalizedName, line: Line, row: Fetch) -> bytes:
    mine = Fetch.objects.filter(pk=row.pk, fence=row.fence)
    try:
        with heartbeats.beating(row, row.fence):
            raw = kept_metadata(source, project, line)  # it may have come before our claim
            if raw is None:
                raw = _asked(source, line)
                _keep(source, project, line, raw, row)
            else:
                mine.delete()
    except UpstreamFailed as failure:
        mine.update(heartbeat_at=None, reason=failure.sentence[:_REASON_AT_MOST])
        raise
    return raw


def _asked(source: Source, line: Line) -> bytes:
    parts = urlsplit(line.url)
    url = parts._replace(path=f"{parts.path}.metadata").geturl()
    with naming_the_setting(source), counted_there(source, url):
        give_back()
        reply = connection.ask(source, url, {}, limit=METADATA_BYTES_AT_MOST, seconds=_SECONDS)
        if reply.status != HTTPStatus.OK:
            is_in_trouble = reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            raise (UpstreamFailed if is_in_trouble else UpstreamRefused)(
                f"{source.host} answered {reply.status} for the metadata of {line.filename}."
            )
    digest = hashlib.sha256(reply.body).hexdigest()
    if line.metadata_sha256 and digest != line.metadata_sha256:
        raise WrongBytes(
            f"{source.host} sent another metadata file of {line.filename} than it lists: "
            f"its sha256 is {digest}, not {line.metadata_sha256}."
        )
    return reply.body


def _keep(source: Source, project: NormalizedName, line: Line, raw: bytes, fetch: Fetch) -> None:
    """Keep a metadata file in place of an older one, and end its fetch."""
    pages = UpstreamPage.objects.filter(**source.place_of(project))
    with transaction.atomic():
        if not line.metadata_sha256:  # locked before the state, as packages.changes has it
            list(pages.select_for_update().values_list("pk"))
        place, digest = _place(source, project, line), hashlib.sha256(raw).hexdigest()
        what = {"sha256": digest, "raw": raw, "of_file": line.identity}
        if not insert_or_leave(UpstreamMetadata(**what, **place)):
            UpstreamMetadata.objects.filter(**place).update(**what)
        remove(Fetch, id=fetch.pk, fence=fetch.fence)
        if not line.metadata_sha256:  # from now on our page can name it
            serial = move_serial(locked_state(source.repository.pk))
            pages.update(changed=serial)


def _place(source: Source, project: NormalizedName, line: Line) -> dict[str, Any]:
    return {**source.place_of(project), "filename": line.filename}
