"""Files of a remote: fetched once, handed on as they come, kept only when they are right."""

from __future__ import annotations

import fcntl
import hashlib
import json
import socket
import stat
import threading
import time as real_time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from urllib.parse import urljoin

import pytest
from django.db import IntegrityError, InterfaceError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import curate
from packages.filenames import parse_name
from packages.index.base import (
    Arriving,
    FileBroken,
    FileNotFound,
    IndexNotServed,
    IndexUnavailable,
    Stored,
    Transfer,
)
from packages.index.remote import RemoteIndex
from packages.models import (
    Blob,
    Distribution,
    Fetch,
    LooseObject,
    Project,
    UpstreamHealth,
    UpstreamMetadata,
)
from packages.storage import Readable
from packages.upstream import heartbeats, keeping, transfers, waiting
from packages.upstream.errors import UpstreamAway, UpstreamFailed
from repos import configure
from repos.models import Kind
from tests.cast import grant, make_repository
from tests.dists import make_sdist, make_wheel
from tests.packages.fetching import settled
from tests.uploads import published
from tests.upstreams import HTML, JSON, Asked, Reply, Server, json_line, make_remote, serving

pytestmark = pytest.mark.django_db(transaction=True)

FROG = parse_name("frog")
NOISE = Random(1).randbytes(1_000_000)  # noqa: S311 - it only must not be packed small
BIG = make_wheel("frog", "1.0", files={"frog/data.bin": NOISE})
SMALL = make_wheel("frog", "1.1", requires_python=">=3.9")
SDIST = make_sdist("frog", "1.0")


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def remote(cast, server: Server, time):
    return make_remote(cast.acme.tenant, server)


@pytest.fixture(autouse=True)
def no_fetch_outlives_its_test(monkeypatch):
    monkeypatch.setattr("packages.upstream.connection._pause", lambda _: None)
    yield
    settled()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(stream: Readable) -> bytes:
    try:
        return b"".join(iter(lambda: stream.read(100_000), b""))
    finally:
        stream.close()


def pour(stream: Readable, into: bytearray) -> None:
    while chunk := stream.read(10_000):
        into += chunk


def begun_transfer(remote, filename: str) -> Transfer:
    found = RemoteIndex(remote).open(FROG, filename)
    assert isinstance(found, Arriving)
    begun = found.begin()
    assert isinstance(begun, Transfer)
    return begun


def fetched(remote, filename: str, digest: str = "") -> bytes:
    found = RemoteIndex(remote).open(FROG, filename, digest)
    assert isinstance(found, Arriving)
    begun = found.begin()
    assert isinstance(begun, Transfer)
    return read(begun.stream)


def assert_nothing_is_kept(remote, tmp_path) -> None:
    settled()
    assert not Distribution.objects.exists()
    assert not Blob.objects.exists()
    assert not LooseObject.objects.exists()
    assert not list((tmp_path / "spool").glob("*"))
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


def test_file_is_fetched_kept_and_served_from_here(remote, server) -> None:
    server.add_files("frog", BIG)
    assert fetched(remote, *digest_of(BIG)) == BIG[1]
    settled()
    stored = RemoteIndex(remote).open(FROG, *digest_of(BIG))
    assert isinstance(stored, Stored)
    row = Distribution.objects.get()
    assert (row.sha256, row.size, row.metadata_sha256 != "") == (sha256(BIG[1]), len(BIG[1]), True)
    assert server.count(f"/files/{BIG[0]}") == 1
    assert not Fetch.objects.exists()
    tenant = Tenant.objects.get(pk=remote.tenant_id)
    assert (tenant.used_bytes, tenant.used_files) == (len(BIG[1]), 1)


def digest_of(file: tuple[str, bytes]) -> tuple[str, str]:
    return file[0], sha256(file[1])


def test_first_bytes_come_before_upstream_has_sent_the_last(remote, server) -> None:
    server.add_files("frog", BIG)
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield BIG[1][:500_000]
        go_on.wait(10)
        yield BIG[1][500_000:]

    server.replies[f"/files/{BIG[0]}"] = Reply(pieces(), length=len(BIG[1]))
    begun = begun_transfer(remote, BIG[0])
    first = begun.stream.read(100_000)
    assert BIG[1].startswith(first)
    assert begun.size == len(BIG[1])
    go_on.set()
    assert first + read(begun.stream) == BIG[1]


def test_many_callers_are_one_request(remote, server) -> None:
    server.add_files("frog", BIG)

    def get(_: int) -> bytes:
        try:
            found = RemoteIndex(remote).open(FROG, BIG[0])
            begun = found.begin() if isinstance(found, Arriving) else found
            return read(begun.stream) if isinstance(begun, Transfer) else BIG[1]
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        assert {sha256(each) for each in pool.map(get, range(12))} == {sha256(BIG[1])}
    assert server.count(f"/files/{BIG[0]}") == 1
    assert server.count("/simple/frog/") == 1


