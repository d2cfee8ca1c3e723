"""Refreshes the pages that are in use before they are out of date, so that nobody waits for it."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta

import structlog

from base import clock
from packages.filenames import NormalizedName
from packages.models import UpstreamPage
from packages.upstream.errors import UpstreamFailed, UpstreamRefused, UpstreamUnreadable
from packages.upstream.refresh import is_ageing, refreshed
from packages.upstream.source import Source
from repos.models import Upstream

log = structlog.get_logger(__name__)

USED_WITHIN = timedelta(hours=1)
_BATCH = 500
_SECONDS_EACH = 60.0  # for each upstream, in one run: a slow one must not keep the others waiting


def refresh_pages() -> int:
    """Ask again for each page that was used lately and is about to age; return how many."""
    count = 0
    for upstream in Upstream.objects.filter(
        offline=False, repository__deleted_at__isnull=True
    ).select_related("repository__tenant"):
        try:
            count += _refreshed(upstream)
        except UpstreamFailed as failure:  # one that is away must not stop the others
            log.info(
                "pages were not refreshed",
                of=Source(upstream.repository, upstream).host,
                reason=failure.sentence,
            )
    return count


def _refreshed(upstream: Upstream) -> int:
    pages = UpstreamPage.objects.filter(
        repository=upstream.repository,
        used_at__gte=clock.now() - USED_WITHIN,
        answered_at__isnull=False,
    ).exclude(normalized="")
    count, until = 0, time.monotonic() + _SECONDS_EACH
    for page in pages.defer("document").order_by("answered_at")[:_BATCH]:
        if time.monotonic() > until:
            break
        source = Source(upstream.repository, upstream, page.scope)
        project = NormalizedName(page.normalized)
        if is_ageing(source, page) and upstream.may_ask_for(project):
            with suppress(UpstreamRefused, UpstreamUnreadable):  # this page, not all of them
                refreshed(source, project)
                count += 1
    return count
