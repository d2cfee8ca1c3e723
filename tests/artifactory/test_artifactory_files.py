"""Files put, read, described and deleted by Artifactory's REST."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

import pytest
from django.test import Client

from accounts.models import Token
from accounts.roles import Role
from artifactory import files
from artifactory.properties import properties_in
from base.audit import SYSTEM
from packages import curate, downloads
from packages.extraction.extract import extract_due
from packages.models import Distribution, Project
from repos import configure
from repos.models import Kind, Repository, VirtualSettings
from tests.artifactory.conftest import Script, lay
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.packages.fetching import settled
from tests.uploads import published
from tests.upstreams import make_remote, serving

WHEEL, CONTENT = make_wheel("frog", "1.0")
PATH = f"frog/1.0/{WHEEL}"
NAMED = "pypi.name=frog;pypi.version=1.0"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA1 = hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


def put(script: Script, to: str = f"local/{PATH}", content: bytes = CONTENT, **headers: str) -> Any:
    answer = script("PUT", to, content, **headers)
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def frog(cast: Cast) -> Distribution:
    """A frog in acme's local, published as twine publishes."""
    published(Client(), "frog", "1.0", (WHEEL, CONTENT), by=cast.acme.writer)
    return Distribution.objects.get(filename=WHEEL)


@pytest.fixture
def virtual(cast: Cast) -> Repository:
    """A virtual over acme's local, which takes uploads for it; its writer reads it."""
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    settings = VirtualSettings(repository=virtual, deployment=cast.acme.repository)
    configure.save_virtual(settings, by=SYSTEM)
    for person in (cast.acme.writer, cast.acme.reader, cast.acme.member):
        grant(virtual, Role.READER, person)
    return virtual


def test_a_file_is_told_as_it_is(scripts, frog: Distribution) -> None:
    base = "http://testserver/artifactory"
    told = scripts.reader.get(f"api/storage/local/{PATH}")
    digests = {"sha1": SHA1, "md5": MD5, "sha256": SHA256}
    at = frog.uploaded_at.isoformat(timespec="milliseconds")
    assert told == {
        "repo": "local",
        "path": f"/{PATH}",
        "created": at,
        "createdBy": "wes",
        "lastModified": at,
        "modifiedBy": "wes",
        "lastUpdated": at,
        "downloadUri": f"{base}/local/{PATH}",
        "mimeType": "application/zip",
        "size": str(len(CONTENT)),
        "checksums": digests,
        "originalChecksums": digests,
        "uri": f"{base}/api/storage/local/{PATH}",
    }


def test_who_uploaded_it_is_told_to_who_has_signed_in(
    cast: Cast, scripts, frog: Distribution
) -> None:
    grant(cast.acme.repository, Role.READER)
    told = scripts.nobody.get(f"api/storage/local/{PATH}")
    assert (told["createdBy"], told["modifiedBy"]) == ("", "")
    assert scripts.reader.get(f"api/storage/local/{PATH}")["createdBy"] == "wes"


def test_folders_have_what_lies_in_them(scripts, frog: Distribution) -> None:
    put(scripts.writer, "local/libs/deep/frog-2.0.zip")
    put(scripts.writer, "local/toad-1.0.zip")
    for path in ("local", "local/"):
        root = scripts.reader.get(f"api/storage/{path}")
        assert root["children"] == [
            {"uri": "/frog", "folder": True},
            {"uri": "/libs", "folder": True},
            {"uri": "/toad-1.0.zip", "folder": False},
        ]
        assert {"repo", "path", "created", "lastModified", "lastUpdated", "uri"} < set(root)
    folder = scripts.reader.get("api/storage/local/frog/1.0/")
    assert (folder["path"], folder["children"]) == (
        "/frog/1.0",
        [{"uri": f"/{WHEEL}", "folder": False}],
    )


