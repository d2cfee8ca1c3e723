"""Fetches the metadata files that upstream serves beside its files (PEP 658), and keeps them."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from urllib.parse import urlsplit

from django.db import transaction

from packages.filenames import NormalizedName
from packages.models import UpstreamMetadata, UpstreamPage
from packages.upstream import connection, heartbeats
from packages.upstream.errors import UpstreamRefused, WrongBytes
from packages.upstream.links import Line
from packages.upstream.source import Source
from packages.upstream.waiting import waiting
from repos.stamps import locked_state, move_serial

METADATA_BYTES_AT_MOST = 8 * 1024 * 1024

_SECONDS = 60.0


def kept_metadata(source: Source, project: NormalizedName, line: Line) -> bytes | None:
    """Return the metadata file of `line` if it is kept and still the one that is listed."""
    row = UpstreamMetadata.objects.filter(
        repository=source.repository,
        scope=source.scope,
        normalized=project,
        filename=line.filename,
    ).first()
    if row is None or (line.metadata_sha256 and line.metadata_sha256 != row.sha256):
        return None
    return bytes(row.raw)


def fetched_metadata(source: Source, project: NormalizedName, line: Line) -> bytes:
    """Ask upstream for the metadata file of `line`, check it against the page, and keep it.

    Raises UpstreamFailed, and WrongBytes when its digest is not the one that is listed.
    """
    parts = urlsplit(line.url)
    url = parts._replace(path=f"{parts.path}.metadata").geturl()
    with waiting():
        heartbeats.give_back()
        limit = METADATA_BYTES_AT_MOST
        reply = connection.ask(source, url, {}, limit=limit, seconds=_SECONDS)
    if reply.status != HTTPStatus.OK:
        raise UpstreamRefused(
            f"{source.host} answered {reply.status} for the metadata of {line.filename}."
        )
    digest = hashlib.sha256(reply.body).hexdigest()
    if line.metadata_sha256 and digest != line.metadata_sha256:
        raise WrongBytes(
            f"{source.host} sent another metadata file of {line.filename} than it lists: "
            f"its sha256 is {digest}, not {line.metadata_sha256}."
        )
    _keep(source, project, line, (digest, reply.body))
    return reply.body


def _keep(source: Source, project: NormalizedName, line: Line, found: tuple[str, bytes]) -> None:
    digest, raw = found
    with transaction.atomic():
        UpstreamMetadata.objects.update_or_create(
            repository=source.repository,
            scope=source.scope,
            normalized=project,
            filename=line.filename,
            defaults={"sha256": digest, "raw": raw},
        )
        if not line.metadata_sha256:  # from now on our page can name it
            serial = move_serial(locked_state(source.repository.pk))
            UpstreamPage.objects.filter(
                repository=source.repository, scope=source.scope, normalized=project
            ).update(changed=serial)
