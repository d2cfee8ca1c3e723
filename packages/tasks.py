"""What the worker does in the background. A task reads the present and may run twice."""

from __future__ import annotations

from celery import shared_task

from packages.extraction.extract import extract_due as extract_due_now
from packages.purge import purge_due as purge_due_now
from packages.statistics import recount as recount_now
from packages.sweep import sweep as sweep_now
from packages.upstream.upkeep import refresh_pages as refresh_pages_now


@shared_task(name="packages.sweep", ignore_result=True)
def sweep() -> None:
    """Give storage back what is due (see packages.sweep)."""
    sweep_now()


@shared_task(name="packages.refresh_pages", ignore_result=True)
def refresh_pages() -> None:
    """Ask upstreams again for pages in use (see packages.upstream.upkeep)."""
    refresh_pages_now()


@shared_task(name="packages.extract_due", ignore_result=True)
def extract_due() -> None:
    """Extract where the quiet period is over (see packages.extraction.extract)."""
    extract_due_now()


@shared_task(name="packages.purge_due", ignore_result=True)
def purge_due() -> None:
    """Go on with what remotes are to let go of (see packages.purge)."""
    purge_due_now()


@shared_task(name="packages.recount", ignore_result=True)
def recount() -> None:
    """Count what repositories hold that have changed (see packages.statistics)."""
    recount_now()