def test_a_list_goes_as_deep_as_it_is_told(scripts, frog: Distribution) -> None:
    put(scripts.writer, "local/libs/deep/frog-2.0.zip")
    put(scripts.writer, "local/toad-1.0.zip")

    def listed(query: str, path: str = "local") -> list[str]:
        found = scripts.reader.get(f"api/storage/{path}?list&{query}")["files"]
        return [line["uri"] + ("/" if line["folder"] else "") for line in found]

    assert listed("") == ["/toad-1.0.zip"]
    assert listed("deep=1") == [f"/{PATH}", "/libs/deep/frog-2.0.zip", "/toad-1.0.zip"]
    assert listed("deep=1&depth=2") == ["/toad-1.0.zip"]
    assert listed("listFolders=1") == ["/toad-1.0.zip", "/frog/", "/libs/"]
    assert listed("deep=1&listFolders=1", "local/libs") == ["/deep/frog-2.0.zip", "/deep/"]
    assert listed("deep=1&depth=2&listFolders=1") == [
        *("/toad-1.0.zip", "/frog/", "/frog/1.0/", "/libs/", "/libs/deep/"),
    ]
    (line,) = scripts.reader.get("api/storage/local/frog/1.0?list")["files"]
    assert (line["size"], line["sha1"], line["sha2"]) == (len(CONTENT), SHA1, SHA256)
    scripts.reader.refused("GET", f"api/storage/local/{PATH}?list", 400)
    scripts.reader.refused("GET", "api/storage/local?list&deep=1&depth=x", 400)