def test_fetch_that_begins_and_ends_while_another_begins_is_looked_for_again(
    remote, server, monkeypatch
) -> None:
    server.add_files("frog", SMALL)
    found = RemoteIndex(remote).open(FROG, SMALL[0])
    assert isinstance(found, Arriving)
    real, lost = Fetch.objects.get_or_create, [True]

    def once_too_late(**columns: Any) -> Any:
        if lost.pop() if lost else False:
            raise IntegrityError
        return real(**columns)

    monkeypatch.setattr(Fetch.objects, "get_or_create", once_too_late)
    begun = found.begin()
    assert isinstance(begun, Transfer)
    assert read(begun.stream) == SMALL[1]


def test_caller_that_goes_away_does_not_stop_the_fetch(remote, server) -> None:
    server.add_files("frog", BIG)
    begun = begun_transfer(remote, BIG[0])
    begun.stream.close()
    settled()
    assert isinstance(RemoteIndex(remote).open(FROG, BIG[0]), Stored)


def test_another_process_reads_the_spool_as_it_grows(remote, server, monkeypatch) -> None:
    server.add_files("frog", BIG)
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield BIG[1][:500_000]
        go_on.wait(10)
        yield BIG[1][500_000:]

    server.replies[f"/files/{BIG[0]}"] = Reply(pieces(), length=len(BIG[1]))
    mine = begun_transfer(remote, BIG[0])
    with monkeypatch.context() as patched:
        patched.setattr(transfers, "_transfers", {})  # what another process has
        theirs = begun_transfer(remote, BIG[0])
    assert isinstance(theirs, Transfer)
    assert theirs.size == len(BIG[1])
    first = theirs.stream.read(1000)
    go_on.set()
    assert first + read(theirs.stream) == read(mine.stream) == BIG[1]
    assert server.count(f"/files/{BIG[0]}") == 1


def test_fetch_of_a_dead_process_is_taken_over(remote, server, time) -> None:
    server.add_files("frog", SMALL)
    Fetch.objects.create(
        repository=remote,
        normalized="frog",
        filename=SMALL[0],
        sha256=sha256(SMALL[1]),
        fence="dead",
        host="elsewhere",
        heartbeat_at=time.time,
    )
    time.move(seconds=11)
    assert fetched(remote, *digest_of(SMALL)) == SMALL[1]


LIES: dict[str, Any] = {
    "another file": Reply(b"x" * len(BIG[1])),
    "one bit": Reply(BIG[1][:-1] + b"\x01"),
    "longer than listed": Reply(BIG[1] + b"more", length=None),
    "another length": Reply(BIG[1] + b"more"),
    "an error page": Reply(b"<html>Sorry</html>", kind=HTML),
    "endless": Reply((b"x" * 65536 for _ in range(10_000)), length=None),
}


@pytest.mark.parametrize("lie", LIES)
def test_lie_is_broken_off_recorded_and_leaves_nothing(remote, server, lie, tmp_path, time) -> None:
    server.add_files("frog", BIG)
    server.replies[f"/files/{BIG[0]}"] = LIES[lie]
    with pytest.raises((UpstreamFailed, FileBroken)):
        fetched(remote, *digest_of(BIG))
    assert_nothing_is_kept(remote, tmp_path)
    event = AuditEvent.objects.get(action="upstream.wrong-bytes")
    assert event.subject == f"acme/remote/{BIG[0]}"
    # For a while it is refused without asking; then an upstream that has come right is believed.
    asked = server.count(f"/files/{BIG[0]}")
    with pytest.raises(FileBroken):
        fetched(remote, *digest_of(BIG))
    assert server.count(f"/files/{BIG[0]}") == asked
    server.replies[f"/files/{BIG[0]}"] = Reply(BIG[1])
    time.move(seconds=61)
    assert fetched(remote, *digest_of(BIG)) == BIG[1]


def test_wrong_file_is_never_given_out_whole(remote, server) -> None:
    server.add_files("frog", BIG)
    wrong = BIG[1][:-1] + b"\x01"
    server.replies[f"/files/{BIG[0]}"] = Reply(wrong)
    begun = begun_transfer(remote, BIG[0])
    got = bytearray()
    with pytest.raises(UpstreamFailed):
        pour(begun.stream, got)
    begun.stream.close()
    assert len(got) <= len(wrong) - 64 * 1024


def test_broken_off_transfer_is_resumed(remote, server) -> None:
    server.add_files("frog", BIG)

    def reply(asked) -> Reply:
        sent = asked.headers.get("Range")
        if sent is None:
            return Reply(BIG[1][:400_000], length=len(BIG[1]), headers={"ETag": '"e"'})
        assert asked.headers["If-Range"] == '"e"'
        start = int(sent.removeprefix("bytes=").removesuffix("-"))
        headers = {"Content-Range": f"bytes {start}-{len(BIG[1]) - 1}/{len(BIG[1])}"}
        return Reply(BIG[1][start:], status=206, headers=headers)

    server.replies[f"/files/{BIG[0]}"] = reply
    assert fetched(remote, *digest_of(BIG)) == BIG[1]
    assert server.count(f"/files/{BIG[0]}") == 2


