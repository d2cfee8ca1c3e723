"""Pages of projects: in order, in parts, by a part of their names, and through a virtual."""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from itertools import chain

import pytest
from django.test import Client

from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from packages import curate, shelves, statistics
from packages.models import Document, FileDownloads, Project, Release
from packages.shelves import Order, Wanted
from repos import configure
from repos.models import AlsoUpstream, Claim, Kind, Repository, VirtualSettings
from repos.virtuals import readable_beneath, tree_of
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import published


def stocked(repository: Repository, *names: str, scope: str = "") -> None:
    """Write projects, each with a document, the later ones uploaded later."""
    for number, name in enumerate(names):
        project = Project.objects.create(
            repository=repository,
            scope=scope,
            name=name.title(),
            normalized=name,
            created_at=clock.now(),
            last_upload_at=datetime.fromisoformat(f"2026-11-01T12:00:{number:02}+00:00"),
        )
        Document.objects.create(
            project=project, repository=repository, normalized=name, name=name, version="1.0"
        )


def names_of(repository: Repository, **wanted: object) -> list[list[str]]:
    """Return the names on each page in turn."""
    pages, after = [], ""
    while True:
        page = shelves.in_repository(repository, Wanted(after=after, **wanted), limit=2)  # type: ignore[arg-type]
        pages.append([item.normalized for item in page.items])
        after = page.after
        if not after:
            return pages


def text_of(client: Client, url: str, **headers: str) -> str:
    response = client.get(url, headers=headers)
    assert response.status_code == HTTPStatus.OK, url
    return re.sub(r"\s+", " ", response.content.decode())


def listed(page: str) -> list[str]:
    return re.findall(r'/project/([^/"]+)/"', page)


def test_pages_go_on_where_the_last_one_ended(cast: Cast) -> None:
    here = cast.acme.repository
    stocked(here, "frog", "acme", "toad", "newt", "b2")
    assert names_of(here) == [["acme", "b2"], ["frog", "newt"], ["toad"]]
    assert names_of(here, order=Order.UPLOAD) == [["b2", "newt"], ["toad", "acme"], ["frog"]]
    assert names_of(here, contains="O") == [["frog", "toad"]]


def test_uploads_of_one_moment_are_each_listed_once(cast: Cast) -> None:
    stocked(cast.acme.repository, "frog", "acme", "toad", "newt", "b2")
    Project.objects.update(last_upload_at=clock.now())
    names = chain.from_iterable(names_of(cast.acme.repository, order=Order.UPLOAD))
    assert sorted(names) == ["acme", "b2", "frog", "newt", "toad"]