def test_many_files_are_read_in_stretches(scripts, cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr("packages.paths._STRETCH", 3)
    shelf = cast.acme.repository
    for name in ("frog", "frog-fu", "newt", "toad"):
        for number in range(5):
            lay(shelf, name, f"{number}.0")
    children = scripts.reader.get("api/storage/local")["children"]
    assert [each["uri"] for each in children] == ["/frog", "/frog-fu", "/newt", "/toad"]
    files = scripts.reader.get("api/storage/local?list&deep=1")["files"]
    assert len({line["uri"] for line in files}) == len(files) == 20
    monkeypatch.setattr("artifactory.storage._LISTED_AT_MOST", 10)
    said = scripts.reader.refused("GET", "api/storage/local?list&deep=1", 400)
    assert "more in it than is told at once" in said


def test_what_is_put_is_there_and_is_listed_once_it_was_read(
    scripts, cast: Cast, time: MovableClock
) -> None:
    answer = scripts.writer("PUT", f"local/libs/{WHEEL};{NAMED};qa=yes", CONTENT)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://testserver/artifactory/local/libs/{WHEEL}"
    assert (
        answer.headers["Content-Type"]
        == "application/vnd.org.jfrog.artifactory.storage.ItemCreated+json"
    )
    assert "lastModified" not in answer.json()
    put(scripts.writer, f"local/libs/{WHEEL};{NAMED};qa=yes")
    got = scripts.reader("GET", f"local/libs/{WHEEL}")
    assert got.getvalue() == CONTENT
    names = ("X-Checksum-Sha1", "X-Checksum-Md5", "X-Checksum-Sha256", "X-Artifactory-Filename")
    assert [got.headers[name] for name in names] == [SHA1, MD5, SHA256, WHEEL]
    assert scripts.reader("HEAD", f"local/libs/{WHEEL}").headers["Content-Length"] == str(
        len(CONTENT)
    )
    time.move(seconds=60)
    extract_due()
    assert Project.objects.get().normalized == "frog"
    said = scripts.reader.get(f"api/storage/local/libs/{WHEEL}?properties=qa,pypi.name")
    assert said["properties"] == {"qa": ["yes"], "pypi.name": ["frog"]}


def test_what_jfrogs_own_tools_generate_is_passed_over(scripts) -> None:
    matrix = f"{NAMED};pypi.normalized.name=frog;pypi.summary=A%20frog;pypi.requires.python=%3E%3D3"
    put(scripts.writer, f"local/libs/{WHEEL};{matrix}")
    said = scripts.reader.get(f"api/storage/local/libs/{WHEEL}?properties")["properties"]
    assert said == {"pypi.name": ["frog"], "pypi.version": ["1.0"]}


def test_a_semicolon_in_a_path_is_never_a_way_around(scripts) -> None:
    scripts.writer.refused("PUT", f"local/libs;qa=yes/{WHEEL}", 400, CONTENT)
    encoded = put(scripts.writer, f"local/libs/{WHEEL}%3Bqa%3Dyes%2Cno")
    assert encoded["path"] == f"/libs/{WHEEL}"
    said = scripts.reader.get(f"api/storage/local/libs/{WHEEL}?properties")["properties"]
    assert said == {"qa": ["yes", "no"]}


def test_what_does_not_have_its_digest_is_refused(scripts) -> None:
    for name, right in (("Sha1", SHA1), ("Sha256", SHA256), ("Md5", MD5)):
        wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
        header = {f"X_Checksum_{name}": wrong}
        assert right in scripts.writer.refused("PUT", f"local/{PATH}", 409, CONTENT, **header)
        assert not Distribution.objects.exists()
    put(scripts.writer, X_Checksum_Sha1=SHA1.upper(), X_Checksum_Md5=MD5)


def test_a_file_may_be_put_by_its_checksum_alone(scripts, frog: Distribution) -> None:
    by_checksum = {"X_Checksum_Deploy": "true", "X_Checksum_Sha256": SHA256}
    told = put(scripts.writer, f"local/libs/{WHEEL}", b"", **by_checksum)
    assert told["checksums"]["sha256"] == SHA256
    assert told["size"] == str(len(CONTENT))
    got = scripts.reader("GET", f"local/libs/{WHEEL}")
    assert got.getvalue() == CONTENT
    wrong = by_checksum | {"X_Checksum_Sha1": "0" * 40}
    scripts.writer.refused("PUT", f"local/other/{WHEEL}", 409, b"", **wrong)


def test_a_checksum_that_nobody_has_is_quietly_not_found(scripts) -> None:
    for digest in ("0" * 64, "", "%00", "\xe9"):
        headers = {"X_Checksum_Deploy": "true", "X_Checksum_Sha256": digest}
        said = scripts.writer.refused("PUT", f"local/{PATH}", 404, b"", **headers)
        assert said.startswith("Unable to find item: ")


def test_a_checksum_tells_nothing_of_what_one_may_not_read(scripts, cast: Cast) -> None:
    """Neither of another tenant's bytes, nor of those in a repository that is not the caller's."""
    theirs, secret = make_wheel("secret", "1.0"), make_wheel("hidden", "1.0")
    published(Client(), "secret", "1.0", theirs, by=cast.globex.writer, to="/globex/local/")
    make_repository(cast.acme.tenant, "vault")
    published(Client(), "hidden", "1.0", secret, by=cast.acme.admin, to="/acme/vault/")
    for name, content in (theirs, secret):
        sha256 = hashlib.sha256(content).hexdigest()
        headers = {"X_Checksum_Deploy": "true", "X_Checksum_Sha256": sha256}
        unknown = {**headers, "X_Checksum_Sha256": "0" * 64}
        assert scripts.writer.refused(
            "PUT", f"local/libs/{name}", 404, b"", **headers
        ) == scripts.writer.refused("PUT", f"local/libs/{name}", 404, b"", **unknown)
    put(scripts.admin, f"local/libs/{secret[0]}", b"", **headers)


def test_other_bytes_at_a_path_are_refused_in_artifactorys_words(
    scripts, frog: Distribution
) -> None:
    _, other = make_wheel("frog", "1.0", description="other")
    said = scripts.writer.refused("PUT", f"local/{PATH}", 403, other)
    assert said.startswith("Not enough permissions to delete/overwrite artifact: File already")


def test_what_is_no_path_of_a_file_takes_none(scripts) -> None:
    for path in ("libs/", "frog.txt", "a//frog-1.0.zip", "%00.zip", "../frog-1.0.zip"):
        scripts.writer.refused("PUT", f"local/{path}", 400, CONTENT)
    assert not Distribution.objects.exists()


def test_properties_are_set_replaced_and_removed(scripts, frog: Distribution) -> None:
    path = f"api/storage/local/{PATH}"
    assert scripts.writer("PUT", f"{path}?properties=qa=yes,no;team=red|blue").status_code == 400
    assert scripts.writer("PUT", f"{path}?properties=qa=yes,no;team=red").status_code == 204
    assert scripts.writer("PUT", f"{path}?properties=qa=maybe%7Cnote=a%5C,b").status_code == 204

    def said() -> dict[str, list[str]]:
        found = scripts.reader.get(f"{path}?properties")["properties"]
        return {name: values for name, values in found.items() if not name.startswith("pypi.")}

    assert said() == {"qa": ["maybe"], "team": ["red"], "note": ["a,b"]}
    assert scripts.writer("DELETE", f"{path}?properties=qa,team,absent").status_code == 204
    assert said() == {"note": ["a,b"]}
    body = {"props": {"note": None, "qa": ["yes", "no"], "stage": "test"}}
    metadata = f"api/metadata/local/{PATH}"
    assert scripts.writer("PATCH", metadata, body).status_code == 204
    assert said() == {"qa": ["yes", "no"], "stage": ["test"]}
    assert (
        scripts.reader.refused("GET", f"{path}?properties=none", 404)
        == "No properties could be found."
    )


def test_what_was_read_may_be_sent_back_and_what_the_archive_says_stays(
    scripts, frog: Distribution
) -> None:
    path = f"api/storage/local/{PATH}?properties"
    before = scripts.reader.get(path)["properties"]
    metadata = f"api/metadata/local/{PATH}"
    assert scripts.writer("PATCH", metadata, {"props": {**before, "qa": "yes"}}).status_code == 204
    assert scripts.writer("PATCH", metadata, {"props": dict.fromkeys(before)}).status_code == 204
    assert scripts.reader.get(path)["properties"] == {**before, "qa": ["yes"]}
    said = scripts.writer.refused("PATCH", metadata, 400, {"props": {"pypi.summary": "Mine"}})
    assert "what the archive says of itself" in said


def test_a_file_without_a_name_gets_it_by_properties(scripts, time: MovableClock) -> None:
    put(scripts.writer, "local/libs/frog-1.0.zip", b"PK no archive at all")
    wanted = {"pypi.name": "frog", "pypi.normalized.name": "frog", "pypi.version": "1.0"}
    path = "api/metadata/local/libs/frog-1.0.zip"
    assert scripts.writer("PATCH", path, {"props": wanted}).status_code == 204
    said = scripts.reader.get("api/storage/local/libs/frog-1.0.zip?properties")["properties"]
    assert said == {"pypi.name": ["frog"], "pypi.version": ["1.0"]}


def test_properties_of_a_folder_are_set_on_all_its_files_or_none(scripts) -> None:
    put(scripts.writer, "local/libs/frog-1.0.zip")
    put(scripts.writer, "local/libs/frog-2.0.zip")
    path = "api/storage/local/libs?properties=qa=yes"
    assert scripts.writer("PUT", path).status_code == 204
    found = scripts.reader.get("api/search/prop?qa=yes")["results"]
    assert len(found) == 2
    scripts.writer.refused("PUT", f"{path}&recursive=0", 400)
    bad = "api/storage/local/libs?properties=qa=no;1=x"
    scripts.writer.refused("PUT", bad, 400)
    assert len(scripts.reader.get("api/search/prop?qa=yes")["results"]) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a=1", {"a": ["1"]}),
        ("a=1,2;b=3|c=4", {"a": ["1", "2"], "b": ["3"], "c": ["4"]}),
        ("a=1;a=2", {"a": ["1", "2"]}),
        (r"a=1\,2\;3\|4\=5", {"a": ["1,2;3|4=5"]}),
        (r"a=C:\temp\\", {"a": [r"C:\temp" + "\\"]}),
        ("a=x=y", {"a": ["x=y"]}),
        ("a=", {"a": [""]}),
        (";;a=1;", {"a": ["1"]}),
        ("a=1\\", {"a": ["1\\"]}),
    ],
)
def test_properties_are_read_as_clients_write_them(text: str, says: dict[str, list[str]]) -> None:
    assert properties_in(text) == says