def test_upstream_that_always_breaks_off_is_unavailable(remote, server, tmp_path) -> None:
    server.add_files("frog", BIG)
    server.replies[f"/files/{BIG[0]}"] = Reply(BIG[1][:100], length=len(BIG[1]))
    with pytest.raises((UpstreamFailed, FileBroken)):
        fetched(remote, *digest_of(BIG))
    assert_nothing_is_kept(remote, tmp_path)


def test_silence_ends_after_the_seconds_that_were_set(cast, server, tmp_path, time) -> None:
    remote = make_remote(cast.acme.tenant, server, read_seconds=1)
    server.add_files("frog", BIG)
    silent = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield BIG[1][:500_000]
        silent.wait(8)

    server.replies[f"/files/{BIG[0]}"] = lambda _: Reply(pieces(), length=len(BIG[1]))
    began = real_time.monotonic()
    with pytest.raises(UpstreamFailed):
        fetched(remote, *digest_of(BIG))
    silent.set()
    assert real_time.monotonic() - began < 7
    assert_nothing_is_kept(remote, tmp_path)


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{other}/x", "http://169.254.169.254/latest", "file:///etc/passwd"],
)
def test_redirect_to_another_place_of_our_network_is_refused(
    remote, server, location, tmp_path
) -> None:
    server.add_files("frog", SMALL)
    with serving() as other:
        other.replies["/x"] = Reply(SMALL[1])
        where = location.format(other=other.port)
        server.replies[f"/files/{SMALL[0]}"] = Reply(status=302, headers={"Location": where})
        with pytest.raises(IndexNotServed):
            fetched(remote, *digest_of(SMALL))
        assert not other.asked
    assert_nothing_is_kept(remote, tmp_path)


def test_files_on_a_configured_host_get_the_credentials_others_do_not(cast, server, time) -> None:
    with serving() as files:
        remote = make_remote(
            cast.acme.tenant, server, username="u", password="hunter2", files_url=files.url
        )
        files.replies["/f"] = Reply(SMALL[1])
        server.add_page("frog", [json_line(*SMALL) | {"url": f"{files.url}f"}])
        assert fetched(remote, *digest_of(SMALL)) == SMALL[1]
        assert files.asked[0].headers["Authorization"].startswith("Basic ")
        assert server.asked[0].headers["Authorization"].startswith("Basic ")
        settled()


def test_file_without_a_hash_gets_ours_and_never_other_bytes(remote, server, time) -> None:
    server.add_html("/simple/frog/", f'<a href="/f/{SDIST[0]}">{SDIST[0]}</a>')
    server.replies[f"/f/{SDIST[0]}"] = Reply(SDIST[1])
    assert fetched(remote, SDIST[0]) == SDIST[1]
    settled()
    (file,) = RemoteIndex(remote).page(FROG).files
    assert (file.sha256, file.size) == (sha256(SDIST[1]), len(SDIST[1]))
    link = f'<a href="/f/{SDIST[0]}#sha256={"0" * 64}">{SDIST[0]}</a>'
    server.add_html("/simple/frog/", link)
    time.move(seconds=601)
    (file,) = RemoteIndex(remote).page(FROG).files
    assert file.sha256 == sha256(SDIST[1])
    assert Distribution.objects.get().upstream_change == "other-bytes"
    assert isinstance(RemoteIndex(remote).open(FROG, SDIST[0]), Stored)


def test_upstream_yanks_removes_and_quarantines_what_we_hold(remote, server, time) -> None:
    server.add_files("frog", SMALL)
    fetched(remote, *digest_of(SMALL))
    settled()

    def refreshed_to(lines: Any, **more: Any) -> Any:
        server.add_page("frog", lines, **more)
        time.move(seconds=601)
        page = RemoteIndex(remote).page(FROG)
        return [file.yanked_reason for file in page.files], change()

    def change() -> str:
        return Distribution.objects.get().upstream_change

    line = json_line(*SMALL)
    assert refreshed_to([line | {"yanked": "bad"}]) == (["bad"], "yanked")
    assert refreshed_to([]) == (["removed upstream"], "removed")
    assert refreshed_to([line]) == ([None], "")
    quarantined = {"project-status": {"status": "quarantined"}}
    assert refreshed_to([line], **quarantined) == ([], "quarantined")
    assert refreshed_to([line]) == ([], "quarantined")
    assert Project.objects.get().changed > 0
    assert AuditEvent.objects.filter(action="upstream.file").count() == 4


def test_full_quota_serves_and_keeps_nothing(remote, server, cast, tmp_path) -> None:
    Tenant.objects.filter(pk=remote.tenant_id).update(quota_bytes=10)
    server.add_files("frog", SMALL)
    assert fetched(remote, *digest_of(SMALL)) == SMALL[1]
    settled()
    assert not Distribution.objects.exists()


