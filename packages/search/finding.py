"""Searches: the one use case behind the page, REST and the command."""

from __future__ import annotations

from accounts.principal import Principal
from packages.search.engines import within_seconds
from packages.search.files import find_files
from packages.search.ground import ground_of
from packages.search.hits import Found
from packages.search.language import is_about_projects
from packages.search.parsing import parse
from packages.search.projects import find_projects

_SECONDS = 5.0


def search(*, text: str, by: Principal, page: str = "") -> Found:
    """Return a page of what `text` finds among what `by` may read.

    Words alone, and where to look, find projects; every other query finds files. Raises
    QueryRefused, PageRefused, SearchTooSlow, and SignInRequired for a virtual.
    """
    query = parse(text)
    with within_seconds(_SECONDS):
        ground, rest = ground_of(query, by)
        if rest is not None and is_about_projects(rest):
            return find_projects(rest, ground, page)
        return find_files(rest, ground, page)