def test_a_patch_that_cannot_be_read_is_refused(scripts, frog: Distribution) -> None:
    bodies: list[Any] = [
        b"",
        b"[]",
        b"{}",
        {"props": []},
        {"props": {"a": 1}},
        {"props": {"a": [1]}},
    ]
    for body in bodies:
        scripts.writer.refused("PATCH", f"api/metadata/local/{PATH}", 400, body)


def test_downloads_are_counted(scripts, frog: Distribution, monkeypatch) -> None:
    monkeypatch.setattr("packages.downloads._files", defaultdict(downloads._Count))
    monkeypatch.setattr("packages.downloads._days", defaultdict(downloads._Sum))
    for _ in range(2):
        scripts.reader("GET", f"local/{PATH}").getvalue()
    downloads.write_down()
    stats = scripts.reader.get(f"api/storage/local/{PATH}?stats")
    assert (stats["downloadCount"], stats["lastDownloadedBy"]) == (2, "ray")
    assert stats["lastDownloaded"] > 0
    at = frog.uploaded_at.isoformat(timespec="milliseconds")
    for path in (PATH, "frog"):
        newest = scripts.reader.get(f"api/storage/local/{path}?lastModified")
        assert (newest["lastModified"], newest["uri"][-len(PATH) :]) == (at, PATH)


