"""Upstream spells the name of a file anew that is kept here: it is one file, not two."""

from __future__ import annotations

import hashlib

import pytest

from packages.filenames import parse_name
from packages.index.base import Arriving, FileNotFound, Stored, Transfer
from packages.index.remote import RemoteIndex
from packages.models import Distribution
from tests.dists import make_sdist, make_wheel
from tests.packages.fetching import settled
from tests.upstreams import Reply, Server, json_line, make_remote, serving

pytestmark = pytest.mark.django_db(transaction=True)

NAME = parse_name("green-frog")
KEPT, CONTENT = make_sdist("green-frog", "1.0", spelled="Green.Frog")
ANEW = "green_frog-1.0.tar.gz"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def remote(cast, server: Server, time):
    """A remote that keeps the file as `Green.Frog-1.0.tar.gz`."""
    repository = make_remote(cast.acme.tenant, server)
    server.add_files("green-frog", (KEPT, CONTENT))
    begun = opened(repository, KEPT)
    assert isinstance(begun, Transfer)
    while begun.stream.read():
        pass
    begun.stream.close()
    settled()
    time.move(seconds=601)
    return repository


def opened(remote, filename: str, digest: str = "") -> Stored | Transfer:
    found = RemoteIndex(remote).open(NAME, filename, digest)
    return found.begin() if isinstance(found, Arriving) else found


def page_of(remote) -> dict[str, tuple[str, str | None]]:
    files = RemoteIndex(remote).page(NAME).files
    return {file.filename: (file.sha256, file.yanked_reason) for file in files}


def test_the_kept_bytes_are_given_out_under_the_name_that_upstream_lists(remote, server) -> None:
    server.add_files("green-frog", (ANEW, CONTENT))
    assert page_of(remote) == {ANEW: (DIGEST, None)}
    for digest in ("", DIGEST):
        found = opened(remote, ANEW, digest)
        assert isinstance(found, Stored)
        assert (found.filename, found.sha256) == (ANEW, DIGEST)
    assert server.count(f"/files/{ANEW}") == 0
    assert Distribution.objects.get().upstream_change == ""


def test_locks_with_the_old_name_go_on_working(remote, server) -> None:
    server.add_files("green-frog", (ANEW, CONTENT))
    assert page_of(remote) == {ANEW: (DIGEST, None)}
    found = opened(remote, KEPT, DIGEST)
    assert isinstance(found, Stored)
    assert found.filename == KEPT


def test_a_line_without_sha256_is_of_the_kept_file_by_another_digest(remote, server) -> None:
    line = json_line(ANEW, CONTENT) | {"hashes": {"md5": hashlib.md5(CONTENT).hexdigest()}}  # noqa: S324 - as old indexes have it
    server.add_page("green-frog", [line])
    assert page_of(remote) == {ANEW: (DIGEST, None)}
    assert isinstance(opened(remote, ANEW, DIGEST), Stored)


def test_other_bytes_under_the_new_name_are_not_taken_and_marked(remote, server) -> None:
    server.add_files("green-frog", (ANEW, b"other bytes"))
    assert page_of(remote) == {KEPT: (DIGEST, None)}
    assert Distribution.objects.get().upstream_change == "other-bytes"
    with pytest.raises(FileNotFound, match=f"is kept in acme/remote as {KEPT}"):
        opened(remote, ANEW)


def test_a_second_spelling_beside_the_first_is_not_shown(remote, server) -> None:
    server.add_files("green-frog", (KEPT, CONTENT), (ANEW, b"other bytes"))
    assert page_of(remote) == {KEPT: (DIGEST, None)}
    with pytest.raises(FileNotFound, match="no file"):
        opened(remote, ANEW)


def test_a_yank_under_the_new_name_is_a_yank_of_the_kept_file(remote, server) -> None:
    server.add_page("green-frog", [json_line(ANEW, CONTENT) | {"yanked": "bad"}])
    assert page_of(remote) == {ANEW: (DIGEST, "bad")}
    assert Distribution.objects.get().upstream_change == "yanked"


def test_metadata_of_the_kept_file_is_served_under_the_new_name(cast, server, time) -> None:
    remote = make_remote(cast.acme.tenant, server)
    old, content = make_wheel("green-frog", "1.0", spelled="Green.Frog")
    server.add_files("green-frog", (old, content))
    begun = opened(remote, old)
    assert isinstance(begun, Transfer)
    while begun.stream.read():
        pass
    begun.stream.close()
    settled()
    time.move(seconds=601)
    new = "green_frog-1.0-py3-none-any.whl"
    server.replies[f"/files/{new}"] = Reply(content)
    server.add_page("green-frog", [json_line(new, content)])
    (file,) = RemoteIndex(remote).page(NAME).files
    raw = RemoteIndex(remote).metadata(NAME, new, file.sha256)
    assert file.filename == new
    assert hashlib.sha256(raw).hexdigest() == file.metadata_sha256