def test_larger_file_than_the_remote_takes_is_refused(cast, server, tmp_path, time) -> None:
    remote = make_remote(cast.acme.tenant, server)
    remote.max_file_bytes = 100
    remote.save()
    server.add_files("frog", SMALL)
    with pytest.raises(IndexUnavailable, match="more than 100 bytes"):
        fetched(remote, *digest_of(SMALL))
    assert_nothing_is_kept(remote, tmp_path)


def test_metadata_is_fetched_checked_and_kept(remote, server, time) -> None:
    raw = b"Metadata-Version: 2.1\nName: frog\nVersion: 1.1\n"
    named = {"core-metadata": {"sha256": sha256(raw)}}
    server.add_files("frog", SMALL, **named)
    server.replies[f"/files/{SMALL[0]}.metadata"] = Reply(raw)
    for _ in range(2):
        assert RemoteIndex(remote).metadata(FROG, SMALL[0]) == raw
    assert server.count(f"/files/{SMALL[0]}.metadata") == 1
    assert server.count(f"/files/{SMALL[0]}") == 0
    server.replies[f"/files/{BIG[0]}.metadata"] = Reply(b"other")
    server.add_files("frog", BIG, **named)
    time.move(seconds=601)
    with pytest.raises(FileBroken, match="another metadata file"):
        RemoteIndex(remote).metadata(FROG, BIG[0])


def test_metadata_of_another_file_that_had_the_name_is_not_served(remote, server, time) -> None:
    """Where upstream names no digest of it: who finds that it agrees takes its dependencies."""
    old, new = make_wheel("frog", "1.1"), SMALL
    at = f"/files/{SMALL[0]}.metadata"
    for file, raw in ((old, b"Metadata-Version: 2.1\nName: old"), (new, b"Name: new")):
        server.add_files("frog", file, **{"core-metadata": True})
        server.replies[at] = Reply(raw)
        time.move(seconds=601)
        (line,) = RemoteIndex(remote).page(FROG).files
        assert line.metadata_sha256 == ""
        assert RemoteIndex(remote).metadata(FROG, *digest_of(file)) == raw
        (line,) = RemoteIndex(remote).page(FROG).files
        assert line.metadata_sha256 == sha256(raw)
    server.add_files("frog", BIG)
    time.move(seconds=601)
    RemoteIndex(remote).page(FROG)
    assert not UpstreamMetadata.objects.exists()  # no page lists it


def test_metadata_of_an_upstream_in_trouble_is_asked_for_three_times(remote, server) -> None:
    server.add_files("frog", SMALL, BIG, SDIST, **{"core-metadata": True})
    RemoteIndex(remote).page(FROG)
    server.always = Reply(status=500)
    for _ in range(3):
        with pytest.raises(IndexUnavailable, match="answered 500"):
            RemoteIndex(remote).metadata(FROG, SMALL[0])
    with pytest.raises(IndexUnavailable, match="3 times in a row"):
        RemoteIndex(remote).metadata(FROG, BIG[0])


def test_a_file_that_was_kept_can_be_read_whatever_fails_then(
    remote, server, monkeypatch, tmp_path
) -> None:
    """Storage may have the spool itself, by another name."""

    def kept(*arguments: Any) -> bool:
        assert keeping.keep(*arguments)
        raise InterfaceError("the connection is gone")

    monkeypatch.setattr(transfers, "keep", kept)
    server.add_files("frog", SMALL)
    fetched(remote, *digest_of(SMALL))
    settled()
    assert isinstance(RemoteIndex(remote).open(FROG, *digest_of(SMALL)), Stored)
    (kept_file,) = (each for each in (tmp_path / "blobs").rglob("*") if each.is_file())
    assert kept_file.read_bytes() == SMALL[1]
    assert kept_file.stat().st_mode & stat.S_IRUSR  # root may read whatever it is


def test_hearts_beat_again_after_the_system_had_no_thread(remote, server, monkeypatch) -> None:
    row = Fetch.objects.create(repository=remote, normalized="frog", filename="f", fence="ours")

    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none)
        with pytest.raises(RuntimeError), heartbeats.beating(row, row.fence):
            pass
    monkeypatch.setattr(heartbeats, "_EVERY", 0.01)
    with heartbeats.beating(row, row.fence):
        for _ in range(500):
            row.refresh_from_db()
            if row.heartbeat_at is not None:
                return
            real_time.sleep(0.01)
    pytest.fail("no heart has beaten")