def test_names_of_scopes_come_after_those_without(cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    stocked(remote, "b", "c", scope="root/dev")
    stocked(remote, "a", "d")
    assert names_of(remote) == [["a", "d"], ["b", "c"]]
    page = shelves.in_repository(remote, Wanted(), limit=3)
    assert page.after == "root/dev/b"
    last = shelves.in_repository(remote, Wanted(after=page.after), limit=3)
    assert [item.normalized for item in last.items] == ["c"]


@pytest.mark.parametrize("after", ["x", "2026/1", "2026-01-01T00:00:00/1", "%00/1", "2026-01-01/x"])
def test_a_place_that_no_page_named_is_refused_in_a_sentence(
    client: Client, cast: Cast, after: str
) -> None:
    client.force_login(cast.acme.reader.user)
    answer = client.get("/acme/local/", {"sort": "upload", "after": after})
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "Begin with its first one." in answer.content.decode()


def test_an_upload_is_the_last_one_of_its_project(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    for version in ("1.0", "2.0"):
        time.move(hours=1)
        published(client, "frog", version, make_wheel("frog", version), by=cast.acme.writer)
    assert Project.objects.get().last_upload_at == time()
    time.move(hours=1)
    curate.yank(Release.objects.get(version="1.0"), reason="", by=cast.acme.writer.principal)
    assert Project.objects.get().last_upload_at != time()


def test_the_list_is_filtered_alone_for_htmx_and_whole_for_a_form(
    client: Client, cast: Cast
) -> None:
    stocked(cast.acme.repository, "frog", "toad", "newt")
    client.force_login(cast.acme.reader.user)
    whole = client.get("/acme/local/?filter=O")
    part = client.get("/acme/local/?filter=O", headers={"HX-Request": "true"})
    for answer in (whole, part):
        assert listed(answer.content.decode()) == ["frog", "toad"]
        assert "HX-Request" in answer.headers["Vary"]
    assert "<html" in whole.content.decode()
    assert "<html" not in part.content.decode()
    nothing = text_of(client, "/acme/local/?filter=xyz")
    assert "No project here has “xyz” in its name." in nothing


@pytest.fixture
def virtual(cast: Cast) -> Repository:
    """A virtual over acme's local, a second one, and a remote."""
    second = make_repository(cast.acme.tenant, "second")
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    made = make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    configure.set_members(made, [remote, cast.acme.repository, second], by=SYSTEM)
    for each in (second, remote, made):
        grant(each, Role.READER, cast.acme.reader)
    stocked(remote, "frog", "numpy", "toad")
    stocked(cast.acme.repository, "frog", "newt")
    stocked(second, "newt", "owl")
    return made


def sources_of(virtual: Repository, by, order: Order = Order.NAME) -> list[tuple[str, str]]:
    tree = tree_of(virtual)
    page = shelves.in_virtual(tree, readable_beneath(by, tree), Wanted(order=order))
    return [(item.normalized, str(item.source)) for item in page.items]


def test_a_virtual_lists_each_name_once_where_it_comes_from(cast: Cast, virtual) -> None:
    shown = [
        ("frog", "acme/local"),
        ("newt", "acme/local"),
        ("numpy", "acme/remote"),
        ("owl", "acme/second"),
        ("toad", "acme/remote"),
    ]
    reader = cast.acme.reader.principal
    assert sources_of(virtual, reader) == shown
    assert sorted(sources_of(virtual, reader, Order.UPLOAD)) == shown
    second = Repository.objects.get(key="second")
    configure.add_claim(Claim(repository=second, pattern="newt"), by=SYSTEM)
    assert ("newt", "acme/second") in sources_of(virtual, reader)


def test_a_name_kept_by_a_member_that_one_may_not_read_is_not_listed(cast: Cast, virtual) -> None:
    for each in cast.acme.repository.grants.all():
        configure.end_grant(each, by=SYSTEM)
    shown = [name for name, _ in sources_of(virtual, cast.acme.reader.principal)]
    assert shown == ["newt", "numpy", "owl", "toad"]  # frog is the local's, newt also the second's
    configure.mark_also_upstream(AlsoUpstream(virtual=virtual, normalized="frog"), by=SYSTEM)
    assert ("frog", "acme/remote") in sources_of(virtual, cast.acme.reader.principal)


def test_a_virtual_is_paged_at_the_bounds_of_names(cast: Cast, virtual) -> None:
    tree = tree_of(virtual)
    readable = readable_beneath(cast.acme.reader.principal, tree)
    found, after = [], ""
    while True:
        page = shelves.in_virtual(tree, readable, Wanted(after=after), limit=3)
        found += [item.normalized for item in page.items]
        if not (after := page.after):
            break
    assert found == ["frog", "newt", "numpy", "owl", "toad"]


def test_a_virtual_lists_nothing_of_a_member_that_one_may_not_read(
    client: Client, cast: Cast, virtual
) -> None:
    for each in Repository.objects.get(key="second").grants.all():
        configure.end_grant(each, by=SYSTEM)
    assert ("owl", "acme/second") not in sources_of(virtual, cast.acme.reader.principal)
    client.force_login(cast.acme.reader.user)
    for url in ("/acme/all/", "/acme/all/browse/", "/acme/all/-/members/", "/acme/all/?filter=o"):
        page = text_of(client, url)
        assert "owl" not in page
        assert "second" not in page


def test_the_members_page_says_who_claims_what_and_where_uploads_go(
    client: Client, cast: Cast, virtual
) -> None:
    configure.add_claim(Claim(repository=cast.acme.repository, pattern="acme-*"), by=SYSTEM)
    configure.mark_also_upstream(AlsoUpstream(virtual=virtual, normalized="frog"), by=SYSTEM)
    client.force_login(cast.acme.reader.user)
    assert "nowhere: they are refused" in text_of(client, "/acme/all/-/members/")
    settings = VirtualSettings(repository=virtual, deployment=cast.acme.repository)
    configure.save_virtual(settings, by=SYSTEM)
    page = text_of(client, "/acme/all/-/members/")
    assert "<code>acme-*</code>" in page
    assert "takes uploads" in page
    assert "<dt>Also from upstream</dt> <dd><code>frog</code>" in page
    refused = client.get("/acme/local/-/members/")
    assert refused.status_code == HTTPStatus.NOT_FOUND


def test_downloads_and_storage_are_drawn(client: Client, cast: Cast, time: MovableClock) -> None:
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    statistics.recount()
    row = Project.objects.get().releases.get().distributions.get()
    for days, count in ((0, 3), (2, 4)):
        time.move(days=days)
        FileDownloads.objects.create(
            distribution=row, day=time().date(), count=count, last_at=time()
        )
    client.force_login(cast.acme.reader.user)
    page = text_of(client, "/acme/local/")
    assert re.search(r"</svg> 7<span", page)
    assert "Storage" in page
    assert "1 file" in page


def test_the_quiet_period_asks_again_only_while_something_waits(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    client.force_login(cast.acme.reader.user)
    url = "/acme/local/-/waiting/"
    assert "hx-get" not in text_of(client, url)
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    client.force_login(cast.acme.reader.user)
    page = text_of(client, url)
    assert 'hx-get="/acme/local/-/waiting/"' in page
    assert "1 file waits; extraction starts in 60 s" in page


def test_pages_of_a_repository_ask_the_same_however_much_it_holds(
    client: Client, cast: Cast, virtual, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    urls = ["/acme/local/", "/acme/all/", "/acme/all/?sort=upload", "/acme/local/?filter=o",
            "/acme/local/browse/", "/acme/all/browse/", "/acme/", "/", "/acme/local/-/access/",
            "/acme/local/-/activity/", "/acme/all/-/members/",
            "/acme/local/browse/frog/"]  # fmt: skip
    client.force_login(cast.acme.admin.user)
    for url in urls:
        text_of(client, url)  # the tree of the virtual is held from now on
    asked = {}
    for url in urls:
        with django_assert_max_num_queries(12) as few:
            text_of(client, url)
        asked[url] = len(few)
    stocked(cast.acme.repository, *(f"toad-{number}" for number in range(60)))
    for url in urls:
        text_of(client, url)
        with django_assert_num_queries(asked[url]):
            text_of(client, url)
