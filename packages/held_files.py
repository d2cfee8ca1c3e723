"""The files that one repository holds, those that somebody of a role in it may know of."""

from __future__ import annotations

from django.db.models import QuerySet

from packages.documents import showable
from packages.models import Distribution
from packages.search.ground import choosy_among, is_asked_for
from repos.access import Admitted


def files_in(come_in: Admitted) -> QuerySet[Distribution]:
    """Return the files of a local or remote; a virtual holds none.

    Administrators see what is deleted or quarantined too, and what a remote has held on to of names
    that it leaves out by now; others see what a search of theirs would.
    """
    repository = come_in.repository
    if come_in.is_admin:
        rows = Distribution.objects.all()
    else:
        choosy = choosy_among([repository])
        rows = showable().filter(is_asked_for(choosy, "release__project__normalized"))
    return rows.filter(repository=repository).select_related(
        "release__project", "repository__tenant"
    )