def test_files_and_folders_are_deleted_by_admins(scripts, frog: Distribution) -> None:
    put(scripts.writer, "local/libs/frog-2.0.zip")
    put(scripts.writer, "local/libs/frog-3.0.zip")
    scripts.writer.refused("DELETE", f"local/{PATH}", 403)
    assert scripts.admin("DELETE", f"local/{PATH}").status_code == 204
    scripts.reader.refused("GET", f"api/storage/local/{PATH}", 404)
    scripts.reader.refused("GET", f"local/{PATH}", 404)
    assert scripts.admin("DELETE", "local/libs/").status_code == 204
    assert scripts.reader.get("api/storage/local")["children"] == []
    assert Distribution.objects.filter(deleted_at=None).count() == 0
    scripts.admin.refused("DELETE", f"local/{PATH}", 404)


def test_a_deletion_that_is_broken_off_says_how_far_it_came_and_goes_on(
    scripts, monkeypatch
) -> None:
    for version in ("1.0", "2.0", "3.0"):
        put(scripts.writer, f"local/libs/frog-{version}.zip")
    middle = Distribution.objects.get(filename="frog-2.0.zip")

    def named_meanwhile(row: Distribution, **more: Any) -> None:
        if row == middle:
            raise curate.NamedMeanwhile("It got its name.")
        curate.delete(row, **more)

    with monkeypatch.context() as patched:
        patched.setattr(files, "delete_file", named_meanwhile)
        said = scripts.admin.refused("DELETE", "local/libs", 400)
    assert said == "1 of 3 files are deleted. It got its name."
    left = Distribution.objects.filter(deleted_at=None)
    assert set(left.values_list("filename", flat=True)) == {"frog-2.0.zip", "frog-3.0.zip"}
    assert scripts.admin("DELETE", "local/libs").status_code == 204
    assert not left.exists()


def test_what_others_delete_at_the_same_moment_is_deleted(scripts, monkeypatch) -> None:
    for version in ("1.0", "2.0"):
        put(scripts.writer, f"local/libs/frog-{version}.zip")

    def deleted_twice(row: Distribution, **more: Any) -> None:
        curate.delete(row, **more)
        curate.delete(row, **more)

    monkeypatch.setattr(files, "delete_file", deleted_twice)
    assert scripts.admin("DELETE", "local/libs").status_code == 204
    assert not Distribution.objects.filter(deleted_at=None).exists()


def test_a_token_for_other_projects_deletes_nothing_of_a_folder(scripts, cast: Cast) -> None:
    for name in ("frog", "toad"):
        put(scripts.writer, f"local/libs/{name}-1.0.zip;pypi.name={name};pypi.version=1.0")
    Token.objects.filter(pk=cast.acme.admin.token.pk).update(project_patterns=["frog"])
    assert "toad" in scripts.admin.refused("DELETE", "local/libs", 403)
    assert Distribution.objects.filter(deleted_at=None).count() == 2


def test_hidden_and_absent_are_the_same_404(scripts, cast: Cast, frog: Distribution) -> None:
    project = Project.objects.get()
    absent = [
        scripts.reader.refused("GET", path.format(PATH.replace("frog", "toad")), 404)
        for path in ("local/{}", "api/storage/local/{}", "api/storage/local/{}?properties")
    ]
    curate.set_status(
        project, status=Project.Status.QUARANTINED, reason="", by=cast.acme.admin.principal
    )
    hidden = [
        scripts.reader.refused("GET", path.format(PATH), 404)
        for path in ("local/{}", "api/storage/local/{}", "api/storage/local/{}?properties")
    ]
    assert [each.replace("toad", "frog") for each in absent] == hidden
    assert scripts.reader.get("api/storage/local")["children"] == []


