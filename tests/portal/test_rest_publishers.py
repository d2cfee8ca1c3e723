"""The REST door about issuers and publishers: what it says of them, and how it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Issuer
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure
from repos.models import Kind, TrustedPublisher, VirtualSettings
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.portal.test_rest import Rest, by_session, by_token, told
from tests.publishers import exchanged, make_issuer, trust
from tests.repos.test_publishers import send
from tests.signing import ISSUER

HERE = "/repositories/acme/local/publishers"
FROG = {"project": "Frog", "issuer": ISSUER, "source": "Octo/Frog", "workflow": "release.yml"}


@pytest.fixture
def ada(cast: Cast) -> Rest:
    """Acme's administrator, in their browser."""
    return by_session(cast.acme.admin)


@pytest.fixture
def root(cast: Cast) -> Rest:
    """Who runs the installation."""
    return by_session(cast.superuser)


def test_an_issuer_is_added_changed_and_removed(root: Rest) -> None:
    sent = {"kind": "gitlab", "url": "https://git.example", "private_allowed": True}
    made = root("POST", "/issuers", sent, Idempotency_Key="once")
    again = root("POST", "/issuers", sent, Idempotency_Key="once")
    assert (made.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert made.json() == again.json() == sent | {
        "id": Issuer.objects.get().pk, "is_active": True, "ca": "",
    }  # fmt: skip
    path = f"/issuers/{made.json()['id']}"
    assert root("GET", path)["ETag"] == made["ETag"]
    assert "If-Match" in told(root("PATCH", path, {"is_active": False}), 428)
    changed = root("PATCH", path, {"is_active": False}, If_Match=made["ETag"])
    assert (changed.status_code, changed.json()["is_active"]) == (200, False)
    told(root("PATCH", path, {"is_active": True}, If_Match=made["ETag"]), 412)
    assert [each["url"] for each in root("GET", "/issuers").json()["results"]] == [sent["url"]]
    assert root("DELETE", path).status_code == 204
    assert "no issuer" in told(root("GET", path), 404)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"kind": "github", "url": "http://ci.example"}, 400, "url: Give the https:// URL"),
        ({"kind": "svn", "url": "https://ci.example"}, 400, "kind: "),
        ({"url": "https://new.example"}, 400, "kind: This field is required"),
        ({"kind": "github", "url": ISSUER}, 409, "url: "),
    ],
)
def test_an_issuer_that_cannot_be_is_refused_with_the_reason(
    root: Rest, body: Any, status: int, words: str
) -> None:
    make_issuer()
    assert words in told(root("POST", "/issuers", body), status)


def test_an_issuer_that_is_there_is_said_to_be(root: Rest) -> None:
    make_issuer()
    sentence = told(root("POST", "/issuers", {"kind": "github", "url": ISSUER}), 409)
    assert "It is there already. Change that one: in the admin, or by REST." in sentence


def test_an_issuer_of_another_kind_is_refused_where_the_kind_is_said(ada: Rest) -> None:
    make_issuer()
    sentence = told(ada("POST", HERE, FROG | {"kind": "gitlab"}), 400)
    assert f"{ISSUER} was added as an issuer of GitHub." in sentence
    assert ada("POST", HERE, FROG | {"kind": "github"}).json()["kind"] == "github"


def test_others_are_trusted_by_the_numbers_that_one_says(cast: Cast, ada: Rest) -> None:
    issuer = make_issuer()
    beside = trust(cast.acme.repository, issuer, "toad")
    made = ada("POST", HERE, FROG | {"owner_id": "4711", "source_id": "1"}).json()
    path = f"{HERE}/{made['id']}/anew"
    assert "source_id: " in told(ada("POST", path, {"source_id": "frog"}), 400)
    again = ada("POST", path, {"source_id": "815"}).json()
    assert again == made | {
        "owner_id": "",
        "source_id": "815",
        "trusted_anew_at": again["trusted_anew_at"],
    }
    assert again["trusted_anew_at"] > made["created_at"]
    beside.refresh_from_db()
    assert beside.source_id == "815"
    assert send(exchanged(issuer).secret).status_code == 200


def test_an_issuer_that_repositories_rely_on_stays_what_it_is(cast: Cast, root: Rest) -> None:
    issuer = make_issuer()
    trust(cast.acme.repository, issuer)
    path = f"/issuers/{issuer.pk}"
    assert "kind: Publishers" in told(root("PATCH", path, {"kind": "other"}, If_Match="*"), 400)
    assert "Remove them first" in told(root("DELETE", path), 400)


def test_issuers_are_for_who_runs_the_installation(cast: Cast, ada: Rest) -> None:
    told(ada("GET", "/issuers"), 403)
    told(by_token(cast.acme.admin)("GET", "/issuers"), 403)
    told(ada("POST", "/issuers", {"kind": "github", "url": ISSUER}), 403)


