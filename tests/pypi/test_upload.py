"""Uploads over HTTP: what every publishing client sends, and what it hears."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus

import pytest
from django.test import Client

from accounts import tokens
from accounts.roles import Role
from base.audit import SYSTEM
from packages import curate
from packages.models import Distribution, LooseObject, Project
from repos import configure
from repos.models import Kind
from tests.cast import Cast, Member, basic, grant, make_repository
from tests.dists import make_dumb, make_egg, make_sdist, make_wheel
from tests.uploads import form_body, post_form, published, twine_fields, upload


def nothing_is_left(cast: Cast) -> bool:
    """Say whether a refused upload has left no row and no file behind."""
    rows = Distribution.objects.exists() or LooseObject.objects.exists()
    cast.acme.tenant.refresh_from_db()
    return not rows and cast.acme.tenant.used_bytes == 0


def test_an_upload_is_listed_when_it_is_answered(client: Client, cast: Cast) -> None:
    name = published(client, "frog-fu", "1.0", make_wheel("frog-fu", "1.0"), by=cast.acme.writer)
    page = client.get(
        "/acme/local/simple/frog-fu/",
        headers=cast.acme.reader.headers | {"Accept": "application/vnd.pypi.simple.v1+json"},
    )
    assert [file["filename"] for file in page.json()["files"]] == [name]


@pytest.mark.parametrize("url", ["/acme/local/", "/acme/local", "/acme/local//"])
def test_a_slash_too_few_or_too_many_costs_nobody_an_upload(
    client: Client, cast: Cast, url: str
) -> None:
    response = upload(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer, to=url)
    assert response.status_code == HTTPStatus.OK


# Recorded from the clients of November 2026: the fields, their order and their odd values.
RECORDED: dict[str, tuple[list[tuple[str, str]], str | None, list[tuple[str, str]]]] = {
    "uv": (
        [
            (":action", "file_upload"),
            ("sha256_digest", "{sha256}"),
            ("blake2_256_digest", "{blake2}"),
            ("protocol_version", "1"),
            ("metadata_version", "2.4"),
            ("name", "frog-fu"),
            ("version", "1.0"),
            ("filetype", "bdist_wheel"),
            ("pyversion", "py3"),
            ("requires_python", ""),
            ("import_names", "frog_fu"),
        ],
        None,  # the file's part has no Content-Type
        [],
    ),
    "poetry": (
        [
            ("name", "frog-fu"),
            ("version", "1.0"),
            ("filetype", "bdist_wheel"),
            ("pyversion", "py3"),
            ("md5_digest", "{md5}"),
            ("sha256_digest", "{sha256}"),
            ("blake2_256_digest", "{blake2}"),
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("classifiers", "Programming Language :: Python :: 3"),
            ("classifiers", "Private :: Do Not Upload"),
        ],
        "application/octet-stream",
        [],
    ),
    "flit": (
        [
            (":action", "file_upload"),
            ("name", "frog-fu"),
            ("version", "1.0"),
            ("metadata_version", "2.3"),
            ("md5_digest", "{md5}"),
            ("filetype", "bdist_wheel"),
            ("pyversion", "py3"),
            ("sha256_digest", "{sha256}"),
            ("provides", "frog_fu"),
        ],
        None,
        [],
    ),
    # The file stands in mid-form, the digests follow, and the BLAKE2 one is 128 digits long.
    "distutils": (
        [
            (":action", "file_upload"),
            ("protocol_version", "1"),
            ("name", "frog-fu"),
            ("version", "1.0"),
        ],
        None,
        [
            ("filetype", "bdist_wheel"),
            ("pyversion", "3.11"),
            ("metadata_version", "1.0"),
            ("summary", "UNKNOWN"),
            ("home_page", "UNKNOWN"),
            ("author", "UNKNOWN"),
            ("comment", ""),
            ("md5_digest", "{md5}"),
            ("sha256_digest", "{sha256}"),
            ("blake2_256_digest", "{blake2_512}"),
        ],
    ),
}


@pytest.mark.parametrize("filetype", ["bdist_rpm", "bdist_dumb", "sdist"])
def test_a_kind_that_is_told_behind_the_file_counts(
    client: Client, cast: Cast, filetype: str
) -> None:
    filename, content = WHEEL
    before = [(":action", "file_upload"), ("name", "frog"), ("version", "1.0")]
    body = form_body(before, filename=filename, content=content, after=[("filetype", filetype)])
    response = post_form(client, body, to="/acme/local/", by=cast.acme.writer)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert not Distribution.objects.exists()


@pytest.mark.parametrize("recorded", RECORDED)
def test_each_clients_form_is_taken(client: Client, cast: Cast, recorded: str) -> None:
    filename, content = make_wheel("frog-fu", "1.0")
    digests = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "blake2": hashlib.blake2b(content, digest_size=32).hexdigest(),
        "blake2_512": hashlib.blake2b(content).hexdigest(),
    }
    before, content_type, after = RECORDED[recorded]
    body = form_body(
        [(name, value.format(**digests)) for name, value in before],
        filename=filename,
        content=content,
        content_type=content_type,
        after=[(name, value.format(**digests)) for name, value in after],
    )
    response = post_form(client, body, to="/acme/local/", by=cast.acme.writer)
    assert (response.status_code, response.reason_phrase) == (HTTPStatus.OK, "OK")
    assert Distribution.objects.get().sha256 == digests["sha256"]


@pytest.mark.parametrize(
    ("file", "version"),
    [
        (make_wheel("frog-fu", "1.0"), "1.0"),
        (make_wheel("frog-fu", "1.0", tag="cp311-cp311-linux_x86_64"), "1.0"),
        (make_wheel("frog-fu", "1.0+acme.1"), "1.0+acme.1"),
        (make_wheel("frog-fu", "1!2.0.dev3"), "1!2.0.dev3"),
        (make_wheel("frog-fu", "1.0rc1", metadata_version="2.6"), "1.0rc1"),
        (make_wheel("frog-fu", "1.0", metadata_version="3.7"), "1.0"),
        (make_sdist("frog-fu", "1.0"), "1.0"),
        (make_sdist("frog-fu", "1.0.post2", format="zip"), "1.0.post2"),
        (make_sdist("frog-fu", "1.0", format="tar"), "1.0"),
        (make_sdist("frog-fu", "1.0", format="tgz"), "1.0"),
        (make_sdist("frog-fu", "1.0", format="tar.bz2"), "1.0"),
        (make_egg("frog-fu", "1.0"), "1.0"),
        (make_dumb("frog-fu", "1.0"), "1.0"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_each_kind_of_archive_goes_in(
    client: Client, cast: Cast, file: tuple[str, bytes], version: str
) -> None:
    kinds = {"whl": "bdist_wheel", "egg": "bdist_egg"}
    filetype = kinds.get(file[0].rpartition(".")[2], "sdist")
    if "linux-x86_64" in file[0]:
        filetype = "bdist_dumb"
    response = upload(
        client, "frog-fu", version, file, by=cast.acme.writer, change={"filetype": filetype}
    )
    assert response.status_code == HTTPStatus.OK, response.reason_phrase
    row = Distribution.objects.get()
    assert row.release is not None
    assert (row.filename, row.release.version) == (file[0], version)


def test_a_long_form_with_a_long_description_goes_in(client: Client, cast: Cast) -> None:
    filename, content = make_wheel("frog", "1.0")
    fields = twine_fields("frog", "1.0", filename, content)
    fields += [("requires_dist", f"dependency-{number}>=1") for number in range(1200)]
    fields += [("description", "ü" * 1_500_000), ("author", "Zoë Ångström")]
    body = form_body(fields, filename=filename, content=content)
    response = post_form(client, body, to="/acme/local/", by=cast.acme.writer)
    assert response.status_code == HTTPStatus.OK


def test_the_same_bytes_again_change_nothing(client: Client, cast: Cast) -> None:
    file = make_wheel("frog", "1.0")
    published(client, "frog", "1.0", file, by=cast.acme.writer)
    serial = Project.objects.get().changed
    again = upload(client, "frog", "1.0", file, by=cast.acme.writer)
    assert again.status_code == HTTPStatus.OK
    assert b"nothing was changed" in again.content
    assert Project.objects.get().changed == serial
    assert Distribution.objects.count() == 1


def test_other_bytes_under_the_same_name_are_refused_in_words_that_clients_know(
    client: Client, cast: Cast
) -> None:
    first = make_wheel("frog", "1.0")
    second = make_wheel("frog", "1.0", description="other")
    published(client, "frog", "1.0", first, by=cast.acme.writer)
    for accept in ("*/*", "application/problem+json, application/json;q=0.9"):
        response = upload(client, "frog", "1.0", second, by=cast.acme.writer, Accept=accept)
        assert response.status_code == HTTPStatus.BAD_REQUEST
        assert response.reason_phrase.startswith("File already exists")
        assert response.headers["Content-Type"] != "application/problem+json"
        for content in (first[1], second[1]):
            assert hashlib.sha256(content).hexdigest() in response.content.decode()


def test_another_spelling_of_the_name_is_the_same_file(client: Client, cast: Cast) -> None:
    published(client, "frog-fu", "1.0", make_wheel("frog-fu", "1.0"), by=cast.acme.writer)
    other = make_wheel("Frog.Fu", "1.0", spelled="Frog.Fu", description="other")
    response = upload(client, "Frog.Fu", "1.0", other, by=cast.acme.writer)
    assert response.reason_phrase.startswith("File already exists")


def test_a_deleted_file_keeps_its_name(client: Client, cast: Cast) -> None:
    file = make_wheel("frog", "1.0")
    published(client, "frog", "1.0", file, by=cast.acme.writer)
    curate.delete(Distribution.objects.get(), by=cast.acme.admin.principal)
    for again in (file, make_wheel("frog", "1.0", description="other")):
        response = upload(client, "frog", "1.0", again, by=cast.acme.writer)
        assert response.status_code == HTTPStatus.BAD_REQUEST
        assert "deleted" in response.reason_phrase
        assert "Restore" in response.reason_phrase


WHEEL = make_wheel("frog", "1.0")


@pytest.mark.parametrize(
    ("change", "file", "says"),
    [
        ({"name": ""}, WHEEL, "no name"),
        ({"version": ""}, WHEEL, "no version"),
        ({"name": "-frog"}, WHEEL, "not a project name"),
        ({"summary": "a\x00b"}, WHEEL, "holds a NUL"),
        ({"version": "one"}, WHEEL, "not a version"),
        ({"name": "toad"}, WHEEL, "toad"),
        ({"version": "2.0"}, WHEEL, "2.0"),
        ({"filetype": "sdist"}, WHEEL, "filetype"),
        ({"filetype": "bdist_wininst"}, WHEEL, "bdist_wininst"),
        ({"sha256_digest": "0" * 64}, WHEEL, "arrived damaged"),
        ({"md5_digest": "0" * 32}, WHEEL, "arrived damaged"),
        ({"blake2_256_digest": "0" * 64}, WHEEL, "arrived damaged"),
        ({":action": "explode"}, WHEEL, "file_upload"),
        ({}, ("frog-1.0.exe", b"MZ"), "must end in"),
        ({}, ("../frog-1.0-py3-none-any.whl", WHEEL[1]), "/"),
        ({}, ("frog-1.0-py3-none-any.whl", b"<html>Sign in</html>"), "frog-1.0"),
        ({}, ("frog-1.0-py3-none-any.whl", b""), "frog-1.0"),
        ({}, ("frog-1.0-py3-none-any.whl", make_wheel("toad", "1.0")[1]), "frog"),
        ({}, ("frog-1.0-py3-none-any.whl", make_wheel("frog", "2.0")[1]), "frog"),
        ({"filetype": "sdist"}, ("frog-1.0.tar.gz", WHEEL[1]), "frog-1.0.tar.gz"),
        (
            {},
            make_wheel("frog", "1.0", requires_python=">=3" + "," + ">=3," * 200 + ">=3"),
            "Requires-Python",
        ),
    ],
)
def test_a_broken_upload_is_refused_with_its_reason_and_leaves_nothing(
    client: Client, cast: Cast, change: dict[str, str], file: tuple[str, bytes], says: str
) -> None:
    response = upload(client, "frog", "1.0", file, by=cast.acme.writer, change=change)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert says in response.reason_phrase
    assert response.reason_phrase in response.content.decode().replace("\n", " ")
    assert nothing_is_left(cast)


def test_an_archive_of_another_project_is_refused_even_if_it_says_the_right_file_name(
    client: Client, cast: Cast
) -> None:
    filename, content = make_sdist("toad", "1.0", spelled="frog")
    if filename != "frog-1.0.tar.gz":
        filename = "frog-1.0.tar.gz"
    response = upload(
        client, "frog", "1.0", (filename, content), by=cast.acme.writer,
        change={"filetype": "sdist"},
    )  # fmt: skip
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert nothing_is_left(cast)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"x", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    client: Client, cast: Cast, body: bytes, content_type: str
) -> None:
    response = client.generic(
        "POST", "/acme/local/", body, content_type=content_type, headers=cast.acme.writer.headers
    )
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert nothing_is_left(cast)


def test_a_form_that_is_cut_off_is_refused(client: Client, cast: Cast) -> None:
    filename, content = WHEEL
    body = form_body(twine_fields("frog", "1.0", filename, content), filename=filename,
                     content=content)  # fmt: skip
    for length in (len(body) - 4, len(body) - len(content), 100):
        response = post_form(client, body[:length], to="/acme/local/", by=cast.acme.writer)
        assert response.status_code == HTTPStatus.BAD_REQUEST
        assert nothing_is_left(cast)


def test_two_files_in_one_form_are_refused(client: Client, cast: Cast) -> None:
    filename, content = WHEEL
    body = form_body(twine_fields("frog", "1.0", filename, content), filename=filename,
                     content=content)  # fmt: skip
    second = form_body([], filename=filename, content=content)
    both = body[: body.rindex(b"--0123")] + second
    response = post_form(client, both, to="/acme/local/", by=cast.acme.writer)
    assert response.reason_phrase == "The form has more than one file."
    assert nothing_is_left(cast)


def test_a_file_over_the_limit_is_refused_while_it_comes(client: Client, cast: Cast) -> None:
    cast.acme.repository.max_file_bytes = 200
    configure.change_repository(cast.acme.repository, by=SYSTEM)
    response = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer)
    assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert "200 bytes" in response.reason_phrase
    assert nothing_is_left(cast)


@pytest.mark.parametrize("limit", ["max_file_bytes", "quota_bytes"])
def test_a_small_file_before_a_long_description_is_not_too_large(
    client: Client, cast: Cast, limit: str
) -> None:
    if limit == "quota_bytes":
        cast.acme.tenant.quota_bytes = 1_000_000
        cast.acme.tenant.save()
    else:
        cast.acme.repository.max_file_bytes = 1_000_000
        configure.change_repository(cast.acme.repository, by=SYSTEM)
    filename, content = WHEEL
    body = form_body(
        twine_fields("frog", "1.0", filename, content),
        filename=filename,
        content=content,
        after=[("description", "frogs are green\n" * 200_000)],
    )
    response = post_form(client, body, to="/acme/local/", by=cast.acme.writer)
    assert response.status_code == HTTPStatus.OK, response.reason_phrase


def test_a_full_tenant_takes_no_more(client: Client, cast: Cast) -> None:
    cast.acme.tenant.quota_bytes = len(WHEEL[1])
    cast.acme.tenant.save()
    published(client, "frog", "1.0", WHEEL, by=cast.acme.writer)
    response = upload(client, "frog", "2.0", make_wheel("frog", "2.0"), by=cast.acme.writer)
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "no room" in response.reason_phrase
    cast.acme.tenant.refresh_from_db()
    assert cast.acme.tenant.used_bytes == len(WHEEL[1])
    assert Distribution.objects.count() == 1


@pytest.mark.parametrize("status", [Project.Status.ARCHIVED, Project.Status.QUARANTINED])
def test_a_closed_project_takes_no_uploads(client: Client, cast: Cast, status: str) -> None:
    published(client, "frog", "1.0", WHEEL, by=cast.acme.writer)
    curate.set_status(
        Project.objects.get(),
        status=Project.Status(status),
        reason="use toad",
        by=cast.acme.admin.principal,
    )
    response = upload(client, "frog", "2.0", make_wheel("frog", "2.0"), by=cast.acme.writer)
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert response.reason_phrase == f"frog is {status} and takes no uploads: use toad."


def test_who_may_publish_and_what_the_others_hear(client: Client, cast: Cast) -> None:
    house = cast.acme
    cases: list[tuple[Member | None, int, str]] = [
        (None, 401, "Sign in"),
        (house.member, 403, "You may not publish to acme/local. Ask ada."),
        (house.reader, 403, "You may read acme/local but not publish to it. Ask ada."),
        (cast.globex.writer, 403, "There is no repository acme/local that you may use."),
        (house.writer, 200, "OK"),
        (house.admin, 200, "OK"),
    ]
    for who, status, says in cases:
        response = upload(client, "frog", "1.0", WHEEL, by=who)
        assert (response.status_code, response.reason_phrase[: len(says)]) == (status, says)


def test_anonymous_callers_get_a_challenge(client: Client, cast: Cast) -> None:
    response = upload(client, "frog", "1.0", WHEEL, by=None)
    assert response.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_wrong_token_is_refused_on_a_public_repository_too(client: Client, cast: Cast) -> None:
    grant(cast.acme.repository, Role.READER)
    tokens.revoke(cast.acme.writer.token, by=SYSTEM)
    assert upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer).status_code == 401
    page = client.get("/acme/local/simple/", headers=cast.acme.writer.headers)
    assert page.status_code == HTTPStatus.UNAUTHORIZED
    assert client.get("/acme/local/simple/").status_code == HTTPStatus.OK


def test_a_token_with_project_patterns_publishes_those_alone(client: Client, cast: Cast) -> None:
    token = cast.acme.writer.token
    token.project_patterns = ["acme-*"]
    tokens.change(token, by=SYSTEM)
    refused = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer)
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert "token" in refused.reason_phrase
    file = make_wheel("acme-frog", "1.0")
    assert upload(client, "Acme_Frog", "1.0", file, by=cast.acme.writer).status_code == 200


def test_the_session_cookie_counts_for_nothing(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.writer.user)
    assert upload(client, "frog", "1.0", WHEEL, by=None).status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_uploads_nothing(client: Client, cast: Cast, site: str) -> None:
    response = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer, Sec_Fetch_Site=site)
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert nothing_is_left(cast)


def test_a_repository_that_is_not_there_is_404_to_its_own_people(
    client: Client, cast: Cast
) -> None:
    response = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer, to="/acme/none/")
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert response.reason_phrase == "There is no repository acme/none."


@pytest.mark.parametrize("kind", [Kind.REMOTE, Kind.VIRTUAL])
def test_what_is_not_local_takes_no_uploads(client: Client, cast: Cast, kind: Kind) -> None:
    other = make_repository(cast.acme.tenant, "other", kind)
    grant(other, Role.WRITER, cast.acme.writer)
    response = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer, to="/acme/other/")
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert f"acme/other is a {kind} repository" in response.reason_phrase


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/plain; charset=utf-8"),  # twine
        ("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", "application/json"),  # uv
        ("application/problem+json", "application/problem+json"),
    ],
)
def test_each_client_gets_the_sentence_where_it_looks(
    client: Client, cast: Cast, accept: str, content_type: str
) -> None:
    sentence = "You may read acme/local but not publish to it. Ask ada."
    response = upload(client, "frog", "1.0", WHEEL, by=cast.acme.reader, Accept=accept)
    assert response.reason_phrase == sentence
    assert response.headers["Content-Type"] == content_type
    if content_type == "application/json":
        assert response.json() == {"code": f"403 {sentence}", "message": sentence}
    elif content_type == "application/problem+json":
        assert response.json()["detail"] == sentence
    else:
        assert response.content.decode() == f"{sentence}\n"


@pytest.mark.parametrize("action", ["submit", "submit_pkg_info", "doc_upload"])
def test_old_announcements_are_not_needed(client: Client, cast: Cast, action: str) -> None:
    boundary = "0123456789abcdef0123456789abcdef"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name=":action"\r\n\r\n{action}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\nfrog\r\n'
        f"--{boundary}--\r\n"
    ).encode()
    response = post_form(client, body, to="/acme/local/", by=cast.acme.writer)
    assert response.status_code == HTTPStatus.GONE
    assert action in response.reason_phrase


@pytest.mark.parametrize(
    "url",
    [
        "/artifactory/api/pypi/local",
        "/artifactory/api/pypi/local/",
        "/artifactory/pypi/local/",
        "/api/pypi/local/",
        "/pypi/",
        "/pypi",
    ],
)
def test_other_forms_of_the_url_reach_the_default_tenant(
    client: Client, cast: Cast, settings, url: str
) -> None:
    settings.DEFAULT_TENANT = "acme"
    settings.DEFAULT_REPOSITORY = ("acme", "local")
    response = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer, to=url)
    assert response.status_code == HTTPStatus.OK
    below = f"{url.rstrip('/')}/simple/frog/"
    page = client.get(below, headers=cast.acme.reader.headers)
    assert WHEEL[0] in page.content.decode()


def test_a_host_name_selects_its_tenant(client: Client, cast: Cast) -> None:
    cast.globex.tenant.host_name = "packages.globex.example"
    cast.globex.tenant.save()
    response = upload(
        client, "frog", "1.0", WHEEL, by=cast.globex.writer,
        to="/artifactory/api/pypi/local/", Host="packages.globex.example:8443",
    )  # fmt: skip
    assert response.status_code == HTTPStatus.OK
    assert str(Distribution.objects.get().repository) == "globex/local"


def test_passwords_work_as_tokens_do(client: Client, cast: Cast) -> None:
    user = cast.acme.writer.user
    user.set_password("a-long-enough-password")
    user.save()
    filename, content = WHEEL
    body = form_body(twine_fields("frog", "1.0", filename, content), filename=filename,
                     content=content)  # fmt: skip
    headers = basic("wes", "a-long-enough-password")
    assert post_form(client, body, to="/acme/local/", by=None, **headers).status_code == 200


def test_no_answer_to_an_upload_is_a_redirect(client: Client, cast: Cast) -> None:
    for url in ("/acme/local", "/acme/local/", "/acme/local/simple", "/acme/local/simple/frog"):
        response = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer, to=url)
        assert response.status_code not in range(300, 400)


def test_posting_to_the_simple_page_says_where_to_post(client: Client, cast: Cast) -> None:
    response = upload(client, "frog", "1.0", WHEEL, by=cast.acme.writer, to="/acme/local/simple/")
    assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert "/acme/local/" in response.reason_phrase
    assert json.dumps(response.reason_phrase)
