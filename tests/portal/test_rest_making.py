"""A repository is made over REST with its upstream or its members in one request, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import logins
from accounts.models import KeptAnswer
from base.audit import SYSTEM
from base.models import AuditEvent
from repos.models import Kind, Repository
from tests.cast import Cast, make_repository
from tests.portal.test_rest import Rest, by_session, by_token, told

REMOTE = {"tenant": "acme", "key": "new", "kind": "remote"}
VIRTUAL = {"tenant": "acme", "key": "new", "kind": "virtual"}
INDEX = {"index_url": "https://index.example"}
MEMBERS = [{"repository": "acme/other"}, {"repository": "acme/local"}]


@pytest.fixture
def ada(cast: Cast) -> Rest:
    """Acme's administrator, in their browser."""
    make_repository(cast.acme.tenant, "other")
    AuditEvent.objects.all().delete()
    return by_session(cast.acme.admin)


def acts() -> set[str]:
    return set(AuditEvent.objects.values_list("action", flat=True))


def test_a_remote_is_made_with_its_upstream(ada: Rest) -> None:
    upstream = INDEX | {"username": "me", "password": "hush-hush", "include": ["frog*"]}
    made = ada("POST", "/repositories", REMOTE | {"upstream": upstream})
    assert made.status_code == 201, made.content
    assert made.json() == ada("GET", "/repositories/acme/new").json()
    read = ada("GET", "/repositories/acme/new/upstream").json()
    assert (read["index_url"], read["include"]) == ("https://index.example", ["frog*"])
    assert read["has_password"]
    assert "hush" not in f"{made.content!r} {list(AuditEvent.objects.values())}"
    assert acts() == {"repository.create", "grant.create", "upstream.create"}


def test_a_virtual_is_made_with_its_members_and_where_uploads_go(ada: Rest) -> None:
    parts = {"members": MEMBERS, "deployment": "acme/local"}
    assert ada("POST", "/repositories", VIRTUAL | parts).status_code == 201
    read = ada("GET", "/repositories/acme/new/members").json()["members"]
    assert [each["repository"] for each in read] == ["acme/other", "acme/local"]
    merging = ada("GET", "/repositories/acme/new/merging").json()
    assert merging["deployment"] == "acme/local"
    assert acts() == {"repository.create", "grant.create", "members.change", "virtual.create"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (REMOTE | {"upstream": {"index_url": "ftp://x"}}, "index_url: "),
        (REMOTE | {"upstream": {}}, "index_url: This field is required"),
        (REMOTE | {"upstream": INDEX | {"url": "x"}}, "url: There is no such field"),
        (REMOTE | {"upstream": INDEX | {"private_allowed": True}}, "Only who runs this"),
        (REMOTE | {"upstream": INDEX | {"proxy": "http://10.0.0.1"}}, "Only who runs this"),
        (REMOTE | {"members": MEMBERS}, "Only a virtual repository has members"),
        (VIRTUAL | {"upstream": INDEX}, "Only a remote repository has an upstream"),
        (VIRTUAL | {"kind": "local", "upstream": INDEX}, "Only a remote repository has"),
        (VIRTUAL | {"kind": "local", "deployment": "acme/local"}, "Only a virtual repository has"),
        (VIRTUAL | {"members": [{"repository": "globex/local"}]}, "no repository globex/local"),
        (VIRTUAL | {"members": [{"repository": "acme/new"}]}, "acme/new would show acme/new"),
        (VIRTUAL | {"members": [{"scope": "x"}]}, "repository: This field is required"),
        (VIRTUAL | {"deployment": "acme/local"}, "acme/local is not a local repository beneath"),
        (VIRTUAL | {"members": MEMBERS, "deployment": "globex/local"}, "no repository globex/"),
        (VIRTUAL | {"members": MEMBERS, "deployment": ""}, "deployment: This field may not be"),
    ],
)
@pytest.mark.parametrize("key", [{}, {"Idempotency_Key": "once"}])
def test_a_part_that_is_refused_leaves_nothing_behind(
    ada: Rest, body: dict[str, Any], words: str, key: dict[str, str]
) -> None:
    assert words in told(ada("POST", "/repositories", body, **key), 400)
    assert not Repository.objects.filter(key="new").exists()
    assert not KeptAnswer.objects.exists()
    assert not acts()
    assert ada("POST", "/repositories", REMOTE | {"upstream": INDEX}, **key).status_code == 201


def test_who_runs_the_installation_says_what_may_be_reached(cast: Cast) -> None:
    root = by_session(cast.superuser)
    upstream = {"index_url": "http://10.0.0.1/", "private_allowed": True}
    assert root("POST", "/repositories", REMOTE | {"upstream": upstream}).status_code == 201
    assert Repository.objects.get(key="new").upstream.private_allowed
    login, _ = logins.create(user=cast.superuser.user, name="laptop", by=SYSTEM)
    by_access = Rest({"Authorization": f"Bearer {logins.access_token(login)[0]}"})
    refused = by_access("POST", "/repositories", REMOTE | {"key": "x", "upstream": upstream})
    assert "Only who runs this installation" in told(refused, 400)
    assert not Repository.objects.filter(key="x").exists()


def test_who_makes_no_repositories_makes_none_with_parts(cast: Cast, ada: Rest) -> None:
    body = REMOTE | {"upstream": INDEX}
    told(by_token(cast.acme.writer)("POST", "/repositories", body), 403)
    told(Rest({})("POST", "/repositories", body), 401)
    assert not Repository.objects.filter(kind=Kind.REMOTE).exists()