def test_nobody_else_hears_of_files(scripts, frog: Distribution) -> None:
    there = (
        f"local/{PATH}",
        f"api/storage/local/{PATH}",
        "api/storage/local",
        "api/storage/local?list",
    )
    for path in there:
        assert "Sign in" in scripts.nobody.refused("GET", path, 401)
        assert scripts.nobody("GET", path).headers["WWW-Authenticate"].startswith("Basic ")
        assert "that you may use" in scripts.theirs.refused("GET", path, 403)
        assert "You may not read acme/local" in scripts.member.refused("GET", path, 403)
        scripts.reader.refused("PUT", path if "?" in path else f"{path}?properties=a=b", 403)


def test_through_a_virtual_each_sees_what_its_pages_show(
    scripts, cast: Cast, frog: Distribution, virtual: Repository
) -> None:
    told = scripts.reader.get(f"api/storage/virtual/{PATH}")
    assert (told["repo"], told["checksums"]["sha256"]) == ("virtual", SHA256)
    root = scripts.reader.get("api/storage/virtual/")
    assert root["children"] == [{"uri": "/frog", "folder": True}]
    assert scripts.reader("GET", f"virtual/{PATH}").getvalue() == CONTENT
    # mona may read the virtual and nothing beneath it.
    assert scripts.member.get("api/storage/virtual")["children"] == []
    scripts.member.refused("GET", f"api/storage/virtual/{PATH}", 404)
    # What is not listed is not shown by a virtual.
    put(scripts.writer, "virtual/libs/toad-1.0.zip")
    scripts.reader.refused("GET", "api/storage/virtual/libs/toad-1.0.zip", 404)
    scripts.reader.get("api/storage/local/libs/toad-1.0.zip")
    metadata, body = f"api/metadata/virtual/{PATH}", {"props": {"qa": "yes"}}
    scripts.reader.refused("PATCH", metadata, 403, body)
    assert scripts.writer("PATCH", metadata, body).status_code == 204
    assert scripts.reader.get(f"api/storage/local/{PATH}?properties=qa")
    said = scripts.admin.refused("DELETE", f"virtual/{PATH}", 400)
    assert "shows what others hold" in said


def test_a_remote_has_what_it_holds(scripts, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "far", Kind.REMOTE)
    grant(remote, Role.READER, cast.acme.reader)
    lay(remote, "newt", "1.0")
    assert scripts.reader.get("api/storage/far")["children"] == [{"uri": "/newt", "folder": True}]
    (file,) = scripts.reader.get("api/storage/far?list&deep=1")["files"]
    assert scripts.admin("DELETE", f"far{file['uri']}").status_code == 204
    assert not Distribution.objects.exists()


@pytest.mark.django_db(transaction=True)  # another thread fetches
def test_what_a_remote_does_not_hold_yet_is_fetched(
    scripts, cast: Cast, time: MovableClock
) -> None:
    with serving() as server:
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        server.add_files("frog", (WHEEL, CONTENT))
        scripts.reader.refused("GET", f"{remote.key}/frog/2.0/{WHEEL}", 404)
        scripts.reader.refused("GET", f"{remote.key}/frog/1.0/frog-1.1.zip", 404)
        scripts.reader.refused("GET", f"{remote.key}/toad/1.0/{WHEEL}", 404)
        got = scripts.reader("GET", f"{remote.key}/{PATH}")
        assert got.getvalue() == CONTENT
        settled()


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        (f"local/{PATH}", 9),
        (f"api/storage/local/{PATH}", 9),
        (f"api/storage/local/{PATH}?properties", 10),
        (f"api/storage/local/{PATH}?stats", 11),
        ("api/storage/local", 10),
        ("api/storage/local?list&deep=1", 12),
        ("api/search/prop?pypi.name=frog", 8),  # one of them sets PostgreSQL's limits
        ("api/repositories", 6),
        ("api/repositories/local", 7),
    ],
)
def test_a_request_asks_the_database_few_questions(
    scripts, frog: Distribution, django_assert_max_num_queries, path: str, queries: int
) -> None:
    shelf = Repository.objects.get(tenant__slug="acme", key="local")
    for number in range(20):
        lay(shelf, f"newt-{number}", "1.0")
    with django_assert_max_num_queries(queries):
        answer = scripts.reader("GET", path)
    assert answer.status_code == 200
    answer.close()
