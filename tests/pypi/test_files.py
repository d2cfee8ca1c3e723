"""Files as clients fetch them: whole, in parts, conditionally, and their metadata beside them."""

from __future__ import annotations

import hashlib
import zipfile
from http import HTTPStatus
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from packages import curate
from packages.models import Distribution
from pypi import files
from tests.cast import Cast, grant
from tests.dists import make_sdist, make_wheel
from tests.uploads import published

WHEEL = make_wheel("frog", "1.0", files={"frog/data.bin": bytes(range(256)) * 64})
CONTENT = WHEEL[1]
SHA256 = hashlib.sha256(CONTENT).hexdigest()
EXACT = f"/acme/local/files/frog/{SHA256}/{WHEEL[0]}"
PRESENT = f"/acme/local/files/frog/{WHEEL[0]}"


@pytest.fixture
def frog(client: Client, cast: Cast) -> Cast:
    """One published wheel."""
    published(client, "frog", "1.0", WHEEL, by=cast.acme.writer)
    return cast


@pytest.fixture(autouse=True, params=["in one piece", "as a stream"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All here is true of small files and of large ones."""
    if request.param == "as a stream":
        monkeypatch.setattr(files, "_HELD_AT_MOST", -1)


def get(client: Client, url: str, cast: Cast, **headers: str) -> Any:
    """Return the answer with its body read, whether it was a stream or not."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    response: Any = client.get(url, headers=cast.acme.reader.headers | sent)
    response.body = response.getvalue()
    return response


@pytest.mark.parametrize("url", [EXACT, PRESENT])
def test_a_file_comes_whole(client: Client, frog: Cast, url: str) -> None:
    response = get(client, url, frog)
    assert (response.status_code, response.body) == (HTTPStatus.OK, CONTENT)
    assert response.headers["Content-Length"] == str(len(CONTENT))
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["ETag"] == f'"{SHA256}"'
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{WHEEL[0]}"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Encoding" not in response.headers


def test_only_a_url_with_the_digest_is_kept_for_ever(client: Client, frog: Cast) -> None:
    assert get(client, EXACT, frog).headers["Cache-Control"] == (
        "private, max-age=365000000, immutable"
    )
    assert get(client, PRESENT, frog).headers["Cache-Control"] == "private, no-cache"
    grant(frog.acme.repository, Role.READER)
    anonymous = client.get(EXACT)
    anonymous.close()
    assert anonymous.headers["Cache-Control"].startswith("public, ")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-9", 0, 9), ("bytes=100-", 100, None), ("bytes=-100", -100, None)],
)
def test_a_part_of_a_file(
    client: Client, frog: Cast, asked: str, start: int, end: int | None
) -> None:
    response = get(client, EXACT, frog, Range=asked)
    expected = CONTENT[start : None if end is None else end + 1]
    assert (response.status_code, response.body) == (HTTPStatus.PARTIAL_CONTENT, expected)
    first = start if start >= 0 else len(CONTENT) + start
    last = first + len(expected) - 1
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response.headers["Content-Length"] == str(len(expected))


def test_a_part_beyond_the_end(client: Client, frog: Cast) -> None:
    response = get(client, EXACT, frog, Range=f"bytes={len(CONTENT)}-")
    assert response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    assert response.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


def test_a_part_of_other_bytes_is_the_whole(client: Client, frog: Cast) -> None:
    same = get(client, EXACT, frog, Range="bytes=0-1", If_Range=f'"{SHA256}"')
    other = get(client, EXACT, frog, Range="bytes=0-1", If_Range='"other"')
    assert (same.status_code, other.status_code) == (206, 200)
    assert other.body == CONTENT


def test_a_range_means_nothing_to_head(client: Client, frog: Cast) -> None:
    headers = frog.acme.reader.headers | {"Range": "bytes=0-1"}
    assert client.head(EXACT, headers=headers).status_code == HTTPStatus.OK


def test_head_says_what_get_would(client: Client, frog: Cast) -> None:
    whole = get(client, EXACT, frog)
    head = client.head(EXACT, headers=frog.acme.reader.headers)
    assert head.status_code == HTTPStatus.OK
    assert head.getvalue() == b""
    for name in ("Content-Length", "ETag", "Accept-Ranges", "Content-Type"):
        assert head.headers[name] == whole.headers[name]


def test_bytes_that_the_caller_has_are_not_sent_again(client: Client, frog: Cast) -> None:
    first = get(client, EXACT, frog)
    for sent in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_Modified_Since": first.headers["Last-Modified"]},
    ):
        again = get(client, EXACT, frog, **sent)
        assert (again.status_code, again.body) == (HTTPStatus.NOT_MODIFIED, b"")
    stale = get(client, EXACT, frog, If_Modified_Since="Fri, 20 Nov 2020 12:00:00 GMT")
    odd = get(client, EXACT, frog, If_Modified_Since="yesterday")
    assert (stale.status_code, odd.status_code) == (200, 200)


