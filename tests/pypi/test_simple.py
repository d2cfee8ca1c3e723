"""The Simple API as installers read it: pages, negotiation, caching, and who may see them."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import pypi_simple
import pytest
from django.test import Client

from accounts.roles import Role
from packages import curate
from packages.models import Distribution, Project, Release
from repos.models import Kind
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_dumb, make_egg, make_sdist, make_wheel
from tests.uploads import published, upload

JSON = "application/vnd.pypi.simple.v1+json"
PAGE = "/acme/local/simple/frog-fu/"
GOLDEN = Path(__file__).parent / "pages"


@pytest.fixture
def frogs(client: Client, cast: Cast, time: MovableClock) -> Cast:
    """A project with several releases, one file yanked, and metadata of each sort."""
    wes = cast.acme.writer
    time.time = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
    published(
        client,
        "frog-fu",
        "1.10",
        make_wheel("frog-fu", "1.10", requires_python=">=3.9, <4"),
        by=wes,
    )
    time.move(minutes=1)
    published(client, "frog-fu", "1.9", make_wheel("frog-fu", "1.9"), by=wes)
    published(
        client, "frog-fu", "1.9", make_sdist("frog-fu", "1.9", metadata_version="2.1"), by=wes
    )
    published(client, "frog-fu", "2.0a1", make_sdist("frog-fu", "2.0a1"), by=wes)
    curate.yank(
        Distribution.objects.get(filename="frog_fu-1.9-py3-none-any.whl"),
        reason='broken on <"Windows">',
        by=wes.principal,
    )
    return cast


def get(client: Client, url: str, cast: Cast, accept: str = JSON, **headers: str):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(url, headers=cast.acme.reader.headers | {"Accept": accept} | sent)


def test_the_json_page_is_what_the_standards_say(client: Client, frogs: Cast) -> None:
    response = get(client, PAGE, frogs)
    assert response.headers["Content-Type"] == JSON
    page = response.json()
    assert page["meta"]["api-version"] == "1.4"
    assert page["name"] == "frog-fu"
    assert page["project-status"] == {"status": "active"}
    assert page["versions"] == ["1.9", "1.10", "2.0a1"]
    by_name = {file["filename"]: file for file in page["files"]}
    wheel = by_name["frog_fu-1.10-py3-none-any.whl"]
    assert wheel["requires-python"] == ">=3.9, <4"
    assert wheel["upload-time"] == "2026-11-20T12:00:00.123456Z"
    assert wheel["yanked"] is False
    assert wheel["core-metadata"] == wheel["dist-info-metadata"]
    assert by_name["frog_fu-1.9-py3-none-any.whl"]["yanked"] == 'broken on <"Windows">'
    # PEP 658, for an sdist: only where Metadata 2.2 or later says that it is final.
    assert "core-metadata" in by_name["frog_fu-2.0a1.tar.gz"]
    assert "core-metadata" not in by_name["frog_fu-1.9.tar.gz"]
    for file in page["files"]:
        assert None not in file.values()
        content = get(client, urljoin(PAGE, file["url"]), frogs).getvalue()
        assert len(content) == file["size"]
        assert hashlib.sha256(content).hexdigest() == file["hashes"]["sha256"]


@pytest.mark.parametrize(("accept", "ending"), [(JSON, "json"), ("text/html", "html")])
def test_pages_are_golden(client: Client, frogs: Cast, accept: str, ending: str) -> None:
    """Byte for byte, but for the digests of archives that are built anew for each run."""
    text = get(client, PAGE, frogs, accept).content.decode()
    for row in Distribution.objects.all():
        text = text.replace(row.sha256, f"<sha256 of {row.filename}>")
        text = text.replace(f'"size":{row.size}', '"size":"<size>"')
        if row.metadata_sha256:
            text = text.replace(row.metadata_sha256, f"<sha256 of {row.filename}.metadata>")
    assert text == (GOLDEN / f"project.{ending}").read_text()


def test_html_and_json_say_the_same_to_a_strict_reader(client: Client, frogs: Cast) -> None:
    as_json = pypi_simple.ProjectPage.from_json_data(get(client, PAGE, frogs).json())
    html = get(client, PAGE, frogs, "text/html").content.decode()
    as_html = pypi_simple.ProjectPage.from_html("frog-fu", html)
    assert as_html.repository_version == as_json.repository_version == "1.4"
    assert len(as_json.packages) == 4

    def facts(package: pypi_simple.DistributionPackage) -> tuple[object, ...]:
        return (
            package.filename,
            package.url.partition("#")[0],
            package.digests["sha256"],
            package.requires_python,
            package.is_yanked,
            package.yanked_reason,
            package.has_metadata or False,
            package.metadata_digests or {},
        )

    assert [facts(each) for each in as_html.packages] == [facts(each) for each in as_json.packages]


def test_one_anchor_stands_on_one_line(client: Client, frogs: Cast) -> None:
    html = get(client, PAGE, frogs, "*/*").content.decode()
    anchors = [line for line in html.splitlines() if line.startswith("<a ")]
    assert len(anchors) == 4
    assert all(line.endswith("</a><br>") for line in anchors)


def test_links_are_relative_so_that_each_form_of_the_url_works(
    client: Client, frogs: Cast, settings
) -> None:
    settings.DEFAULT_TENANT, settings.DEFAULT_REPOSITORY = "acme", ("acme", "local")
    pages = {
        get(client, f"{prefix}/simple/frog-fu/", frogs).content
        for prefix in (
            "/acme/local",
            "/artifactory/api/pypi/local",
            "/artifactory/pypi/local",
            "/api/pypi/local",
            "/pypi",
        )
    }
    assert len(pages) == 1
    plus = get(client, "/acme/local/+simple/frog-fu/", frogs).content
    assert {plus} == pages
    url = json.loads(plus)["files"][0]["url"]
    file = get(client, urljoin("/pypi/simple/frog-fu/", url), frogs)
    file.close()
    assert file.status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/acme/local/simple/Frog_Fu/", PAGE),
        ("/acme/local/simple/frog.fu", PAGE),
        ("/acme/local/simple/frog-fu", PAGE),
        ("/acme/local/simple/FROG-FU/?format=text/html", f"{PAGE}?format=text/html"),
        ("/acme/local/simple", "/acme/local/simple/"),
        ("/pypi/simple/Frog-Fu/", "/pypi/simple/frog-fu/"),
        ("/acme/local/+simple/Frog-Fu/", "/acme/local/+simple/frog-fu/"),
    ],
)
def test_another_spelling_is_redirected_to_the_one(
    client: Client, frogs: Cast, settings, asked: str, location: str
) -> None:
    settings.DEFAULT_REPOSITORY = ("acme", "local")
    response = get(client, asked, frogs)
    assert (response.status_code, response.headers["Location"]) == (301, location)


def test_the_root_lists_every_project(client: Client, frogs: Cast) -> None:
    published(client, "Toad", "1.0", make_wheel("Toad", "1.0"), by=frogs.acme.writer)
    root = get(client, "/acme/local/simple/", frogs)
    assert root.json()["projects"] == [{"name": "frog-fu"}, {"name": "Toad"}]
    html = get(client, "/acme/local/simple/", frogs, "text/html").content.decode()
    assert '<a href="toad/">Toad</a>' in html
    page = pypi_simple.IndexPage.from_html(html)
    assert page.projects == ["frog-fu", "Toad"]


def test_a_page_is_kept_and_asked_for_again(client: Client, frogs: Cast) -> None:
    first = get(client, PAGE, frogs)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization"} <= set(first.headers["Vary"].split(", "))
    etag = first.headers["ETag"]
    for sent in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = get(client, PAGE, frogs, If_None_Match=sent)
        assert (again.status_code, again.getvalue()) == (304, b"")
        assert again.headers["ETag"] == etag
        # RFC 9110, 8.6: a length would be that of the page, and not 0.
        assert "Content-Length" not in again.headers
    published(client, "frog-fu", "3.0", make_wheel("frog-fu", "3.0"), by=frogs.acme.writer)
    assert get(client, PAGE, frogs, If_None_Match=etag).status_code == HTTPStatus.OK


def test_a_page_is_compressed_for_who_takes_it(client: Client, frogs: Cast) -> None:
    plain = get(client, PAGE, frogs)
    packed = get(client, PAGE, frogs, Accept_Encoding="gzip, deflate")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed.headers["ETag"] != plain.headers["ETag"]
    again = get(client, PAGE, frogs, Accept_Encoding="gzip", If_None_Match=packed.headers["ETag"])
    assert again.status_code == HTTPStatus.NOT_MODIFIED


def test_head_is_get_without_the_body(client: Client, frogs: Cast) -> None:
    for url in (PAGE, "/acme/local/simple/"):
        headers = frogs.acme.reader.headers | {"Accept": JSON}
        whole, head = client.get(url, headers=headers), client.head(url, headers=headers)
        assert head.content == b""
        assert head.headers["Content-Length"] == str(len(whole.content))
        assert head.headers["ETag"] == whole.headers["ETag"]


def test_what_anyone_may_read_may_be_cached_by_anyone(client: Client, frogs: Cast) -> None:
    grant(frogs.acme.repository, Role.READER)
    response = client.get(PAGE)
    assert response.headers["Cache-Control"] == "public, no-cache"


def test_who_may_read_and_what_the_others_hear(client: Client, frogs: Cast) -> None:
    for url in (PAGE, "/acme/local/simple/", "/acme/local/pypi/frog-fu/json"):
        house = frogs.acme
        for who, status in (
            (house.reader, 200),
            (house.writer, 200),
            (house.admin, 200),
            (house.member, 403),
            (frogs.globex.admin, 403),
        ):
            assert client.get(url, headers=who.headers).status_code == status
        assert client.get(url).status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("rest", ["simple/", "simple/frog-fu/", "files/frog-fu/x.whl"])
def test_another_tenants_index_is_like_none(client: Client, frogs: Cast, rest: str) -> None:
    for headers in (frogs.globex.reader.headers, {}):
        answers = set()
        for name in ("acme/local", "acme/none", "nowhere/none"):
            response = client.get(f"/{name}/{rest}", headers=headers)
            answers.add(
                (
                    response.status_code,
                    response.reason_phrase.replace(name, "x"),
                    response.content.decode().replace(name, "x"),
                    str(sorted(response.headers.items())).replace(str(len(name)), ""),
                )
            )
        assert len({(status, reason, body) for status, reason, body, _ in answers}) == 1


def test_a_missing_index_of_ones_own_stops_uv(client: Client, frogs: Cast) -> None:
    """404 would send uv on to the next index, and to a stranger's file."""
    response = get(client, "/acme/none/simple/frog-fu/", frogs)
    assert response.status_code == HTTPStatus.GONE
    assert response.reason_phrase == "There is no repository acme/none."


