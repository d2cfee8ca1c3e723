"""URLs that answer everybody, that there are not, or that do not take a method."""

from __future__ import annotations

import pytest

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def test_a_ping_is_answered_whatever_is_shown_with_it(scripts) -> None:
    for shown in ({}, {"Authorization": "Bearer expired-long-ago"}):
        answer = scripts.nobody("GET", "api/system/ping", **shown)
        assert (answer.status_code, answer.content) == (200, b"OK")
        assert answer.headers["Content-Type"].startswith("text/plain")
    head = scripts.nobody("HEAD", "api/system/ping")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    [
        "api",
        "api/",
        "api/system/version",
        "api/storage/",
        "api/repositories/a/b",
        "api/copy/a/b",
        "api/security/users/ann",
        "api/build/%0a",
        "api/pypi",
        "api/pypi/",
    ],
)
def test_what_there_is_not_is_said_in_artifactorys_shape(scripts, method: str, path: str) -> None:
    if method == "HEAD":
        answer = scripts.admin(method, path)
        assert (answer.status_code, answer.content) == (404, b"")
        assert answer.headers["Content-Type"] == "application/json"
    else:
        said = scripts.admin.refused(method, path, 404)
        assert said.startswith("Larder has no such URL of Artifactory's REST.")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("path", "key"),
    [("", "<key>"), ("tools", "tools"), ("tools/", "tools"), ("Tools", "<key>"), ("pypi", "<key>")],
)
def test_the_start_of_a_url_says_where_files_are(scripts, method: str, path: str, key: str) -> None:
    refused = scripts.nobody(method, path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    answer = scripts.member(method, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
    if method != "HEAD":
        assert scripts.member.refused(method, path, 404) == (
            f"Upload to /artifactory/api/pypi/{key}; files are at /artifactory/{key}/<path>; the "
            f"listing is at /artifactory/api/storage/{key}/."
        )


def test_a_wrong_credential_is_said_first(scripts) -> None:
    scripts.nobody.refused("GET", "api/users", 401, Authorization="Bearer wrong")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "api/system/ping", "GET, HEAD"),
        ("PATCH", "api/repositories", "GET, HEAD"),
        ("PATCH", "api/repositories/tools", "DELETE, GET, HEAD, POST, PUT"),
        ("POST", "api/storage/tools/frog", "DELETE, GET, HEAD, PUT"),
        ("GET", "api/metadata/tools/frog", "PATCH"),
        ("DELETE", "api/search/prop", "GET, HEAD"),
        ("GET", "api/search/aql", "POST"),
        ("POST", "tools/frog/1.0/frog.txt", "DELETE, GET, HEAD, PUT"),
    ],
)
def test_a_method_that_is_not_taken_is_named_with_those_that_are(
    scripts, method: str, path: str, allowed: str
) -> None:
    answer = scripts.admin(method, path)
    assert answer.headers["Allow"] == allowed
    said = scripts.admin.refused(method, path, 405)
    assert said == f"This URL takes {allowed}."


def test_a_mistyped_index_is_no_404_that_sends_installers_on(scripts) -> None:
    answer = scripts.admin("GET", "api/pypy/tools/simple/frog/")
    assert answer.status_code in {403, 410}
