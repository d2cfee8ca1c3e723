"""pip search at the PyPI door: what it finds in each kind, and that nothing but a Fault refuses."""

from __future__ import annotations

from xmlrpc.client import dumps

import pytest
from django.test import Client

from accounts.roles import Role
from base.audit import SYSTEM
from packages import curate
from packages.models import Distribution, Project
from packages.search.offers import _to_tell
from repos import configure
from repos.models import Kind, Member, Repository
from tests.cast import Cast, grant, make_repository
from tests.dists import make_wheel
from tests.searches import fault_of, hits_of, pip_search, searched
from tests.uploads import published
from tests.upstreams import Reply, Server, make_remote, serving

LOCAL = "/acme/local/"
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    b"<methodCall><methodName>&b;</methodName></methodCall>"
)
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    b"<methodCall><methodName>&x;</methodName></methodCall>"
)


@pytest.fixture
def frogs(client: Client, cast: Cast) -> None:
    """Three versions of frog-fu and one of bull-frog in acme/local."""
    for version in ("1.0", "1.10", "1.9"):
        file = make_wheel("frog-fu", version, extra_headers=["Summary: Frogs for functional units"])
        published(client, "frog-fu", version, file, by=cast.acme.writer)
    bull = make_wheel("bull-frog", "2.0", extra_headers=["Summary: A large one"])
    published(client, "bull-frog", "2.0", bull, by=cast.acme.writer)


def find(client: Client, cast: Cast, *words: str, url: str = LOCAL, operator: str = "or"):
    body = pip_search(*words, operator=operator)
    return hits_of(searched(client, url, body, cast.acme.reader))


def test_every_version_is_found_the_newest_first_and_names_by_rank(
    client: Client, cast: Cast, frogs: None
) -> None:
    found = find(client, cast, "frog")
    assert [hit[:2] for hit in found] == [
        ("frog-fu", "1.10"),
        ("frog-fu", "1.9"),
        ("frog-fu", "1.0"),
        ("bull-frog", "2.0"),
    ]
    assert found[0][2] == "Frogs for functional units"


def test_summaries_are_searched_and_fields_are_combined(
    client: Client, cast: Cast, frogs: None
) -> None:
    assert {hit[0] for hit in find(client, cast, "functional")} == {"frog-fu"}
    assert find(client, cast, "functional", operator="and") == []
    fields = {"name": ["frog"], "summary": ["units"]}
    for operator, names in (("and", {"frog-fu"}), ("or", {"frog-fu", "bull-frog"})):
        body = dumps((fields, operator), "search").encode()
        found = hits_of(searched(client, LOCAL, body, cast.acme.reader))
        assert {hit[0] for hit in found} == names


def test_what_is_deleted_or_quarantined_is_not_found(
    client: Client, cast: Cast, frogs: None
) -> None:
    ada = cast.acme.admin.principal
    curate.delete(Distribution.objects.get(filename__startswith="bull"), by=ada)
    assert {hit[0] for hit in find(client, cast, "frog")} == {"frog-fu"}
    project = Project.objects.get(normalized="frog-fu")
    quarantined = Project.Status.QUARANTINED
    curate.set_status(project, status=quarantined, reason="it bites", by=ada)
    assert find(client, cast, "frog") == []
    curate.restore(Distribution.objects.get(filename__startswith="bull"), by=ada)
    assert {hit[0] for hit in find(client, cast, "frog")} == {"bull-frog"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b" ", "no XML"),
        (b"<methodCall>", "no XML"),
        (b"<html/>", "no methodCall"),
        (BOMB, "no XML that is read here"),
        (OUTSIDE, "no XML that is read here"),
        (b"<?xml version='1.0' encoding='nobody-knows'?><methodCall/>", "no XML"),
        (dumps(("frog",), "package_releases").encode(), "only search is offered"),
        (dumps((), "search").encode(), "a struct of fields"),
        (dumps((["frog"], "or"), "search").encode(), "a struct of fields"),
        (dumps(({"name": ["frog"]}, "xor"), "search").encode(), "not xor"),
        (dumps(({"name": ["+++"]}, "or"), "search").encode(), "with a letter or a digit"),
        (dumps(({"name": [[[[[[[[[[[["x"]]]]]]]]]]]]},), "search").encode(), "larger or deeper"),
        (b"<methodCall>" + b" " * 70_000, "larger than 65536 bytes"),
    ],
)
def test_what_cannot_be_answered_is_a_fault(
    client: Client, cast: Cast, body: bytes, says: str
) -> None:
    assert says in fault_of(searched(client, LOCAL, body, cast.acme.reader))