def test_metadata_under_the_digest_of_another_file_is_not_found(remote, server) -> None:
    """What is answered there is kept for good by whoever asked."""
    raw = b"Metadata-Version: 2.1\nName: frog\nVersion: 1.1\n"
    server.add_files("frog", SMALL, **{"core-metadata": {"sha256": sha256(raw)}})
    server.replies[f"/files/{SMALL[0]}.metadata"] = Reply(raw)
    index = RemoteIndex(remote)
    with pytest.raises(FileNotFound, match="another sha256"):
        index.metadata(FROG, SMALL[0], "0" * 64)
    assert index.metadata(FROG, *digest_of(SMALL)) == raw
    assert fetched(remote, *digest_of(SMALL)) == SMALL[1]
    settled()
    with pytest.raises(FileNotFound, match="another sha256"):
        index.metadata(FROG, SMALL[0], "0" * 64)
    assert index.metadata(FROG, *digest_of(SMALL)) == raw


def test_page_is_locked_before_the_state_where_metadata_is_kept(remote, server) -> None:
    """The order of packages.changes: a refresh that writes at that moment waits, and no more."""
    server.add_files("frog", SMALL, **{"core-metadata": True})
    server.replies[f"/files/{SMALL[0]}.metadata"] = Reply(b"Metadata-Version: 2.1")
    RemoteIndex(remote).page(FROG)
    with CaptureQueriesContext(connection) as asked:
        RemoteIndex(remote).metadata(FROG, SMALL[0])
    within = [each["sql"] for each in asked.captured_queries]
    state = next(number for number, sql in enumerate(within) if "repos_repositorystate" in sql)
    begun = max(number for number in range(state) if within[number].startswith("BEGIN"))
    assert any("packages_upstreampage" in sql for sql in within[begun:state])


def test_metadata_is_read_from_the_wheel_where_upstream_has_none(remote, server) -> None:
    server.add_files("frog", SMALL)
    (before,) = RemoteIndex(remote).page(FROG).files
    assert not before.metadata_sha256
    fetched(remote, *digest_of(SMALL))
    settled()
    (after,) = RemoteIndex(remote).page(FROG).files
    raw = RemoteIndex(remote).metadata(FROG, SMALL[0])
    assert after.metadata_sha256 == sha256(raw)
    assert b"Name: frog" in raw


def test_door_hands_a_file_on_whole_in_part_and_in_name(remote, server, cast, client) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", BIG)
    url = f"/acme/remote/files/frog/{sha256(BIG[1])}/{BIG[0]}"
    headers = cast.acme.reader.headers
    head = client.head(url, headers=headers)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(BIG[1])))
    assert server.count(f"/files/{BIG[0]}") == 0
    part = client.get(url, headers=headers | {"Range": "bytes=5-9"})
    assert (part.status_code, part.getvalue()) == (206, BIG[1][5:10])
    whole = client.get(url, headers=headers)
    assert whole.getvalue() == BIG[1]
    assert server.count(f"/files/{BIG[0]}") == 1


def test_door_streams_what_is_not_here_yet(remote, server, cast, client: Client) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", BIG)
    url = f"/acme/remote/files/frog/{sha256(BIG[1])}/{BIG[0]}"
    answer = client.get(url, headers=cast.acme.reader.headers)
    assert answer.headers["Content-Length"] == str(len(BIG[1]))
    assert answer.headers["ETag"] == f'"{sha256(BIG[1])}"'
    assert answer.getvalue() == BIG[1]


def test_only_so_many_threads_wait_for_upstreams(remote, server, settings) -> None:
    settings.UPSTREAM_WAITERS = 0
    server.add_files("frog", BIG)
    with pytest.raises(IndexUnavailable, match="Too many"):
        RemoteIndex(remote).page(FROG)


def test_whoever_is_one_too_many_is_told_when_to_come_again(
    remote, server, settings, cast, client
) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    settings.UPSTREAM_WAITERS = 0
    server.add_files("frog", BIG)
    answer = client.get("/acme/remote/simple/frog/", headers=cast.acme.reader.headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_address_that_is_refused_is_not_worth_asking_again(remote, server, cast, client) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_page("frog", [json_line(*SMALL) | {"url": "http://10.0.0.1/frog.whl"}])
    url = f"/acme/remote/files/frog/{sha256(SMALL[1])}/{SMALL[0]}"
    answer = client.get(url, headers=cast.acme.reader.headers)
    assert answer.status_code == 501
    assert answer.reason_phrase == (
        "'10.0.0.1' has the address 10.0.0.1, which is not public: only the hosts of the index URL "
        "and of the URL of files may have one. In acme/remote, URL of files is to be "
        "http://10.0.0.1/ for that (Administration, Upstream)."
    )
    assert "Retry-After" not in answer.headers


def test_refused_address_names_no_setting_where_no_setting_would_do(
    remote, server, cast, client
) -> None:
    """Also none that a superuser has not allowed: a stranger's page is not to ask for it."""
    grant(remote, Role.READER, cast.acme.reader)
    server.add_page("frog", [json_line(*SMALL) | {"url": "http://169.254.169.254/frog.whl"}])
    url = f"/acme/remote/files/frog/{sha256(SMALL[1])}/{SMALL[0]}"
    answer = client.get(url, headers=cast.acme.reader.headers)
    assert answer.reason_phrase.endswith("not public. Such addresses are never asked.")


def test_refused_metadata_names_the_setting_too(remote, server) -> None:
    line = json_line(*SMALL) | {"url": "http://10.0.0.1/frog.whl", "core-metadata": True}
    server.add_page("frog", [line])
    with pytest.raises(IndexNotServed, match="In acme/remote, URL of files is to be http://10"):
        RemoteIndex(remote).metadata(FROG, SMALL[0])


def test_only_who_may_read_the_remote_is_told_its_name(remote, server, cast, client) -> None:
    """Through a virtual, a file is refused by name to those alone who may read where it is."""
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [remote], by=SYSTEM)
    for each in (cast.acme.reader, cast.acme.writer):
        grant(virtual, Role.READER, each)
    grant(remote, Role.READER, cast.acme.reader)
    server.add_page("frog", [json_line(*SMALL) | {"url": "http://10.0.0.1/frog.whl"}])
    url = f"/acme/virtual/files/frog/{sha256(SMALL[1])}/{SMALL[0]}"
    told = client.get(url, headers=cast.acme.reader.headers)
    assert told.status_code == 501
    assert "In acme/remote, URL of files is to be http://10.0.0.1/" in told.content.decode()
    untold = client.get(url, headers=cast.acme.writer.headers)
    assert untold.status_code == 403
    assert "remote" not in f"{untold.reason_phrase} {untold.content.decode()}"
    assert "10.0.0.1" not in untold.content.decode()