@pytest.mark.parametrize("url", ["/acme/local/frog-fu/", "/acme/local/frog-fu"])
def test_an_index_url_without_its_end_is_told_the_right_one(
    client: Client, frogs: Cast, url: str
) -> None:
    response = get(client, url, frogs)
    assert response.status_code == HTTPStatus.GONE
    assert response.reason_phrase == "The index is at /acme/local/simple/, not at /acme/local/."
    assert client.get(url).status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    "url",
    [
        "/Acme/local/simple/frog/",
        "/a%00/b/simple/x/",
        "/local/simple/frog/",
        "/a/b/c/simple/",
    ],
)
def test_a_mistyped_index_url_is_never_404(client: Client, frogs: Cast, url: str) -> None:
    assert get(client, url, frogs).status_code == HTTPStatus.FORBIDDEN
    assert client.get(url).status_code == HTTPStatus.UNAUTHORIZED


def test_a_mistyped_key_in_ones_own_tenant_stops_uv(client: Client, frogs: Cast) -> None:
    for url in ("/acme/Local/simple/frog/", "/acme/simple/frog/"):
        assert get(client, url, frogs).status_code == HTTPStatus.GONE


def test_404_means_that_the_index_has_no_such_project(client: Client, frogs: Cast) -> None:
    for name in ("nothing", "-", "a%20b", "%C3%BC", "x" * 300):
        assert get(client, f"/acme/local/simple/{name}/", frogs).status_code == 404


