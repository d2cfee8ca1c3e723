"""A remote's pages: what upstream says, kept, overlaid and never mistaken."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time as real_time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from accounts.roles import Role
from base.audit import SYSTEM
from packages.filenames import parse_name
from packages.index.base import IndexNotServed, IndexUnavailable, ProjectNotFound
from packages.index.remote import RemoteIndex
from packages.models import UpstreamHealth, UpstreamNames, UpstreamPage
from packages.upstream import asking, documents, identity, listing, presence, refresh
from packages.upstream.changes import notice_changes
from packages.upstream.errors import CircleClosed, UpstreamFailed
from packages.upstream.upkeep import refresh_pages
from repos import configure
from repos.models import RepositoryState, Upstream
from tests.cast import grant
from tests.conftest import MovableClock
from tests.dists import make_sdist, make_wheel
from tests.uploads import upload
from tests.upstreams import HTML, JSON, Asked, Reply, Server, json_line, make_remote, serving
from tests.virtuals import make_virtual

FROG = parse_name("frog")
QUERIES_OF_A_PAGE = 6
WHEEL = make_wheel("frog", "1.0")
SDIST = make_sdist("frog", "1.0")


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def remote(cast, server: Server, time):
    return make_remote(cast.acme.tenant, server)


def names(page) -> list[str]:
    return [file.filename for file in page.files]


def test_page_keeps_what_upstream_says(remote, server) -> None:
    server.add_page(
        "frog",
        [
            json_line(*WHEEL)
            | {
                "requires-python": ">=3.9",
                "yanked": "broken",
                "core-metadata": {"sha256": "a" * 64},
                "provenance": "https://attest.example/frog",
            },
            json_line(*SDIST),
        ],
        **{"project-status": {"status": "deprecated", "reason": "use toad"}},
    )
    page = RemoteIndex(remote).page(FROG)
    sdist, wheel = sorted(page.files, key=lambda file: file.kind)
    assert (page.status, page.status_reason) == ("deprecated", "use toad")
    assert page.versions == ("1.0",)
    assert wheel.sha256 == json_line(*WHEEL)["hashes"]["sha256"]
    assert wheel.size == len(WHEEL[1])
    assert wheel.requires_python == ">=3.9"
    assert wheel.yanked_reason == "broken"
    assert wheel.metadata_sha256 == "a" * 64
    assert wheel.provenance == "https://attest.example/frog"
    assert wheel.uploaded_at is not None
    assert wheel.uploaded_at.isoformat() == "2026-01-02T03:04:05.000006+00:00"
    assert sdist.yanked_reason is None


def test_page_is_asked_for_once_while_fresh(remote, server, time) -> None:
    server.add_files("frog", WHEEL)
    for _ in range(3):
        RemoteIndex(remote).page(FROG)
    assert server.count("/simple/frog/") == 1
    time.move(seconds=601)
    RemoteIndex(remote).page(FROG)
    assert server.count("/simple/frog/") == 2


def test_serial_moves_only_when_the_page_changes(remote, server, time) -> None:
    server.add_files("frog", WHEEL)
    first = RemoteIndex(remote).page(FROG).serial
    time.move(seconds=601)
    assert RemoteIndex(remote).page(FROG).serial == first
    server.add_files("frog", WHEEL, SDIST)
    time.move(seconds=601)
    assert RemoteIndex(remote).page(FROG).serial == first + 1
    assert RepositoryState.objects.get(repository=remote).serial == first + 1


def test_page_is_renewed_by_304(remote, server, time) -> None:
    server.add_files("frog", WHEEL)
    body = server.replies["/simple/frog/"].body
    server.replies["/simple/frog/"] = lambda asked: (
        Reply(status=304)
        if asked.headers.get("If-None-Match") == '"one"'
        else Reply(body, kind=JSON, headers={"ETag": '"one"'})
    )
    RemoteIndex(remote).page(FROG)
    time.move(seconds=601)
    page = RemoteIndex(remote).page(FROG)
    assert names(page) == [WHEEL[0]]
    assert page.stale_since is None
    assert server.asked[-1].headers["If-None-Match"] == '"one"'


def test_project_that_upstream_has_not_is_not_found(remote, server, time) -> None:
    server.add_files("toad", make_wheel("toad", "1.0"))
    for _ in range(2):
        with pytest.raises(ProjectNotFound):
            RemoteIndex(remote).page(FROG)
    assert server.count("/simple/frog/") == 1
    time.move(seconds=61)
    with pytest.raises(ProjectNotFound):
        RemoteIndex(remote).page(FROG)
    assert server.count("/simple/frog/") == 2


def test_404_while_the_index_is_away_is_not_absence(remote, server) -> None:
    server.replies["/simple/"] = Reply(status=503)
    with pytest.raises(IndexUnavailable, match="so does its index"):
        RemoteIndex(remote).page(FROG)


def test_404_of_a_static_index_without_a_root_counts_while_a_page_answers(remote, server) -> None:
    server.add_files("toad", make_wheel("toad", "1.0"))
    del server.replies["/simple/"]
    RemoteIndex(remote).page(parse_name("toad"))
    presence.forget()
    with pytest.raises(ProjectNotFound):
        RemoteIndex(remote).page(FROG)


@pytest.mark.parametrize("status", [401, 403, 418, 429, 500, 503])
def test_refusal_of_upstream_is_never_absence(remote, server, status, monkeypatch) -> None:
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    server.always = Reply(status=status)
    with pytest.raises(IndexUnavailable, match=str(status)):
        RemoteIndex(remote).page(FROG)


def test_stale_page_is_served_and_marked_when_upstream_fails(remote, server, time) -> None:
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    asked_at = time.time
    server.always = Reply(status=401)
    time.move(seconds=700)
    page = RemoteIndex(remote).page(FROG)
    assert names(page) == [WHEEL[0]]
    assert page.stale_since == asked_at


def test_project_removed_upstream_is_gone_within_one_refresh(remote, server, time) -> None:
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    del server.replies["/simple/frog/"]
    time.move(seconds=601)
    with pytest.raises(ProjectNotFound):
        RemoteIndex(remote).page(FROG)
    row = UpstreamPage.objects.get()
    assert (row.is_served, row.was_ever_served) == (False, True)


def test_offline_serves_what_is_kept_and_asks_for_nothing(remote, server, time) -> None:
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    Upstream.objects.update(offline=True)
    remote.refresh_from_db()
    time.move(days=10)
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    with pytest.raises(IndexUnavailable, match="offline"):
        RemoteIndex(remote).page(parse_name("toad"))
    assert len(server.asked) == 1


def test_names_left_out_are_never_asked_for(cast, server) -> None:
    remote = make_remote(cast.acme.tenant, server, include=["fr*"], exclude=["frog"])
    server.add_files("frog", WHEEL)
    for name in ("frog", "toad"):
        with pytest.raises(ProjectNotFound, match="left out"):
            RemoteIndex(remote).page(parse_name(name))
    assert not server.asked


def test_page_of_another_index_url_is_not_served_as_this_ones(remote, server, cast) -> None:
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    Upstream.objects.update(index_url=server.url + "elsewhere/")
    remote.refresh_from_db()
    server.add_html("/elsewhere/simple/", "<title>Simple index</title>")
    with pytest.raises(ProjectNotFound):
        RemoteIndex(remote).page(FROG)


OLD_HTML = """<html><head><title>Links for frog</title></head><body>
<a href="../../files/frog-1.0-py3-none-any.whl">frog-1.0-py3-none-any.whl</a>
<a href="http://files.example/frog-1.0.tar.gz#md5=00000000000000000000000000000000">x</a>
<a href="/login">Log in</a></body></html>"""
BASED = """<!DOCTYPE html><html><head><base href="http://files.example/deep/">
<meta name="pypi:repository-version" content="1.3"></head><body>
<a href="frog-1.0.tar.gz#sha256={digest}" data-requires-python="&gt;=3.8"
 data-yanked="" data-core-metadata="sha256={digest}">frog-1.0.tar.gz</a></body></html>"""


def test_old_html_without_hashes(remote, server) -> None:
    server.add_html("/simple/frog/", OLD_HTML)
    page = RemoteIndex(remote).page(FROG)
    assert {file.filename: file.sha256 for file in page.files} == {
        "frog-1.0-py3-none-any.whl": "",
        "frog-1.0.tar.gz": "",
    }
    assert {file.size for file in page.files} == {None}


def test_html_with_base_and_marks(remote, server) -> None:
    server.add_html("/simple/frog/", BASED.replace("{digest}", "b" * 64))
    (file,) = RemoteIndex(remote).page(FROG).files
    assert file.sha256 == file.metadata_sha256 == "b" * 64
    assert file.requires_python == ">=3.8"
    assert file.yanked_reason == ""


def test_flat_list_has_the_files_of_every_project(cast, server) -> None:
    remote = make_remote(
        cast.acme.tenant, server, suffix="", index_url=server.url + "wheels/stable.html"
    )
    toad = make_wheel("toad", "2.0")
    links = "".join(f'<a href="{name}">{name}</a>' for name in (WHEEL[0], toad[0]))
    server.add_html("/wheels/stable.html", links)
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert names(RemoteIndex(remote).page(parse_name("toad"))) == [toad[0]]
    with pytest.raises(ProjectNotFound):
        RemoteIndex(remote).page(parse_name("newt"))


def test_suffix_is_not_added_twice_and_scopes_stand_before_it(cast, server) -> None:
    remote = make_remote(
        cast.acme.tenant, server, index_url=server.url + "simple/", scopes=["root/*"]
    )
    server.add_files("frog", WHEEL)
    server.replies["/root/pypi/simple/frog/"] = server.replies["/simple/frog/"]
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert names(RemoteIndex(remote, "root/pypi").page(FROG)) == [WHEEL[0]]
    assert [each.path for each in server.asked] == ["/simple/frog/", "/root/pypi/simple/frog/"]


def test_error_page_with_200_is_no_empty_project(remote, server) -> None:
    server.add_html("/simple/frog/", "<html><title>Oops</title><body>Try later</body></html>")
    with pytest.raises(IndexUnavailable, match="not one of an index"):
        RemoteIndex(remote).page(FROG)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", JSON),
        (b'{"files": 1}', JSON),
        (b"[" * 100_000, JSON),
        (b'{"files": [' + b"{}," * 1_100_000 + b"{}]}", JSON),
        (b'{"files": [{"url": [' + b"[]," * 1000 + b"[]]}]}", JSON),
        (b'{"meta": [[[]]], "files": []}', JSON),
        (b"<a href='frog-1.0.tar.gz'>x</a>" * 200_001, HTML),
        (b'{"meta": {"api-version": "2.0"}, "files": []}', JSON),
        (b"\xff\xfe", JSON),
        (b"plain", "text/plain"),
        (b"<title>Links for</title><meta name='pypi:repository-version' content='2.1'>", HTML),
    ],
)
def test_unreadable_page_is_unavailable(remote, server, body, kind) -> None:
    server.replies["/simple/frog/"] = Reply(body, kind=kind)
    with pytest.raises(IndexUnavailable):
        RemoteIndex(remote).page(FROG)
    assert not UpstreamPage.objects.get().is_served


def test_gzip_bomb_is_read_no_further_than_its_limit(remote, server, monkeypatch) -> None:
    monkeypatch.setattr("packages.upstream.asking.PAGE_BYTES_AT_MOST", 1_000_000)
    bomb = gzip.compress(b" " * 50_000_000)
    server.replies["/simple/frog/"] = Reply(bomb, kind=JSON, headers={"Content-Encoding": "gzip"})
    with pytest.raises(IndexUnavailable, match="more than 1000000 bytes"):
        RemoteIndex(remote).page(FROG)


def test_page_packed_in_several_members_is_read_to_its_end(remote, server, monkeypatch) -> None:
    packed = {"Content-Encoding": "gzip"}
    server.add_files("frog", WHEEL, SDIST)
    page = server.replies["/simple/frog/"].body
    members = [gzip.compress(page[:50]), gzip.compress(page[50:])]
    server.replies["/simple/frog/"] = Reply(b"".join([*members, bytes(9)]), 200, JSON, packed)
    assert len(RemoteIndex(remote).page(FROG).files) == 2
    server.replies["/simple/toad/"] = Reply(members[0] + members[1][:-9], 200, JSON, packed)
    with pytest.raises(IndexUnavailable, match="packed end is missing"):
        RemoteIndex(remote).page(parse_name("toad"))
    monkeypatch.setattr("packages.upstream.connection._MEMBERS_AT_MOST", 100)
    server.replies["/simple/newt/"] = Reply(gzip.compress(b"") * 101, 200, JSON, packed)
    with pytest.raises(IndexUnavailable, match="too many pieces"):
        RemoteIndex(remote).page(parse_name("newt"))


def test_lines_that_are_no_files_of_the_project_are_hidden(remote, server) -> None:
    good = json_line(*WHEEL)
    bad = [
        good | {"filename": name}
        for name in (
            "toad-1.0.tar.gz",
            "frog-1.0.exe",
            "<script>-1.0.tar.gz",
            "frog-1.0.tar.gz\n",
            "../frog-1.0.tar.gz",
            "frog-1.0\x00.tar.gz",
            7,
        )
    ]
    bad += [
        good | {"filename": "frog-2.0.tar.gz", "url": url}
        for url in ("file:///etc/passwd", "javascript:alert(1)", "http://a:b@c/", None, "http://[")
    ]
    server.add_page("frog", [*bad, good])
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]


def test_fields_that_are_not_what_they_should_be_are_dropped(remote, server) -> None:
    server.add_page(
        "frog",
        [
            json_line(*WHEEL)
            | {
                "size": -1,
                "upload-time": "2026-01-02T03:04:05",
                "requires-python": "not ><",
                "hashes": {"sha256": "zz", "md5": 5},
                "yanked": 3,
                "core-metadata": "yes",
                "provenance": "http://plain.example/",
            }
        ],
    )
    (file,) = RemoteIndex(remote).page(FROG).files
    assert (file.size, file.uploaded_at, file.requires_python, file.sha256) == (None, None, "", "")
    assert (file.yanked_reason, file.metadata_sha256, file.provenance) == (None, "", "")


def test_list_of_projects_is_kept_in_parts_and_passed_on(remote, server, monkeypatch) -> None:
    monkeypatch.setattr("packages.upstream.listing.NAMES_PER_PART", 10)
    names = [f"Pond.{number}" for number in range(95)]
    root = {"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in names]}
    server.replies["/simple/"] = Reply(json.dumps(root).encode(), kind=JSON)
    listed = RemoteIndex(remote).projects()
    assert list(listed.names) == list(listed.names) == names
    assert UpstreamNames.objects.count() == 10
    assert RemoteIndex(remote).projects().digest == listed.digest
    assert len(server.asked) == 1


def test_list_in_html_leaves_out_what_is_left_out(cast, server) -> None:
    remote = make_remote(cast.acme.tenant, server, exclude=["toad"])
    links = '<a href="/simple/frog/">Frog</a><a href="toad/">toad</a><a href="../">..</a>'
    server.add_html("/simple/", f"<title>Simple index</title>{links}")
    assert list(RemoteIndex(remote).projects().names) == ["frog"]


@pytest.mark.parametrize("reply", [Reply(status=404), Reply(b"<title>x</title>", kind=HTML)])
def test_list_that_upstream_has_not_does_not_close_it(remote, server, reply) -> None:
    server.add_files("frog", WHEEL)
    server.replies["/simple/"] = reply
    for _ in range(4):
        with pytest.raises(IndexUnavailable):
            RemoteIndex(remote).projects()
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]


def test_list_that_is_switched_off_is_refused(cast, server) -> None:
    remote = make_remote(cast.acme.tenant, server, lists_projects=False)
    with pytest.raises(IndexNotServed, match="does not pass its list"):
        RemoteIndex(remote).projects()


def test_door_streams_the_list_with_its_etag(remote, server, cast, client) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", WHEEL)
    headers = cast.acme.reader.headers
    answer = client.get("/acme/remote/simple/", headers=headers | {"Accept": JSON})
    assert json.loads(answer.getvalue())["projects"] == [{"name": "frog"}]
    again = headers | {"Accept": JSON, "If-None-Match": answer.headers["ETag"]}
    assert client.get("/acme/remote/simple/", headers=again).status_code == 304
    page = client.get("/acme/remote/simple/", headers=headers)
    assert b'<a href="frog/">frog</a>' in page.getvalue()
    assert page.headers["ETag"] != answer.headers["ETag"]


def test_door_marks_a_stale_page(remote, server, cast, client, time) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", WHEEL)
    headers = cast.acme.reader.headers
    assert "Warning" not in client.get("/acme/remote/simple/frog/", headers=headers).headers
    server.always = Reply(status=403)
    time.move(seconds=700)
    stale = client.get("/acme/remote/simple/frog/", headers=headers)
    assert stale.status_code == 200
    assert (stale.headers["Age"], stale.headers["Warning"][:3]) == ("700", "110")


def test_door_has_scopes_for_remotes_that_allow_them(cast, server, client) -> None:
    remote = make_remote(cast.acme.tenant, server, scopes=["root/*"])
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", WHEEL)
    server.replies["/root/pypi/simple/frog/"] = server.replies["/simple/frog/"]
    headers = cast.acme.reader.headers
    url = "/acme/remote/{}/simple/frog/"
    assert client.get(url.format("root/pypi"), headers=headers).status_code == 200
    assert client.get(url.format("other/pypi"), headers=headers).status_code == 410


def test_request_that_has_been_here_before_is_refused(remote, server, cast, client) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", WHEEL)
    headers = cast.acme.reader.headers
    client.get("/acme/remote/simple/frog/", headers=headers | {"Via": "1.1 pond"})
    via = server.asked[0].headers["Via"]
    assert via == f"1.1 pond, 1.1 {identity.instance_id()}"
    back = client.get("/acme/remote/simple/toad/", headers=headers | {"Via": via})
    assert back.status_code == 508
    assert "been here before" in back.reason_phrase


def test_only_the_hops_of_a_request_are_told_on(remote, server, cast, client) -> None:
    server.add_files("frog", WHEEL)
    through = "1.1 pond (a comment), 1.1 " + "x" * 99 + ", 2 lake:80, <script>, HTTP/1.1 sea"
    client.get("/acme/remote/simple/frog/", headers=cast.acme.admin.headers | {"Via": through})
    ours = f"1.1 {identity.instance_id()}"
    assert server.asked[0].headers["Via"] == f"1.1 pond, 2 lake:80, HTTP/1.1 sea, {ours}"
    # What this thread asks for somebody else did not come that way.
    with pytest.raises(ProjectNotFound):
        RemoteIndex(remote).page(parse_name("toad"))
    assert server.asked[-1].headers["Via"] == ours


def test_circle_of_one_caller_says_nothing_to_the_others(remote, server, cast, client) -> None:
    server.add_files("frog", WHEEL)
    listed = server.replies["/simple/frog/"]
    assert isinstance(listed, Reply)

    def closed(asked: Asked) -> Reply:
        return Reply(status=508) if "pond" in asked.headers["Via"] else listed

    server.replies["/simple/frog/"] = server.replies["/simple/"] = closed
    grant(remote, Role.READER, cast.acme.reader)
    headers = cast.acme.reader.headers
    for _ in range(4):
        for path in ("frog/", ""):
            url = f"/acme/remote/simple/{path}"
            assert client.get(url, headers=headers | {"Via": "1.1 pond"}).status_code == 503
    assert not UpstreamPage.objects.exclude(failed_at=None).exists()
    assert not UpstreamHealth.objects.exclude(failures=0).exists()
    identity.remember_via("")
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]


def test_caller_waits_for_no_circle_of_another(remote, server, monkeypatch) -> None:
    """Who waits for another's flight asks for itself when that one's way closed a circle."""
    server.add_files("frog", WHEEL)
    key = (remote.pk, "", "frog")
    refresh._flights[key] = refresh._Flight()

    def lands(*_: object) -> UpstreamPage:
        del refresh._flights[key]
        raise CircleClosed("It has been there before.")

    monkeypatch.setattr(refresh, "_waited_for", lands)
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]


def test_password_that_cannot_be_opened_leaves_what_is_kept(
    cast, server, time, settings, client
) -> None:
    remote = make_remote(cast.acme.tenant, server, username="u", password="p")
    other = make_remote(cast.acme.tenant, server, "other")
    server.add_files("frog", WHEEL)
    server.add_files("toad", make_wheel("toad", "1.0"))
    for each in (remote, other):
        RemoteIndex(each).page(FROG)
    Upstream.objects.filter(repository=remote).update(sealed_password="sealed with a lost key")
    remote.refresh_from_db()
    time.move(seconds=500)
    assert refresh_pages() == 1
    time.move(seconds=500)
    page = RemoteIndex(remote).page(FROG)
    assert names(page) == [WHEEL[0]]
    assert page.stale_since is not None
    with pytest.raises(IndexNotServed, match="cannot be opened"):
        RemoteIndex(remote).page(parse_name("toad"))
    assert not UpstreamHealth.objects.exclude(failures=0).exists()
    virtual = make_virtual(cast.acme, "virtual", [remote])
    answer = client.get("/acme/virtual/simple/toad/", headers=cast.acme.admin.headers)
    assert (virtual.key, answer.status_code) == ("virtual", 501)
    assert "cannot be opened" in answer.reason_phrase


def test_page_is_written_again_after_a_deadlock(remote, server, monkeypatch) -> None:
    server.add_files("frog", WHEEL)
    told = ["deadlock detected"]

    def once(*args):
        if told:
            raise OperationalError(told.pop())
        return notice_changes(*args)

    monkeypatch.setattr(asking, "notice_changes", once)
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert not told


def test_upload_to_a_remote_is_refused(remote, cast, client) -> None:
    answer = upload(client, "frog", "1.0", WHEEL, by=cast.acme.admin, to="/acme/remote/")
    assert answer.status_code == 400
    assert "is a remote repository and takes no uploads" in answer.reason_phrase


def test_breaker_spares_an_upstream_that_is_away(remote, server, time, monkeypatch) -> None:
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    server.always = Reply(status=500)
    for number in range(5):
        with pytest.raises(IndexUnavailable):
            RemoteIndex(remote).page(parse_name(f"frog{number}"))
    assert len(server.asked) == 3
    server.always = None
    server.add_files("frog", WHEEL)
    with pytest.raises(IndexUnavailable, match="3 times in a row"):
        RemoteIndex(remote).page(FROG)
    time.move(seconds=11)
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert UpstreamHealth.objects.get().failures == 0


@pytest.mark.parametrize("status", [200, 400, 403, 429])
def test_refusal_of_one_page_proves_that_upstream_is_back(
    remote, server, time, monkeypatch, status
) -> None:
    """429 does not: the next question is as likely to hear it."""
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    server.add_files("frog", WHEEL)
    server.always = Reply(status=500)
    for number in range(3):
        with pytest.raises(IndexUnavailable):
            RemoteIndex(remote).page(parse_name(f"frog{number}"))
    server.always = None
    server.replies["/simple/toad/"] = Reply(b"no page", status=status)
    time.move(seconds=11)
    with pytest.raises(IndexUnavailable):
        RemoteIndex(remote).page(parse_name("toad"))
    if status == 429:
        with pytest.raises(IndexUnavailable, match="4 times in a row"):
            RemoteIndex(remote).page(FROG)
        return
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert UpstreamHealth.objects.get().failures == 0


def test_refusal_of_the_list_proves_it_too(remote, server, time) -> None:
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    server.replies["/simple/"] = Reply(status=403)
    UpstreamHealth.objects.update(failures=2)
    with pytest.raises(IndexUnavailable):
        RemoteIndex(remote).projects()
    assert UpstreamHealth.objects.get().failures == 0


def test_page_of_another_process_is_waited_for(remote, server, time, monkeypatch) -> None:
    """The row says that somebody asks; when they have answered, nobody else does."""
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    time.move(seconds=601)
    UpstreamPage.objects.update(fence="theirs", heartbeat_at=time.time)

    def answered(_: float) -> None:
        UpstreamPage.objects.update(answered_at=time.time, fence="", heartbeat_at=None)

    monkeypatch.setattr("packages.upstream.refresh._pause", answered)
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert server.count("/simple/frog/") == 1


def test_page_of_a_dead_process_is_taken_over(remote, server, time, monkeypatch) -> None:
    server.add_files("frog", WHEEL)
    UpstreamPage.objects.create(
        repository=remote, normalized="frog", fence="dead", heartbeat_at=time.time
    )
    monkeypatch.setattr("packages.upstream.refresh._pause", lambda _: time.move(seconds=6))
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]


def test_who_lost_the_fence_never_says_that_there_is_no_such_project(
    remote, server, time, monkeypatch
) -> None:
    """The row still says what it said before: installers would go on to the next index."""
    server.add_page("toad", [])
    with pytest.raises(ProjectNotFound):
        RemoteIndex(remote).page(FROG)
    server.add_files("frog", WHEEL)
    time.move(seconds=61)
    with monkeypatch.context() as patched:
        for module, step in ((asking, "_reply"), (listing, "_require_list")):
            patched.setattr(module, step, _for_too_long(getattr(module, step), time))
        for _ in ("a row that says no", "a row that says nothing"):
            with pytest.raises(IndexUnavailable, match=r"for frog for too long"):
                RemoteIndex(remote).page(FROG)
            UpstreamPage.objects.all().delete()
        with pytest.raises(IndexUnavailable, match=r"for the list of projects for too long"):
            RemoteIndex(remote).projects()
    time.move(seconds=11)  # the other process has died
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert list(RemoteIndex(remote).projects().names) == ["frog", "toad"]


def _for_too_long(step: Callable[..., Any], time: MovableClock) -> Callable[..., Any]:
    """Return a step of asking upstream that takes so long that another process takes over."""

    def taken(*arguments: Any) -> Any:
        found = step(*arguments)
        UpstreamPage.objects.update(fence="theirs", heartbeat_at=time.time)
        return found

    return taken


def test_what_another_process_heard_elsewhere_is_not_served(
    remote, server, time, monkeypatch
) -> None:
    """The remote points to another index by now, and that process began before."""
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    UpstreamPage.objects.update(fence="theirs", heartbeat_at=time.time, asked_as="elsewhere")
    time.move(seconds=1)

    def answered(_: float) -> None:
        UpstreamPage.objects.update(answered_at=time.time, fence="", heartbeat_at=None)

    monkeypatch.setattr("packages.upstream.refresh._pause", answered)
    with pytest.raises(IndexUnavailable, match="out of date"):
        RemoteIndex(remote).page(FROG)
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]


def test_breaker_knows_nothing_of_an_upstream_that_was_not_asked_yet(
    remote, server, time, monkeypatch
) -> None:
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    server.always = Reply(status=500)
    for number in range(4):
        with pytest.raises(IndexUnavailable):
            RemoteIndex(remote).page(parse_name(f"frog{number}"))
    upstream = Upstream.objects.get(repository=remote)
    with serving() as other:
        other.add_files("frog", WHEEL)
        upstream.index_url = other.url
        configure.save_upstream(upstream, by=SYSTEM)
        remote.refresh_from_db()
        assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert UpstreamHealth.objects.get().failures == 0


def test_a_head_that_drips_is_given_up(remote, monkeypatch) -> None:
    """Each byte comes before the time-out that is for silence."""
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    monkeypatch.setattr("packages.upstream.connection._HEAD_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dripping = threading.Thread(target=_drip, args=[listening])
        dripping.start()
        upstream = Upstream.objects.get(repository=remote)
        upstream.index_url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        configure.save_upstream(upstream, by=SYSTEM)
        remote.refresh_from_db()
        with pytest.raises(IndexUnavailable, match="silent for too long"):
            RemoteIndex(remote).page(FROG)
        dripping.join(10)
    assert not dripping.is_alive()


def _drip(listening: socket.socket) -> None:
    """Answer each of three tries by a head without an end, as long as somebody listens."""
    for _ in range(3):
        caller, _ = listening.accept()
        with caller, suppress(OSError):
            caller.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while True:
                caller.sendall(b"x")
                real_time.sleep(0.01)


def test_a_page_that_all_but_stops_is_given_up(remote, server, monkeypatch) -> None:
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    monkeypatch.setattr("packages.upstream.connection._COUNTED_FOR", 0.05)

    def dripping() -> Iterator[bytes]:
        for _ in range(1000):
            real_time.sleep(0.01)
            yield b" "

    server.replies["/simple/frog/"] = lambda _: Reply(dripping(), kind=JSON)
    with pytest.raises(IndexUnavailable, match="less than 1024 bytes a second"):
        RemoteIndex(remote).page(FROG)


@pytest.mark.parametrize("name", ["ETag", "Last-Modified"])
def test_a_header_that_no_column_takes_is_left_out(remote, server, time, name) -> None:
    server.add_files("frog", WHEEL)
    for path in ("/simple/frog/", "/simple/"):
        server.replies[path] = replace(server.replies[path], headers={name: "a\0b"})
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    assert list(RemoteIndex(remote).projects().names) == ["frog"]


def test_ageing_page_is_refreshed_beside_its_reader(remote, server, time, monkeypatch) -> None:
    soon: list[str] = []
    monkeypatch.setattr("packages.upstream.refresh._spawn", lambda _, project: soon.append(project))
    monkeypatch.setattr("packages.upstream.refresh._background", threading.Semaphore(4))
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    time.move(seconds=100)
    RemoteIndex(remote).page(FROG)
    assert not soon
    time.move(seconds=400)
    RemoteIndex(remote).page(FROG)
    assert soon == ["frog"]
    assert server.count("/simple/frog/") == 1


@pytest.mark.parametrize(
    ("age", "holds_for"),
    [
        (0, 300),  # that it is in use is to be noted again
        (200, 280),  # then it is ageing
        (490, 2),  # it is being refreshed
        (599, 1),  # then it is out of date
    ],
)
def test_page_is_held_until_it_is_to_be_looked_at_again(
    remote, server, time, monkeypatch, age: int, holds_for: int
) -> None:
    monkeypatch.setattr("packages.upstream.refresh._spawn", lambda *_: None)
    monkeypatch.setattr("packages.upstream.refresh._background", threading.Semaphore(4))
    server.add_files("frog", WHEEL)
    index = RemoteIndex(remote)
    index.page(FROG)
    assert index.ground is None  # its stamps were read before
    time.move(seconds=age)
    remote.state.refresh_from_db()
    index = RemoteIndex(remote)
    index.page(FROG)
    assert index.ground is not None
    assert index.until == index.ground.until == time.time + timedelta(seconds=holds_for)


def test_that_there_is_no_page_is_held_for_less(remote, server, time) -> None:
    index = RemoteIndex(remote)
    server.add_files("toad", make_wheel("toad", "1.0"))
    with pytest.raises(ProjectNotFound):
        index.page(FROG)
    assert index.until == time.time + timedelta(seconds=0.8 * 60)


def test_page_of_an_upstream_that_is_away_is_looked_at_again_soon(remote, server, time) -> None:
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    server.always = Reply(status=503)
    time.move(days=1)
    index = RemoteIndex(remote)
    assert index.page(FROG).stale_since is not None
    assert index.until == time.time + timedelta(seconds=2)


def test_page_that_is_asked_for_each_time_is_not_held(cast, server, time) -> None:
    server.add_files("frog", WHEEL)
    index = RemoteIndex(make_remote(cast.acme.tenant, server, fresh_seconds=0))
    index.page(FROG)
    assert index.until <= time.time


def test_page_with_100_000_files_is_read(remote, server) -> None:
    digest = {"sha256": "0" * 64}
    lines = [
        {"filename": f"frog-{number}.{minor}.tar.gz", "url": "/f", "hashes": digest}
        for number in range(1000)
        for minor in range(100)
    ]
    server.add_page("frog", lines)
    page = RemoteIndex(remote).page(FROG)
    assert len(page.files) == 100_000
    assert page.files[0].version == "0.0"
    assert page.files[-1].version == "999.99"


def test_page_with_too_many_lines_is_unreadable(remote, server, monkeypatch) -> None:
    monkeypatch.setattr("packages.upstream.links.LINES_AT_MOST", 10)
    server.add_page("frog", [json_line(*WHEEL)] * 11)
    with pytest.raises(IndexUnavailable, match="more than 10 lines"):
        RemoteIndex(remote).page(FROG)


def test_artifactory_has_one_url_for_pages_and_another_for_files(cast, server) -> None:
    """Its guides configure .../api/pypi/<key>/simple for the index; files stand beside it."""
    url = f"{server.url}artifactory/api/pypi/pypi-local"
    page = f'<a href="../../packages/{WHEEL[0]}#sha256={"c" * 64}" rel="internal">x</a>'
    server.add_html("/artifactory/api/pypi/pypi-local/simple/frog/", page)
    for key, index_url in (("with", f"{url}/simple"), ("without", url)):
        remote = make_remote(cast.acme.tenant, server, key, index_url=index_url, files_url=url)
        (file,) = RemoteIndex(remote).page(FROG).files
        assert file.sha256 == "c" * 64
    row = UpstreamPage.objects.filter(repository=remote).get()
    (line,) = documents.unpacked(bytes(row.document or b"")).lines
    assert line.url == f"{url}/packages/{WHEEL[0]}"


def test_redirect_of_a_page_is_followed_and_links_are_relative_to_its_end(remote, server) -> None:
    server.add_html("/deep/down/frog/", f'<a href="../{WHEEL[0]}">x</a>')
    server.replies["/simple/frog/"] = Reply(status=301, headers={"Location": "/deep/down/frog/"})
    RemoteIndex(remote).page(FROG)
    row = UpstreamPage.objects.get()
    (line,) = documents.unpacked(bytes(row.document or b"")).lines
    assert line.url == f"{server.url}deep/down/{WHEEL[0]}"


def test_address_that_is_not_public_is_not_connected_to(cast, server) -> None:
    remote = make_remote(cast.acme.tenant, server, private_allowed=False)
    server.add_files("frog", WHEEL)
    with pytest.raises(IndexNotServed, match="not public"):
        RemoteIndex(remote).page(FROG)
    assert not server.asked


def test_installation_may_allow_private_addresses_for_all(cast, server, settings) -> None:
    settings.PRIVATE_UPSTREAMS_ALLOWED = True
    remote = make_remote(cast.acme.tenant, server, private_allowed=False)
    server.add_files("frog", WHEEL)
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]


def test_who_never_waits_hands_an_old_page_on_to_who_may(remote, server, time, settings) -> None:
    """At the edge "too many wait" is no reason to believe a page of any age."""
    server.add_files("frog", WHEEL)
    RemoteIndex(remote).page(FROG)
    time.move(days=7)
    settings.UPSTREAM_WAITERS = 0
    with pytest.raises(IndexUnavailable, match="Too many are waiting"):
        RemoteIndex(remote).page(FROG)
    assert len(server.asked) == 1


def test_many_callers_of_one_process_ask_once(remote, server) -> None:
    """Those who come while one asks wait for its flight."""
    source = RemoteIndex(remote).source
    flight = refresh._Flight()
    refresh._flights[remote.pk, "", "frog"] = flight
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(refresh._waited_for, flight, source, FROG)
            flight.failure = UpstreamFailed("it is away")
            flight.landed.set()
            with pytest.raises(UpstreamFailed, match="it is away"):
                waiting.result(5)
    finally:
        del refresh._flights[remote.pk, "", "frog"]
    assert not server.asked


def test_proxy_is_asked_for_what_lies_behind_it(cast, server) -> None:
    index = "http://index.example/"
    remote = make_remote(cast.acme.tenant, None, index_url=index, proxy=server.url)
    server.add_files("frog", WHEEL)
    server.replies["http://index.example/simple/frog/"] = server.replies["/simple/frog/"]
    assert names(RemoteIndex(remote).page(FROG)) == [WHEEL[0]]
    link = {"Location": "http://10.0.0.1/simple/toad/"}
    server.replies["http://index.example/simple/toad/"] = Reply(status=302, headers=link)
    with pytest.raises(IndexNotServed, match=r"10\.0\.0\.1, which is not public"):
        RemoteIndex(remote).page(parse_name("toad"))
    assert len(server.asked) == 2


def test_long_list_is_never_all_in_memory(remote, server, cast, client, monkeypatch, time) -> None:
    """It passes through in the memory of a part of it."""
    monkeypatch.setattr("packages.upstream.listing.NAMES_PER_PART", 1000)
    longest = 60

    def pieces(count: int) -> Iterator[bytes]:
        yield b'{"meta":{"api-version":"1.1"},"projects":['
        for start in range(0, count, 1000):
            names = (f"{number:0{longest}}" for number in range(start, start + 1000))
            yield b",".join(b'{"name":"p%s"}' % name.encode() for name in names)
            yield b"]}" if start + 1000 == count else b","

    def received(count: int) -> int:
        server.replies["/simple/"] = lambda _: Reply(pieces(count), kind=JSON)
        time.move(hours=1)
        answer = client.get("/acme/remote/simple/", headers=headers)
        return sum(len(piece) for piece in answer.streaming_content)

    grant(remote, Role.READER, cast.acme.reader)
    headers = cast.acme.reader.headers | {"Accept": JSON}
    received(1000)  # what is loaded once
    tracemalloc.start()
    try:
        length = received(40_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length > 40_000 * longest
    assert peak < length / 2


def test_fresh_page_costs_few_queries(
    remote, server, cast, client, django_assert_num_queries
) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", WHEEL)
    headers = cast.acme.reader.headers
    for _ in range(2):  # the second notes that it is in use
        client.get("/acme/remote/simple/frog/", headers=headers)
    with django_assert_num_queries(QUERIES_OF_A_PAGE):
        client.get("/acme/remote/simple/frog/", headers=headers)