def test_refused_files_are_seen_on_the_page_of_the_remote(
    remote, server, cast, client, time
) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_page("frog", [json_line(*SMALL) | {"url": "http://10.0.0.1/frog.whl"}])
    with pytest.raises(IndexNotServed):
        fetched(remote, *digest_of(SMALL))
    settled()
    client.force_login(cast.acme.reader.user)
    assert f"{SMALL[0]} did not come:" in client.get("/acme/remote/").content.decode()
    server.add_files("frog", SMALL)
    time.move(seconds=601)
    fetched(remote, *digest_of(SMALL))
    settled()
    page = client.get("/acme/remote/").content.decode()
    assert "did not come" not in page
    assert '<span class="badge fresh">ok</span> answered' in page


def test_only_so_many_files_are_fetched_at_once(remote, server, settings) -> None:
    """Also when nobody waits for them any more: who leaves takes no thread along."""
    settings.UPSTREAM_TRANSFERS = 1
    server.add_files("frog", BIG, SMALL)
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield BIG[1][:500_000]
        go_on.wait(10)
        yield BIG[1][500_000:]

    server.replies[f"/files/{BIG[0]}"] = Reply(pieces(), length=len(BIG[1]))
    begun_transfer(remote, BIG[0]).stream.close()
    other = RemoteIndex(remote).open(FROG, SMALL[0])
    assert isinstance(other, Arriving)
    with pytest.raises(IndexUnavailable, match="Too many files"):
        other.begin()
    go_on.set()
    settled()
    assert fetched(remote, SMALL[0]) == SMALL[1]


@pytest.mark.parametrize("what", ["quarantined", "removed"])
def test_file_that_is_taken_back_while_it_comes_is_marked(cast, server, what) -> None:
    remote = make_remote(cast.acme.tenant, server, fresh_seconds=0)
    server.add_files("frog", BIG, SMALL)
    go_on = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield BIG[1][:500_000]
        go_on.wait(10)
        yield BIG[1][500_000:]

    server.replies[f"/files/{BIG[0]}"] = Reply(pieces(), length=len(BIG[1]))
    begun_transfer(remote, BIG[0]).stream.close()
    if what == "quarantined":
        server.add_page("frog", [], **{"project-status": {"status": "quarantined"}})
    else:
        server.add_page("frog", [json_line(*SMALL)])
    RemoteIndex(remote).page(FROG)
    go_on.set()
    settled()
    assert Distribution.objects.get().upstream_change == what
    shown = [file.yanked_reason for file in RemoteIndex(remote).page(FROG).files]
    assert shown == ([] if what == "quarantined" else ["removed upstream", None])


def test_other_bytes_are_noticed_by_whichever_digest_is_listed(cast, server) -> None:
    remote = make_remote(cast.acme.tenant, server, fresh_seconds=0)
    server.add_files("frog", SMALL)
    line = json_line(*SMALL)
    for hashes, change in (
        ({"md5": hashlib.md5(SMALL[1], usedforsecurity=False).hexdigest()}, ""),
        ({"md5": "0" * 32}, "other-bytes"),
        ({}, ""),
    ):
        server.add_page("frog", [line | {"hashes": hashes}])
        if not Distribution.objects.exists():
            fetched(remote, SMALL[0])
            settled()
        (file,) = RemoteIndex(remote).page(FROG).files
        assert file.sha256 == sha256(SMALL[1])
        assert Distribution.objects.get().upstream_change == change