def test_who_may_not_read_hears_a_fault_and_nobody_a_challenge(client: Client, cast: Cast) -> None:
    body = pip_search("frog")
    assert "may not read" in fault_of(searched(client, LOCAL, body, cast.acme.member))
    assert "that you may use" in fault_of(searched(client, LOCAL, body, cast.globex.reader))
    nobody = searched(client, LOCAL, body)
    assert (nobody.status_code, nobody["WWW-Authenticate"][:5]) == (401, "Basic")
    nowhere = searched(client, "/acme/nowhere/", body, cast.acme.reader)
    assert "There is no repository acme/nowhere" in fault_of(nowhere)


@pytest.mark.parametrize(
    "url", ["/artifactory/api/pypi/local/", "/artifactory/pypi/local", "/api/pypi/local", "/pypi/"]
)
def test_each_form_of_the_url_searches(
    client: Client, cast: Cast, frogs: None, settings, url: str
) -> None:
    settings.DEFAULT_TENANT, settings.DEFAULT_REPOSITORY = "acme", ("acme", "local")
    assert find(client, cast, "bull", url=url)[0][:2] == ("bull-frog", "2.0")


def upstream_answers(server: Server, path: str, *hits: tuple[str, str, str]) -> None:
    structs = [dict(zip(("name", "version", "summary"), hit, strict=True)) for hit in hits]
    answer = dumps((structs,), methodresponse=True).encode()
    server.replies[path] = Reply(answer, kind="text/xml")


def make_virtual(cast: Cast, *members: Repository | Member) -> Repository:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, members, by=SYSTEM)
    grant(virtual, Role.READER, cast.acme.reader)
    return virtual


def test_a_remote_finds_what_its_upstream_finds_and_leaves_out_what_pip_cannot_read(
    client: Client, cast: Cast
) -> None:
    with serving() as server:
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        upstream_answers(server, "/", ("Toad", "1.5", "A toad"), ("newt", "1.0-banana-2", "Odd"))
        assert find(client, cast, "toad", url="/acme/remote/") == [("Toad", "1.5", "A toad")]
        assert server.count("/", "POST") == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"no", status=404),
        Reply(b"busy", status=503),
        Reply(b"<html>", kind="text/html"),
        Reply(BOMB, kind="text/xml"),
        Reply(dumps((["x"],), methodresponse=True).encode(), kind="text/xml"),
        Reply(b"", status=302, headers={"Location": "/elsewhere/"}),
    ],
)
def test_an_upstream_without_a_search_is_left_alone_for_a_while(
    client: Client, cast: Cast, reply: Reply, monkeypatch
) -> None:
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    with serving() as server:
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        server.replies["/"] = reply
        for _ in range(3):
            assert find(client, cast, "toad", url="/acme/remote/") == []
        is_odd_list = reply.status == 200 and b"array" in reply.body
        assert server.count("/", "POST") == (3 if is_odd_list else 1)
        assert server.count("/elsewhere/", "POST") == 0


def test_an_upstream_that_is_away_does_not_hide_what_we_hold(
    client: Client, cast: Cast, frogs: None, monkeypatch
) -> None:
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    with serving() as server:
        remote = make_remote(cast.acme.tenant, server)
    grant(remote, Role.READER, cast.acme.reader)
    make_virtual(cast, cast.acme.repository, remote)
    assert find(client, cast, "bull", url="/acme/virtual/")[0][:2] == ("bull-frog", "2.0")