def test_a_publisher_is_pending_until_its_project_is_there(
    cast: Cast, ada: Rest, time: MovableClock
) -> None:
    issuer = make_issuer()
    made = ada("POST", HERE, FROG)
    said = made.json()
    assert made.status_code == 201, made.content
    assert (said["project"], said["source"], said["kind"]) == ("frog", "octo/frog", "github")
    assert said["name"] == "GitHub at ci.example: octo/frog, release.yml"
    assert (said["is_pending"], said["last_used_at"], said["owner_id"]) == (True, None, "")
    assert send(exchanged(issuer).secret).status_code == 200
    read = ada("GET", f"{HERE}/{said['id']}")
    assert read["ETag"] == made["ETag"]  # use is no change
    (listed,) = ada("GET", HERE).json()["results"]
    assert listed == read.json()
    assert (listed["owner_id"], listed["source_id"]) == ("4711", "815")
    assert not listed["is_pending"]
    assert listed["last_used_at"] == time().isoformat().replace("+00:00", "Z")
    assert ada("DELETE", f"{HERE}/{said['id']}").status_code == 204
    assert f"trusts no publisher {said['id']}" in told(ada("GET", f"{HERE}/{said['id']}"), 404)


def test_the_list_goes_on_where_its_page_ends(cast: Cast, ada: Rest) -> None:
    issuer = make_issuer()
    for project in ("toad", "frog", "newt"):
        trust(cast.acme.repository, issuer, project)
    trust(cast.globex.repository, issuer)
    first = ada("GET", f"{HERE}?limit=2").json()
    last = ada("GET", first["next"].partition("/api/v1")[2]).json()
    seen = [each["project"] for page in (first, last) for each in page["results"]]
    assert (seen, last["next"]) == (["frog", "newt", "toad"], None)


def test_an_owner_that_is_said_beforehand_is_the_one(cast: Cast, ada: Rest) -> None:
    issuer = make_issuer()
    made = ada("POST", HERE, FROG | {"owner_id": "99"})
    assert made.status_code == 201
    with pytest.raises(Exception, match="another owner"):
        exchanged(issuer)
    assert exchanged(issuer, repository_owner_id="99").secret


def test_a_repository_that_is_said_beforehand_is_the_one(cast: Cast, ada: Rest) -> None:
    issuer = make_issuer()
    assert ada("POST", HERE, FROG | {"source_id": "816"}).status_code == 201
    with pytest.raises(Exception, match="is another than the one of this name"):
        exchanged(issuer)
    assert exchanged(issuer, repository_id="816").secret


@pytest.mark.parametrize(
    ("other", "status", "words"),
    [
        ({"project": "frog!"}, 400, "is not a project name"),
        ({"issuer": "https://nobody.example"}, 400, f"There are: {ISSUER}."),
        ({"issuer": "https://\x00"}, 400, "issuer: "),
        ({"source": "frog"}, 400, "source: Give owner/repository"),
        ({"source": "a/b/c"}, 400, "source: Give owner/repository"),
        ({"workflow": ""}, 400, "workflow: Name the file"),
        ({"workflow": "ci/release.yml"}, 400, "workflow: Give a file's name"),
        ({"owner_id": "octo"}, 400, "owner_id: Give the owner's number"),
        ({"source_id": "frog"}, 400, "source_id: Give its number"),
        ({"claims": {"sub": 7.5, "x": []}}, 400, "claims"),
        ({"last_used_at": None, "kimd": ""}, 400, "kimd: There is no such field"),
    ],
)
def test_a_publisher_that_could_never_fit_is_refused_with_the_reason(
    ada: Rest, other: dict[str, Any], status: int, words: str
) -> None:
    make_issuer()
    assert words in told(ada("POST", HERE, FROG | other), status)
    assert not TrustedPublisher.objects.exists()


def test_the_same_publisher_is_trusted_once_and_by_a_local(cast: Cast, ada: Rest) -> None:
    make_issuer()
    make_repository(cast.acme.tenant, "mirror", Kind.REMOTE)
    assert ada("POST", HERE, FROG).status_code == 201
    assert "trusts this publisher already" in told(ada("POST", HERE, FROG), 409)
    elsewhere = ada("POST", "/repositories/acme/mirror/publishers", FROG)
    assert "Only a local repository" in told(elsewhere, 400)


def test_for_a_virtual_the_local_behind_it_is_named_to_who_may_read_it(cast: Cast) -> None:
    make_issuer()
    virtual = make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    grant(virtual, Role.ADMIN, cast.acme.member)
    here, told_all = "/repositories/acme/all/publishers", "add it to acme/local, where acme/all"
    ada, other = by_token(cast.acme.admin), by_token(cast.acme.member)
    assert "publisher uploads." in told(ada("POST", here, FROG), 400)
    settings = VirtualSettings(repository=virtual, deployment=cast.acme.repository)
    configure.save_virtual(settings, by=SYSTEM)
    assert f"{told_all} passes uploads." in told(ada("POST", here, FROG), 400)
    assert "publisher uploads." in told(other("POST", here, FROG), 400)


def test_publishers_are_for_who_administers_the_repository(cast: Cast) -> None:
    make_issuer()
    trust(cast.acme.repository, Issuer.objects.get())
    for who in (by_token(cast.acme.writer), by_token(cast.globex.admin), by_session(cast.stranger)):
        told(who("GET", HERE), 403)
        told(who("POST", HERE, FROG), 403)
    assert by_token(cast.acme.admin)("GET", HERE).status_code == 200