def test_slow_reader_of_a_whole_file_keeps_no_place(remote, server) -> None:
    server.add_files("frog", BIG)
    stream = begun_transfer(remote, BIG[0]).stream
    settled()
    assert stream.read(10) == BIG[1][:10]
    assert waiting._waiting == 0
    assert read(stream) == BIG[1][10:]
    assert waiting._waiting == 0


def test_heart_beats_on_after_a_connection_broke(monkeypatch) -> None:
    def breaks() -> None:
        raise InterfaceError("connection already closed")

    monkeypatch.setattr("packages.upstream.heartbeats.clock.now", breaks)
    heartbeats._beat({"fence": (Fetch, 1)})


@pytest.mark.parametrize("location", ["http://[::1/", "http://1.2.3/", "ftp://a/?secret"])
def test_redirect_to_what_is_no_address_is_refused(cast, server, location) -> None:
    remote = make_remote(cast.acme.tenant, server, proxy=server.url.rstrip("/"))
    server.always = Reply(status=302, headers={"Location": location})
    with pytest.raises(IndexNotServed, match="leads to what is no"):
        RemoteIndex(remote).page(FROG)


def test_virtual_hands_on_what_its_remote_fetches(remote, server, cast, client) -> None:
    virtual = make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository, remote], by=SYSTEM)
    for repository in (virtual, remote):
        grant(repository, Role.READER, cast.acme.reader)
    server.add_files("frog", BIG)
    published(client, "toad", "1.0", make_wheel("toad", "1.0"), by=cast.acme.writer)
    headers = cast.acme.reader.headers
    page = client.get("/acme/all/simple/frog/", headers=headers | {"Accept": JSON}).json()
    url = urljoin("/acme/all/simple/frog/", page["files"][0]["url"])
    answer = client.get(url, headers=headers)
    assert answer.getvalue() == BIG[1]
    root = client.get("/acme/all/simple/", headers=headers | {"Accept": JSON})
    listed = json.loads(root.getvalue())["projects"]
    assert sorted(each["name"] for each in listed) == ["frog", "toad"]


def test_file_of_an_upstream_that_is_away_costs_no_more_than_a_few_tries(
    remote, server, monkeypatch, time
) -> None:
    server.add_files("frog", *(make_wheel("frog", f"{number}.0") for number in range(6)))
    RemoteIndex(remote).page(FROG)
    tried: list[str] = []

    def away(source, url, *_: Any) -> None:
        tried.append(url)
        raise UpstreamAway("it cannot be connected to.")

    monkeypatch.setattr("packages.upstream.connection._followed", away)
    for number in range(6):
        with pytest.raises(IndexUnavailable):
            fetched(remote, f"frog-{number}.0-py3-none-any.whl")
        settled()
    assert len(tried) == 9  # three files, three times each; then nobody is asked


def test_what_upstream_has_is_not_curated_here(remote, server, cast) -> None:
    server.add_files("frog", SMALL)
    fetched(remote, *digest_of(SMALL))
    settled()
    with pytest.raises(curate.NotPublishedHere, match="is upstream's"):
        curate.delete(Distribution.objects.get(), by=cast.acme.admin.principal)


@pytest.mark.parametrize(("status", "failures"), [(404, 0), (429, 2)])
def test_refusal_of_a_file_proves_that_upstream_is_there(remote, server, status, failures) -> None:
    server.add_files("frog", SMALL)
    server.replies[f"/files/{SMALL[0]}"] = Reply(status=status)
    found = RemoteIndex(remote).open(FROG, SMALL[0])
    UpstreamHealth.objects.update(failures=2)
    assert isinstance(found, Arriving)
    with pytest.raises(IndexUnavailable):
        found.begin()
    settled()
    assert UpstreamHealth.objects.get().failures == failures


def test_circle_of_one_caller_is_no_failure_of_the_file(remote, server) -> None:
    server.add_files("frog", SMALL)
    server.replies[f"/files/{SMALL[0]}"] = Reply(status=508)
    found = RemoteIndex(remote).open(FROG, SMALL[0])
    assert isinstance(found, Arriving)
    with pytest.raises(IndexUnavailable, match="508"):
        found.begin()
    settled()
    assert server.count(f"/files/{SMALL[0]}") == 1
    assert not Fetch.objects.exists()
    server.add_files("frog", SMALL)
    assert fetched(remote, SMALL[0]) == SMALL[1]


def test_circle_of_files_is_noticed(remote, server, cast, client) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", SMALL)
    headers = cast.acme.reader.headers | {"Via": "1.1 pond"}
    url = f"/acme/remote/files/frog/{sha256(SMALL[1])}/{SMALL[0]}"
    assert client.get(url, headers=headers).getvalue() == SMALL[1]
    assert server.asked[-1].path == f"/files/{SMALL[0]}"
    assert server.asked[-1].headers["Via"].startswith("1.1 pond, 1.1 larder-")