def test_a_name_without_files_is_an_empty_page(client: Client, frogs: Cast) -> None:
    for row in Distribution.objects.all():
        curate.delete(row, by=frogs.acme.admin.principal)
    page = get(client, PAGE, frogs)
    assert page.status_code == HTTPStatus.OK
    assert (page.json()["files"], page.json()["versions"]) == ([], [])


def test_a_yanked_release_yanks_its_files(client: Client, frogs: Cast) -> None:
    release = Release.objects.get(version="1.10")
    curate.yank(release, reason="", by=frogs.acme.writer.principal)
    files = get(client, PAGE, frogs).json()["files"]
    assert [file["yanked"] for file in files if "1.10" in file["filename"]] == [True]
    html = get(client, PAGE, frogs, "text/html").content.decode()
    assert html.count("data-yanked=") == 2
    curate.yank(release, reason="", by=frogs.acme.writer.principal, undo=True)
    files = get(client, PAGE, frogs).json()["files"]
    assert [file["yanked"] for file in files if "1.10" in file["filename"]] == [False]


@pytest.mark.parametrize(
    ("status", "listed"),
    [("active", True), ("archived", True), ("deprecated", True), ("quarantined", False)],
)
def test_the_status_of_a_project_is_shown_and_quarantine_withholds_its_files(
    client: Client, frogs: Cast, status: str, listed: bool
) -> None:
    url = get(client, PAGE, frogs).json()["files"][0]["url"]
    curate.set_status(
        Project.objects.get(),
        status=Project.Status(status),
        reason="see <toad>",
        by=frogs.acme.admin.principal,
    )
    page = get(client, PAGE, frogs).json()
    assert page["project-status"] == {"status": status, "reason": "see <toad>"}
    assert bool(page["files"]) is listed
    html = get(client, PAGE, frogs, "text/html").content.decode()
    assert f'<meta name="pypi:project-status" content="{status}">' in html
    assert 'content="see &lt;toad&gt;"' in html
    file = get(client, urljoin(PAGE, url), frogs)
    file.close()
    assert file.status_code == (200 if listed else 403)
    if not listed:
        assert "quarantined: see <toad>" in file.reason_phrase


