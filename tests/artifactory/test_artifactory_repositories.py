"""Repositories made, read, changed and removed by Artifactory's REST."""

from __future__ import annotations

from typing import Any

from accounts.models import Membership
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure
from repos.models import Kind, Repository, Upstream
from tests.cast import Cast, grant, make_repository

LOCAL = {"rclass": "local", "packageType": "pypi", "repoLayoutRef": "simple-default"}
REMOTE = {
    "rclass": "remote",
    "packageType": "pypi",
    "url": "https://files.example.org/",
    "pyPIRegistryUrl": "https://index.example.org/",
    "pyPIRepositorySuffix": "simple",
    "username": "frog",
    "password": "a-password-of-upstream",
}


def virtual_of(*keys: str, target: str = "") -> dict[str, Any]:
    return {
        "rclass": "virtual",
        "packageType": "pypi",
        "repositories": list(keys),
        "defaultDeploymentRepo": target,
    }


def test_the_guides_command_makes_a_local_once(scripts) -> None:
    made = scripts.admin("PUT", "api/repositories/my-pypi-repo", LOCAL)
    assert (made.status_code, made.content) == (
        201,
        b"Successfully created repository 'my-pypi-repo'\n",
    )
    said = scripts.admin.refused("PUT", "api/repositories/my-pypi-repo", 400, LOCAL)
    assert said == "Repository key already exists: acme/my-pypi-repo is taken."
    assert Repository.objects.get(key="my-pypi-repo").kind == Kind.LOCAL


def test_the_three_of_the_tutorial_are_read_back(scripts) -> None:
    for key, body in {
        "pypi-a": LOCAL,
        "pypi-b": REMOTE,
        "pypi-all": virtual_of("pypi-a", "pypi-b", target="pypi-a"),
    }.items():
        assert scripts.admin("PUT", f"api/repositories/{key}", body).status_code == 201
    remote = scripts.admin.get("api/repositories/pypi-b")
    assert {name: remote[name] for name in REMOTE if name != "password"} == {
        name: value for name, value in REMOTE.items() if name != "password"
    }
    assert "a-password-of-upstream" not in str(remote)
    virtual = scripts.admin.get("api/repositories/pypi-all")
    assert virtual["repositories"] == ["pypi-a", "pypi-b"]
    assert virtual["defaultDeploymentRepo"] == "pypi-a"
    kinds = {row["key"]: row["type"] for row in scripts.admin.get("api/repositories")}
    assert kinds == {
        "local": "LOCAL",
        "pypi-a": "LOCAL",
        "pypi-all": "VIRTUAL",
        "pypi-b": "REMOTE",
    }
    assert [row["key"] for row in scripts.admin.get("api/repositories?type=remote")] == ["pypi-b"]
    upstream = Upstream.objects.get(repository__key="pypi-b")
    assert (upstream.index_url, upstream.files_url, upstream.private_allowed) == (
        "https://index.example.org/",
        "https://files.example.org/",
        False,
    )


def test_what_a_body_does_not_name_stays(scripts, cast: Cast) -> None:
    scripts.admin("PUT", "api/repositories/far", REMOTE)
    sealed = Upstream.objects.get(repository__key="far").sealed_password
    changed = scripts.admin("POST", "api/repositories/far", {"retrievalCachePeriodSecs": 7200})
    assert changed.status_code == 200
    upstream = Upstream.objects.get(repository__key="far")
    assert (upstream.fresh_seconds, upstream.sealed_password) == (7200, sealed)
    assert upstream.index_url == "https://index.example.org/"
    make_repository(cast.acme.tenant, "other")
    scripts.admin("PUT", "api/repositories/both", virtual_of("local", "far", target="local"))
    scripts.admin("POST", "api/repositories/both", {"description": "Both of them"})
    scripts.admin("POST", "api/repositories/both", {"repositories": ["other", "local"]})
    both = scripts.admin.get("api/repositories/both")
    assert both["repositories"] == ["other", "local"]
    assert (both["defaultDeploymentRepo"], both["description"]) == ("local", "Both of them")


def test_a_remote_that_moves_may_not_reach_private_addresses_any_more(scripts, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "far", Kind.REMOTE)
    upstream = Upstream(
        repository=remote, index_url="https://inside.example/", private_allowed=True
    )
    configure.save_upstream(upstream, by=SYSTEM)
    scripts.admin("POST", "api/repositories/far", {"offline": True})
    assert Upstream.objects.get(repository=remote).private_allowed
    scripts.admin("POST", "api/repositories/far", {"url": "https://elsewhere.example/"})
    moved = Upstream.objects.get(repository=remote)
    assert (moved.index_url, moved.private_allowed) == ("https://elsewhere.example/", False)


def test_a_removed_repository_is_gone_and_its_key_is_taken(scripts) -> None:
    scripts.admin("PUT", "api/repositories/brief", LOCAL)
    scripts.admin("PUT", "api/repositories/over", virtual_of("brief"))
    assert "is a member of" in scripts.admin.refused("DELETE", "api/repositories/brief", 400)
    assert scripts.admin("DELETE", "api/repositories/over").status_code == 200
    assert scripts.admin("DELETE", "api/repositories/brief").status_code == 200
    assert "There is no repository acme/brief." in scripts.admin.refused(
        "GET", "api/repositories/brief", 404
    )
    scripts.admin.refused("PUT", "api/repositories/brief", 400, LOCAL)


