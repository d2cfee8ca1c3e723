"""Many names of a virtual decided at once: as they are one by one, in as few questions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from base import clock
from base.audit import SYSTEM
from packages import shelves
from packages.filenames import NormalizedName
from packages.index.decision import decide
from packages.index.kept import decide_kept
from packages.index.opening import open_kept
from packages.index.remote import RemoteIndex
from packages.index.virtual import entered
from packages.models import Distribution, Project
from repos import configure
from repos.models import Claim, Repository, VirtualSettings
from tests.cast import Cast, make_repository
from tests.dists import make_wheel
from tests.upstreams import Server, make_remote, serving
from tests.virtuals import ever_had, make_virtual, put_file

NAMES = [
    NormalizedName(name)
    for name in ("frog", "newt", "toad", "tadpole", "eft", "bull-frog", "unheard-of")
]


@pytest.fixture
def pond(cast: Cast) -> Iterator[Repository]:
    """A virtual over two locals and two remotes in which names are kept, claimed and withdrawn."""
    with serving() as server:
        yield _pond(cast, server)


def _pond(cast: Cast, server: Server) -> Repository:
    ours, second = cast.acme.repository, make_repository(cast.acme.tenant, "second")
    private = make_remote(cast.acme.tenant, server, "private", names_are_kept=True)
    public = make_remote(cast.acme.tenant, server, "public", names_are_kept=False, exclude=["eft"])
    for name in ("frog", "newt", "bull-frog"):  # whose metadata has no digest upstream
        server.add_files(name, make_wheel(name, "3.0"), **{"core-metadata": True})
        RemoteIndex(public).page(NormalizedName(name))
    for at, name in enumerate(NAMES[:-2]):
        for repository in (ours, second, private, public)[at % 3 :]:
            put_file(repository, name, "1.0")
            put_file(repository, name, "2.0")
    ever_had(private, "tadpole")
    for filename in ("newt-2.0-py3-none-any.whl", "toad-1.0-py3-none-any.whl"):
        Distribution.objects.filter(repository=second, filename=filename).update(
            deleted_at=clock.now(), blob=None
        )
    Project.objects.filter(repository=second, normalized="tadpole").update(
        status=Project.Status.QUARANTINED, status_reason="looked at"
    )
    configure.add_claim(Claim(repository=private, pattern="toad"), by=SYSTEM)
    return make_virtual(cast.acme, "all", [ours, second, private, public])


@pytest.mark.parametrize("who", ["admin", "reader"])
def test_each_name_is_decided_as_it_is_alone(cast: Cast, pond: Repository, who: str) -> None:
    where, readable = entered(pond, getattr(cast.acme, who).principal)
    at_once = decide_kept(where.tree, NAMES, readable)
    for name in NAMES:
        assert at_once[name] == decide(where.tree, name, readable, open_kept)
    assert any(at_once[name].shown for name in NAMES)
    assert any(line.hidden is not None for name in NAMES for line in at_once[name].lines)


@pytest.mark.parametrize("merge", VirtualSettings.Merge)
@pytest.mark.parametrize("who", ["admin", "reader"])
def test_lists_name_the_source_of_the_first_file_that_is_shown(
    cast: Cast, pond: Repository, who: str, merge: VirtualSettings.Merge
) -> None:
    configure.save_virtual(VirtualSettings(repository=pond, merge=merge), by=SYSTEM)
    where, readable = entered(pond, getattr(cast.acme, who).principal)
    shown = {
        name: decision.shown[0].source
        for name, decision in decide_kept(where.tree, NAMES, readable).items()
        if decision.shown and name != "bull-frog"  # nothing of it is held: it is in no list
    }
    listed = shelves.in_virtual(where.tree, readable, shelves.Wanted()).items
    assert {item.normalized: item.source for item in listed if item.normalized in shown} == shown


def test_as_many_questions_for_one_name_as_for_all(cast: Cast, pond: Repository) -> None:
    where, readable = entered(pond, cast.acme.admin.principal)
    counts = []
    for names in (NAMES[:1], NAMES):  # the first has a page upstream
        with CaptureQueriesContext(connection) as asked:
            decide_kept(where.tree, names, readable)
        counts.append(len(asked))
    assert counts[0] == counts[1]