def test_what_is_not_served_yet_is_unavailable_and_never_absent(client: Client, cast: Cast) -> None:
    grant(make_repository(cast.acme.tenant, "other", Kind.REMOTE), Role.READER)
    for url in ("/acme/other/simple/", "/acme/other/simple/frog/"):
        response = client.get(url)
        assert response.status_code == HTTPStatus.NOT_IMPLEMENTED
        assert "acme/other has no upstream yet" in response.reason_phrase


def test_a_navigation_is_never_answered_with_a_challenge(client: Client, frogs: Cast) -> None:
    response = client.get(PAGE, headers={"Sec-Fetch-Mode": "navigate"})
    assert response.status_code == HTTPStatus.UNAUTHORIZED
    assert "WWW-Authenticate" not in response.headers


def test_a_repository_or_a_project_may_be_called_as_a_part_of_a_url(
    client: Client, cast: Cast, settings
) -> None:
    settings.DEFAULT_TENANT = "acme"
    wes = cast.acme.writer
    for key in ("project", "simple", "files"):
        grant(make_repository(cast.acme.tenant, key), Role.WRITER, wes)
        for name in ("simple", "files", "project"):
            published(client, name, "1.0", make_wheel(name, "1.0"), by=wes, to=f"/acme/{key}/")
            for form in (f"/acme/{key}", f"/api/pypi/{key}", f"/artifactory/api/pypi/{key}"):
                listed = client.get(f"{form}/simple/", headers=wes.headers | {"Accept": JSON})
                assert name in {each["name"] for each in listed.json()["projects"]}
                page = client.get(f"{form}/simple/{name}/", headers=wes.headers)
                assert (page.status_code, b".whl" in page.content) == (200, True), form
            for_people = client.get(f"/acme/{key}/project/{name}/", headers=wes.headers)
            assert (for_people.status_code, b"<h1" in for_people.content) == (200, True)


def test_the_session_cookie_counts_for_reading(client: Client, frogs: Cast) -> None:
    client.force_login(frogs.acme.reader.user)
    assert client.get(PAGE).status_code == HTTPStatus.OK


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_pages_and_files_are_only_read(client: Client, frogs: Cast, method: str) -> None:
    for url in (PAGE, "/acme/local/simple/", "/acme/local/files/frog-fu/x.whl"):
        response = client.generic(method, url, headers=frogs.acme.admin.headers)
        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert response.headers["Allow"] == "GET, HEAD"


def test_pages_cost_the_same_however_much_there_is(
    client: Client, frogs: Cast, django_assert_num_queries
) -> None:
    def page() -> None:
        assert get(client, PAGE, frogs).status_code == HTTPStatus.OK

    page()  # notes the token's use
    with django_assert_num_queries(6):
        page()
    for number in range(5):
        version = f"3.{number}"
        published(client, "frog-fu", version, make_wheel("frog-fu", version), by=frogs.acme.writer)
    with django_assert_num_queries(6):
        page()


def test_eggs_and_dumb_archives_are_listed_too(client: Client, cast: Cast) -> None:
    for file, filetype in (
        (make_egg("frog", "1.0"), "bdist_egg"),
        (make_dumb("frog", "1.0"), "bdist_dumb"),
    ):
        response = upload(
            client, "frog", "1.0", file, by=cast.acme.writer, change={"filetype": filetype}
        )
        assert response.status_code == HTTPStatus.OK, response.reason_phrase
    files = get(client, "/acme/local/simple/frog/", cast).json()["files"]
    assert [file["filename"].rpartition(".")[2] for file in files] == ["egg", "gz"]