REFUSED: list[tuple[Any, str]] = [
    (b"{", "The body is no JSON."),
    (b"[]", "The body is no JSON object."),
    (b"[" * 100_000, "The body is no JSON."),
    (b"\xff", "The body is no text in UTF-8."),
    ({}, "The rclass is local, remote or virtual."),
    ({"rclass": "federated"}, "The rclass is local, remote or virtual."),
    ({"rclass": ["local"]}, "rclass is a text in one line."),
    ({"rclass": "local", "packageType": "maven"}, "The packageType is pypi"),
    ({"rclass": "local", "key": "other"}, "The key in the body is not the URL's"),
    ({"rclass": "local", "description": "a\0b"}, "description is a text in one line."),
    ({"rclass": "local", "description": "\ud800"}, "description is a text in one line."),
    ({"rclass": "local", "description": "x" * 501}, "at most 500 characters"),
    ({"rclass": "local", "excludesPattern": "**/evil-*"}, "excludesPattern cannot be set"),
    ({"rclass": "local", "blackedOut": True}, "blackedOut cannot be set here."),
    ({"rclass": "remote"}, "A remote needs a url"),
    ({"rclass": "remote", "url": "ftp://a"}, "Give the http:// or https:// URL"),
    ({"rclass": "remote", "url": "https://u:p@a/"}, "in their own fields"),
    ({**REMOTE, "offline": "yes"}, "offline is true or false."),
    ({**REMOTE, "retrievalCachePeriodSecs": True}, "is a whole number."),
    ({**REMOTE, "retrievalCachePeriodSecs": -1}, "greater than or equal to 0"),
    ({**REMOTE, "retrievalCachePeriodSecs": 10**30}, "less than or equal to 2592000"),
    ({"rclass": "virtual", "repositories": "local"}, "repositories is a list of texts."),
    (virtual_of("nothing"), "There is no repository 'nothing' that you may use."),
    (virtual_of("globex/local"), "There is no repository 'globex/local' that you may use."),
    (virtual_of("local", target="other"), "'other' is not among the repositories of"),
    (virtual_of("new"), "new would show acme/new inside itself."),
]


def test_what_cannot_be_configured_so_is_refused_whole(scripts) -> None:
    for body, why in REFUSED:
        said = scripts.admin.refused("PUT", "api/repositories/new", 400, body)
        assert why in said
    assert not Repository.objects.filter(key="new").exists()


def test_a_key_that_none_can_have_is_refused(scripts) -> None:
    for key in ("pypi", "api", "Upper", "a%20b", "%00", "x" * 101):
        scripts.admin.refused("PUT", f"api/repositories/{key}", 400, LOCAL)
        scripts.admin.refused("GET", f"api/repositories/{key}", 404)


def test_only_who_administers_the_tenant_makes_and_removes(scripts) -> None:
    for script in (scripts.writer, scripts.reader, scripts.member):
        for key in ("new", "local"):
            said = script.refused("PUT", f"api/repositories/{key}", 403, LOCAL)
            assert said == "You may not administer acme. Ask ada."
        script.refused("DELETE", "api/repositories/local", 403)
        script.refused("POST", "api/repositories/local", 403, {"description": "x"})
    for key in ("new", "local"):
        said = scripts.theirs.refused("PUT", f"api/repositories/{key}", 403, LOCAL)
        assert said == (
            "There is no tenant acme that you may administer. "
            "Artifactory's paths mean acme at this host name."
        )
        assert "Sign in" in scripts.nobody.refused("PUT", f"api/repositories/{key}", 401, LOCAL)
    assert Repository.objects.filter(tenant__slug="acme").count() == 1


def test_a_token_administers_if_it_is_for_that(scripts, cast: Cast) -> None:
    token = cast.acme.admin.token
    configure.limit_token(token, [cast.acme.repository], by=SYSTEM)
    said = scripts.admin.refused("PUT", "api/repositories/new", 403, LOCAL)
    assert said == "You may not administer acme with this token. Use one that is allowed to."


def test_each_sees_the_repositories_that_they_may_read(scripts, cast: Cast) -> None:
    make_repository(cast.acme.tenant, "hidden")
    assert [row["key"] for row in scripts.reader.get("api/repositories")] == ["local"]
    assert scripts.member.get("api/repositories") == []
    assert scripts.theirs.get("api/repositories") == []
    for shows in ({}, {"X-JFrog-Art-Api": " "}):
        said = scripts.nobody.refused("GET", "api/repositories?type=local", 401, **shows)
        assert said == "Sign in with a user name and a token."
    challenged = scripts.nobody("GET", "api/repositories")
    assert challenged.headers["WWW-Authenticate"].startswith("Basic ")
    short = scripts.reader.get("api/repositories/local")
    assert set(short) == {"key", "packageType", "description", "rclass"}


def test_who_has_not_signed_in_sees_what_is_for_anyone(scripts, cast: Cast) -> None:
    grant(cast.acme.repository, Role.READER)
    assert [row["key"] for row in scripts.nobody.get("api/repositories")] == ["local"]
    assert scripts.nobody.get("api/repositories?type=virtual") == []


def test_another_tenants_token_hears_where_its_own_tenant_is(scripts, cast: Cast) -> None:
    for house, name in ((cast.acme, "acme.example"), (cast.globex, "globex.example")):
        house.tenant.host_name = name
        house.tenant.save()
    Membership.objects.create(user=cast.globex.writer.user, tenant=cast.acme.tenant)
    for method, path in (("PUT", "api/repositories/new"), ("GET", "api/storage/local/")):
        said = scripts.theirs.refused(method, path, 403, LOCAL)
        assert said.endswith(
            ". Artifactory's paths mean acme at this host name; those of globex are at "
            "globex.example."
        )


def test_a_page_of_another_site_changes_nothing(scripts) -> None:
    scripts.admin.refused(
        "PUT", "api/repositories/new", 403, LOCAL, Origin="https://elsewhere.example"
    )


def test_a_method_that_is_not_taken_says_which_are(scripts) -> None:
    answer = scripts.admin("PATCH", "api/repositories/local", {})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, HEAD, POST, PUT")