def test_a_virtual_shows_no_namesake_of_ours_and_asks_no_stranger_for_it(
    client: Client, cast: Cast, frogs: None
) -> None:
    with serving() as server:
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        make_virtual(cast, cast.acme.repository, remote)
        upstream_answers(
            server, "/", ("frog-fu", "99.0", "Not yours"), ("frog-green", "1.0", "Theirs")
        )
        found = find(client, cast, "frog", url="/acme/virtual/")
        assert ("frog-green", "1.0", "Theirs") in found
        assert {hit[1] for hit in found if hit[0] == "frog-fu"} == {"1.0", "1.9", "1.10"}
        assert server.count("/", "POST") == 1
        for words in (("frog-fu",), ("Frog_Fu",), ("frog", "fu")):
            find(client, cast, *words, url="/acme/virtual/")
        assert server.count("/", "POST") == 1, "a name of ours was told to a stranger"


def test_a_virtual_shows_nothing_of_a_member_that_the_caller_may_not_read(
    client: Client, cast: Cast, frogs: None
) -> None:
    hidden = make_repository(cast.acme.tenant, "hidden")
    published(
        client,
        "secret-frog",
        "1.0",
        make_wheel("secret-frog", "1.0"),
        by=cast.acme.admin,
        to="/acme/hidden/",
    )
    make_virtual(cast, cast.acme.repository, hidden)
    names = {hit[0] for hit in find(client, cast, "frog", url="/acme/virtual/")}
    assert names == {"frog-fu", "bull-frog"}
    body = pip_search("frog")
    assert searched(client, "/acme/virtual/", body).status_code == 401


def test_a_scope_is_searched_by_itself(client: Client, cast: Cast) -> None:
    with serving() as server:
        remote = make_remote(cast.acme.tenant, server, suffix="+simple", scopes=["root/*"])
        grant(remote, Role.READER, cast.acme.reader)
        upstream_answers(server, "/root/dev/", ("toad", "1.5", "In dev"))
        for url in ("/acme/remote/root/dev/", "/acme/remote/root/dev"):
            assert find(client, cast, "toad", url=url) == [("toad", "1.5", "In dev")]
        other = searched(client, "/acme/remote/other/", pip_search("toad"), cast.acme.reader)
        assert "There is no repository acme/remote/other" in fault_of(other)


@pytest.mark.parametrize(
    "words",
    [
        ("frog-fu==1.0",),
        ("frog-fu[extra]",),
        ("(frog-fu)",),
        ("frog", "fu"),
    ],
    ids=["with-a-version", "with-an-extra", "in-parentheses", "in-two-words"],
)
def test_no_stranger_is_told_a_name_of_ours_however_it_is_written(
    client: Client, cast: Cast, frogs: None, words: tuple[str, ...]
) -> None:
    with serving() as server:
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        make_virtual(cast, cast.acme.repository, remote)
        upstream_answers(server, "/")
        find(client, cast, *words, url="/acme/virtual/")
        assert server.count("/", "POST") == 0
        find(client, cast, "toad", url="/acme/virtual/")
        assert server.count("/", "POST") == 1


def test_of_many_words_an_upstream_is_told_those_that_were_looked_at() -> None:
    words = tuple(f"word{number}" for number in range(10))
    assert _to_tell((*words, "frog-fu")) == words
    assert _to_tell(("größe", "()", "a" * 101)) == ("größe",)


def test_a_private_remote_that_was_not_asked_yet_keeps_the_world_from_hearing_a_name(
    client: Client, cast: Cast
) -> None:
    with serving() as server, serving() as private:
        world = make_remote(cast.acme.tenant, server, "world")
        ours = make_remote(cast.acme.tenant, private, "ours", names_are_kept=True)
        for each in (ours, world):
            grant(each, Role.READER, cast.acme.reader)
        make_virtual(cast, ours, world)
        upstream_answers(server, "/")
        find(client, cast, "company-tool", url="/acme/virtual/")
        assert server.count("/", "POST") == 0


def test_words_that_are_longer_than_any_pattern_are_no_fault_of_ours(
    client: Client, cast: Cast, frogs: None
) -> None:
    body = dumps(({"name": ["frog", "b" * 55_000]}, "or"), "search").encode()
    found = hits_of(searched(client, LOCAL, body, cast.acme.reader))
    assert {hit[0] for hit in found} == {"frog-fu", "bull-frog"}