@pytest.mark.parametrize("url", [EXACT, PRESENT])
def test_the_metadata_is_what_stands_in_the_wheel(client: Client, frog: Cast, url: str) -> None:
    inside = zipfile.ZipFile(BytesIO(CONTENT)).read("frog-1.0.dist-info/METADATA")
    response = get(client, f"{url}.metadata", frog)
    assert response.body == inside
    page = client.get(
        "/acme/local/simple/frog/",
        headers=frog.acme.reader.headers | {"Accept": "application/vnd.pypi.simple.v1+json"},
    )
    advertised = page.json()["files"][0]["core-metadata"]["sha256"]
    assert hashlib.sha256(inside).hexdigest() == advertised


def test_metadata_that_may_be_another_at_the_next_build_is_not_given_out(
    client: Client, cast: Cast
) -> None:
    for version, extra in (
        ("1.0", {"metadata_version": "2.1"}),
        ("2.0", {"dynamic": ["Requires-Dist"]}),
    ):
        file = make_sdist("toad", version, **extra)
        published(client, "toad", version, file, by=cast.acme.writer)
        assert get(client, f"/acme/local/files/toad/{file[0]}.metadata", cast).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "/acme/local/files/frog/frog-9.0-py3-none-any.whl",
        "/acme/local/files/frog/frog-9.0-py3-none-any.whl.metadata",
        f"/acme/local/files/frog/{'0' * 64}/{WHEEL[0]}",
        f"/acme/local/files/frog/{'0' * 64}/{WHEEL[0]}.metadata",
        f"/acme/local/files/toad/{WHEEL[0]}",
        f"/acme/local/files/frog/{SHA256[:63]}/{WHEEL[0]}",
        "/acme/local/files/frog/..%2f..%2fsecret_key",
        "/acme/local/files/frog/%00",
    ],
)
def test_what_is_not_there_is_404(client: Client, frog: Cast, url: str) -> None:
    assert get(client, url, frog).status_code == HTTPStatus.NOT_FOUND


def test_a_deleted_file_is_gone_at_once_and_comes_back(client: Client, frog: Cast) -> None:
    row = Distribution.objects.get()
    curate.delete(row, by=frog.acme.admin.principal)
    gone = get(client, EXACT, frog)
    assert gone.status_code == HTTPStatus.NOT_FOUND
    assert "was deleted" in gone.reason_phrase
    curate.restore(Distribution.objects.get(), by=frog.acme.admin.principal)
    assert get(client, EXACT, frog).body == CONTENT


def test_a_yanked_file_is_still_given_out(client: Client, frog: Cast) -> None:
    curate.yank(Distribution.objects.get(), reason="bad", by=frog.acme.writer.principal)
    assert get(client, EXACT, frog).status_code == HTTPStatus.OK


def test_files_are_for_readers(client: Client, frog: Cast) -> None:
    for url in (EXACT, PRESENT, f"{EXACT}.metadata"):
        assert client.get(url).status_code == HTTPStatus.UNAUTHORIZED
        for who in (frog.acme.member, frog.globex.admin):
            assert client.get(url, headers=who.headers).status_code == HTTPStatus.FORBIDDEN


def test_nginx_sends_the_file_where_it_is_told_to(client: Client, frog: Cast, settings) -> None:
    settings.ACCEL_PREFIX = "/-/blobs"
    response = get(client, EXACT, frog)
    blob = Distribution.objects.get().blob
    assert blob is not None
    assert response.headers["X-Accel-Redirect"] == f"/-/blobs/{blob.storage_key}"
    assert response.body == b""


def test_lost_bytes_are_our_fault_and_said_so(client: Client, frog: Cast, tmp_path) -> None:
    blob = Distribution.objects.get().blob
    assert blob is not None
    (tmp_path / "blobs" / blob.storage_key).unlink()
    response = get(client, EXACT, frog)
    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "Storage does not have this file" in response.reason_phrase


@pytest.mark.parametrize(("ending", "queries"), [("", 5), (".metadata", 6)])
def test_a_file_costs_the_same_however_much_there_is(
    client: Client, frog: Cast, django_assert_num_queries, ending: str, queries: int
) -> None:
    for number in range(5):
        version = f"2.{number}"
        published(client, "frog", version, make_wheel("frog", version), by=frog.acme.writer)
    get(client, EXACT, frog)  # notes the token's use
    with django_assert_num_queries(queries):
        assert get(client, EXACT + ending, frog).status_code == HTTPStatus.OK