def test_reader_goes_on_where_a_dead_process_left_off(remote, server, tmp_path, time) -> None:
    """What its spool has is given out, then the rest of the next fetch."""
    server.add_files("frog", BIG)
    spool = tmp_path / "spool" / "fetch-dead"
    spool.parent.mkdir(exist_ok=True)
    spool.write_bytes(BIG[1][:300_000])
    spool.chmod(0o600)
    Fetch.objects.create(
        repository=remote,
        normalized="frog",
        filename=BIG[0],
        sha256=sha256(BIG[1]),
        fence="dead",
        host=socket.gethostname(),
        spool="dead",
        size=len(BIG[1]),
        heartbeat_at=time.time,
    )
    with spool.open("rb") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        begun = begun_transfer(remote, BIG[0])
        first = begun.stream.read(200_000)
    assert first + read(begun.stream) == BIG[1]
    assert server.count(f"/files/{BIG[0]}") == 1
    assert not spool.exists()


def test_metadata_is_asked_for_once_however_many_want_it(remote, server) -> None:
    raw = b"Metadata-Version: 2.1\nName: frog\nVersion: 1.1\n"
    server.add_files("frog", SMALL, **{"core-metadata": {"sha256": sha256(raw)}})

    def slow(_: Asked) -> Reply:
        real_time.sleep(0.2)
        return Reply(raw)

    server.replies[f"/files/{SMALL[0]}.metadata"] = slow

    def get(_: int) -> bytes:
        try:
            return RemoteIndex(remote).metadata(FROG, SMALL[0])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, range(8))) == {raw}
    assert server.count(f"/files/{SMALL[0]}.metadata") == 1
    assert not Fetch.objects.exists()


def test_scopes_keep_files_of_one_name_apart(cast, server, time) -> None:
    remote = make_remote(cast.acme.tenant, server, scopes=["root/*"])
    for scope, content in (("root/a", b"a" * 1000), ("root/b", b"b" * 1000)):
        link = f'<a href="/{scope}/{SDIST[0]}#sha256={sha256(content)}">x</a>'
        server.add_html(f"/{scope}/simple/frog/", link)
        server.replies[f"/{scope}/{SDIST[0]}"] = Reply(content)
        found = RemoteIndex(remote, scope).open(FROG, SDIST[0])
        assert isinstance(found, Arriving)
        begun = found.begin()
        assert isinstance(begun, Transfer)
        assert read(begun.stream) == content
        settled()
    digests = {}
    for scope in ("root/a", "root/b"):
        stored = RemoteIndex(remote, scope).open(FROG, SDIST[0])
        assert isinstance(stored, Stored)
        digests[scope] = stored.sha256
    assert digests == {"root/a": sha256(b"a" * 1000), "root/b": sha256(b"b" * 1000)}
    # No archives, either: what upstream serves is served, and what is odd about it noted.
    assert all(row.findings for row in Distribution.objects.all())


def test_head_of_a_file_of_unknown_size_is_answered_once_it_is_here(
    remote, server, cast, client
) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_html("/simple/frog/", f'<a href="/f/{SDIST[0]}">{SDIST[0]}</a>')
    server.replies[f"/f/{SDIST[0]}"] = Reply(SDIST[1])
    url = f"/acme/remote/files/frog/{SDIST[0]}"
    head = client.head(url, headers=cast.acme.reader.headers)
    assert head.headers["Content-Length"] == str(len(SDIST[1]))
    assert head.headers["ETag"] == f'"{sha256(SDIST[1])}"'


def test_file_of_unknown_size_is_whole_before_an_old_client_gets_it(
    remote, server, cast, client
) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_html("/simple/frog/", f'<a href="/f/{SDIST[0]}">{SDIST[0]}</a>')
    server.replies[f"/f/{SDIST[0]}"] = Reply(iter([SDIST[1]]), length=None)
    url = f"/acme/remote/files/frog/{SDIST[0]}"
    answer = client.get(url, headers=cast.acme.reader.headers, SERVER_PROTOCOL="HTTP/1.0")
    assert answer.headers["Content-Length"] == str(len(SDIST[1]))
    assert answer.getvalue() == SDIST[1]


def test_refusal_of_a_wrong_file_says_why_in_reason_and_body(remote, server, cast, client) -> None:
    grant(remote, Role.READER, cast.acme.reader)
    server.add_files("frog", SMALL)
    server.replies[f"/files/{SMALL[0]}"] = Reply(SMALL[1] + b"more")
    url = f"/acme/remote/files/frog/{sha256(SMALL[1])}/{SMALL[0]}"
    for _ in range(2):
        answer = client.get(url, headers=cast.acme.reader.headers)
        assert answer.status_code == 502
        assert f"lists {SMALL[0]} with {len(SMALL[1])} bytes and sends" in answer.reason_phrase
        assert answer.content.decode().strip() == answer.reason_phrase
    assert server.count(f"/files/{SMALL[0]}") == 1
