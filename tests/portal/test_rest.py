"""The REST door: what its operations do, and how they refuse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import logins
from accounts.models import KeptAnswer, Membership, Tenant, Token, User
from accounts.roles import Role
from base import audit
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import by_hand
from packages.describe import set_by_person
from packages.models import Blob, Distribution, Property
from packages.properties import said_by
from repos import configure
from repos.models import Grant, Kind, Repository
from tests.access.world import session_of
from tests.cast import Cast, Person, basic, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import published

API = "/api/v1"
NAME, BYTES = make_wheel("frog", "1.0")


class Rest:
    """The REST door as one caller uses it."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = dict(headers)
        self.client = Client(enforce_csrf_checks=True)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request with a body of JSON, and return its answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent: dict[str, Any] = {}
        if body is not None:
            sent = {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, API + path, headers=self.headers | named, **sent)


def by_token(person: Any) -> Rest:
    return Rest(person.headers)


def by_session(person: Person) -> Rest:
    return Rest(session_of(person.user) | {"X-CSRFToken": "c" * 32})


def told(answer: Any, status: int) -> str:
    """Require a refusal in the form of all, and return its sentence."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    return str(said["detail"])


@pytest.fixture
def ada(cast: Cast) -> Rest:
    """Acme's administrator, in their browser."""
    return by_session(cast.acme.admin)


# Repositories


def test_a_repository_is_made_read_changed_and_taken_out_of_service(cast: Cast, ada: Rest) -> None:
    made = ada("POST", "/repositories", {"tenant": "acme", "key": "new", "description": "x"})
    assert made.status_code == 201
    assert made.json()["kind"] == "local"
    read = ada("GET", "/repositories/acme/new")
    assert (read.json(), read["ETag"]) == (made.json(), made["ETag"])
    unchanged = ada("GET", "/repositories/acme/new", If_None_Match=read["ETag"])
    assert unchanged.status_code == 304
    changed = ada("PATCH", "/repositories/acme/new", {"quiet_period": 7}, If_Match=read["ETag"])
    assert (changed.status_code, changed.json()["quiet_period"]) == (200, 7)
    assert changed.json()["description"] == "x"
    gone = ada("DELETE", "/repositories/acme/new", If_Match=changed["ETag"])
    assert gone.status_code == 204
    assert "no repository acme/new" in told(ada("GET", "/repositories/acme/new"), 404)


def test_nobody_writes_over_what_somebody_else_has_changed(cast: Cast, ada: Rest) -> None:
    tag = ada("GET", "/repositories/acme/local")["ETag"]
    path, late = "/repositories/acme/local", {"quiet_period": 8}
    assert ada("PATCH", path, {"quiet_period": 7}, If_Match=tag).status_code == 200
    assert "Somebody has changed this" in told(ada("PATCH", path, late, If_Match=tag), 412)
    assert "If-Match" in told(ada("PATCH", path, late), 428)
    assert Repository.objects.get(tenant__slug="acme", key="local").quiet_period == 7
    assert ada("PATCH", path, late, If_Match="*").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"tenant": "acme", "key": "local"}, 409, "This key is taken"),
        ({"tenant": "acme", "key": "Big"}, 400, "key: Use lower-case letters"),
        ({"tenant": "acme", "key": "new", "kimd": "local"}, 400, "kimd: There is no such field"),
        ({"tenant": "acme"}, 400, "key: This field is required"),
        ({"tenant": "globex", "key": "new"}, 403, "There is no tenant globex that you may"),
        ({"tenant": "nobody", "key": "new"}, 403, "There is no tenant nobody that you may"),
        ([], 400, "Invalid data"),
        ({"tenant": "acme\x00", "key": "new"}, 400, "tenant: Null characters"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_reason(
    cast: Cast, ada: Rest, body: Any, status: int, words: str
) -> None:
    before = Repository.objects.count()
    assert words in told(ada("POST", "/repositories", body), status)
    assert Repository.objects.count() == before


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": ' + "9" * 5000 + "}", "\xff"])
def test_what_is_no_json_is_refused(cast: Cast, ada: Rest, text: str) -> None:
    answer = ada.client.post(
        f"{API}/repositories", text, content_type="application/json", headers=ada.headers
    )
    told(answer, 400)


def test_a_body_that_is_too_large_is_refused_unread(cast: Cast, ada: Rest, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    body = {"tenant": "acme", "key": "new", "description": "x" * 200}
    assert "larger than 100 bytes" in told(ada("POST", "/repositories", body), 400)


def test_a_form_is_no_json(cast: Cast) -> None:
    ada = by_token(cast.acme.admin)
    answer = ada.client.post(f"{API}/repositories", {"key": "new"}, headers=ada.headers)
    assert "multipart/form-data" in told(answer, 415)


def test_lists_go_on_where_their_pages_end(cast: Cast, ada: Rest) -> None:
    for number in range(5):
        make_repository(cast.acme.tenant, f"r{number}")
    seen, path = [], "/repositories?limit=2&tenant=acme"
    while path:
        page = ada("GET", path)
        seen += [each["key"] for each in page.json()["results"]]
        following = page.json()["next"]
        assert page.headers.get("Link", "") == (f'<{following}>; rel="next"' if following else "")
        path = following.partition(API)[2] if following else ""
    assert seen == ["local", "r0", "r1", "r2", "r3", "r4"]
    found = ada("GET", "/repositories?contains=R&kind=local").json()["results"]
    assert len(found) == 5
    assert "no such page" in told(ada("GET", "/repositories?cursor=x"), 400)


def test_lists_hold_what_the_caller_may_read_and_no_more(cast: Cast, ada: Rest) -> None:
    listed = ada("GET", "/repositories").json()["results"]
    assert [(each["tenant"], each["key"]) for each in listed] == [("acme", "local")]
    grant(cast.globex.repository, Role.READER)
    assert len(ada("GET", "/repositories").json()["results"]) == 2
    assert len(Rest({})("GET", "/repositories").json()["results"]) == 1


def test_a_remote_is_pointed_somewhere_and_its_password_is_never_told(
    cast: Cast, ada: Rest
) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    path = "/repositories/acme/remote/upstream"
    tag = ada("GET", path)["ETag"]
    body = {"index_url": "https://index.example/", "username": "me", "password": "hush-hush"}
    changed = ada("PATCH", path, body, If_Match=tag)
    assert changed.status_code == 200, changed.content
    assert changed.json()["has_password"]
    assert b"hush" not in changed.content + ada("GET", path).content
    assert "hush" not in str(list(AuditEvent.objects.values()))
    moved = ada("PATCH", path, {"index_url": "https://other.example/"}, If_Match="*")
    assert "the stored one is for the old host" in told(moved, 400)
    reach = ada("PATCH", path, {"private_allowed": True}, If_Match="*")
    assert "Only who runs this installation" in told(reach, 400)
    assert remote.upstream.index_url == "https://index.example/"
    assert "has an upstream" in told(ada("GET", "/repositories/acme/local/upstream"), 400)


def test_the_leave_for_a_private_address_ends_with_the_host(cast: Cast, ada: Rest) -> None:
    make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    path, root = "/repositories/acme/remote/upstream", by_session(cast.superuser)
    body = {"index_url": "http://10.0.0.1/", "private_allowed": True}
    assert root("PATCH", path, body, If_Match="*").json()["private_allowed"]
    assert ada("PATCH", path, {"offline": True}, If_Match="*").json()["private_allowed"]
    moved = ada("PATCH", path, {"index_url": "http://10.0.0.2/"}, If_Match="*")
    assert not moved.json()["private_allowed"]


def test_a_virtual_is_put_together_and_takes_uploads(cast: Cast, ada: Rest) -> None:
    make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    make_repository(cast.acme.tenant, "other")
    path = "/repositories/acme/all"
    members = {"members": [{"repository": "acme/other"}, {"repository": "acme/local"}]}
    assert ada("PUT", f"{path}/members", members, If_Match="*").status_code == 200
    read = ada("GET", f"{path}/members").json()["members"]
    assert [each["repository"] for each in read] == ["acme/other", "acme/local"]
    merging = {"merge": "first", "deployment": "acme/local"}
    assert ada("PATCH", f"{path}/merging", merging, If_Match="*").json() == merging
    strange = {"members": [{"repository": "globex/local"}]}
    refused = ada("PUT", f"{path}/members", strange, If_Match="*")
    assert "There is no repository globex/local that you may use" in told(refused, 400)
    assert ada("POST", f"{path}/also-upstream", {"project": "frog"}).status_code == 201
    assert ada("GET", f"{path}/also-upstream").json()["results"] == [{"project": "frog"}]
    assert ada("DELETE", f"{path}/also-upstream/frog").status_code == 204
    assert "does not take frog" in told(ada("DELETE", f"{path}/also-upstream/frog"), 404)


def test_names_are_claimed_and_claims_taken_back(cast: Cast, ada: Rest) -> None:
    path = "/repositories/acme/local/claims"
    assert ada("POST", path, {"pattern": "acme-*"}).status_code == 201
    assert "claims this already" in told(ada("POST", path, {"pattern": "acme-*"}), 409)
    assert ada("DELETE", f"{path}/acme-*").status_code == 204
    assert "does not claim" in told(ada("DELETE", f"{path}/acme-*"), 404)


def test_roles_are_given_changed_and_taken_away(cast: Cast, ada: Rest) -> None:
    path = "/repositories/acme/local/grants"
    made = ada("POST", path, {"subject": "user", "user": "mona", "role": "reader"})
    assert made.status_code == 201
    one = f"{path}/{made.json()['id']}"
    assert ada("PATCH", one, {"role": "admin"}, If_Match=made["ETag"]).json()["role"] == "admin"
    assert ada("DELETE", one).status_code == 204
    assert "has no grant" in told(ada("GET", one), 404)
    for body, status, words in (
        ({"subject": "user", "user": "gus", "role": "reader"}, 400, "gus is not a member of acme"),
        ({"subject": "user", "role": "reader"}, 400, "Name a user for"),
        ({"subject": "anyone", "role": "writer"}, 400, "the reader role only"),
        ({"subject": "user", "user": "wes", "role": "reader"}, 409, "There is a grant"),
        ({"subject": "team", "team": "crew", "role": "reader"}, 400, "has no team crew"),
    ):
        assert words in told(ada("POST", path, body), status)


# Who may


def test_a_reader_is_told_who_can_help(cast: Cast) -> None:
    ray = by_token(cast.acme.reader)
    assert "Ask ada" in told(ray("GET", "/repositories/acme/local/grants"), 403)
    assert "Ask ada" in told(ray("POST", "/repositories", {"tenant": "acme", "key": "x"}), 403)


def test_a_repository_of_others_is_answered_like_one_that_is_not_there(cast: Cast) -> None:
    ray = by_token(cast.acme.reader)
    heard = [
        told(ray("GET", f"/repositories/globex/{key}"), 403).replace(key, "KEY")
        for key in ("local", "wrong")
    ]
    assert heard[0] == heard[1]


def test_strangers_are_challenged_and_browsers_are_not(cast: Cast) -> None:
    nobody = Rest({})
    answer = nobody("GET", "/repositories/acme/local")
    assert "Sign in" in told(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Basic")
    asked = nobody("GET", "/repositories/acme/local", Sec_Fetch_Mode="navigate")
    assert "WWW-Authenticate" not in asked
    assert "not valid" in told(Rest({"Authorization": "Bearer x"})("GET", "/repositories"), 401)


def test_a_session_changes_nothing_without_the_token_of_a_page(cast: Cast) -> None:
    bare = Rest(session_of(cast.acme.admin.user))
    body = {"tenant": "acme", "key": "new"}
    assert "X-CSRFToken" in told(bare("POST", "/repositories", body), 403)
    there = by_session(cast.acme.admin)
    elsewhere = there("POST", "/repositories", body, Sec_Fetch_Site="cross-site")
    assert "another site" in told(elsewhere, 403)
    evil = by_token(cast.acme.admin)("POST", "/repositories", body, Origin="https://evil.example")
    assert "another site" in told(evil, 403)


def test_a_token_that_nothing_limits_makes_repositories_and_no_tokens(cast: Cast) -> None:
    ada = by_token(cast.acme.admin)
    assert ada("POST", "/repositories", {"tenant": "acme", "key": "new"}).status_code == 201
    assert "with this token" in told(ada("GET", "/tokens"), 403)
    configure.limit_token(cast.acme.admin.token, [cast.acme.repository], by=SYSTEM)
    refused = ada("POST", "/repositories", {"tenant": "acme", "key": "newer"})
    assert "with this token" in told(refused, 403)


# Tokens


def token_body(**more: Any) -> dict[str, Any]:
    return {
        "tenant": "acme",
        "name": "CI",
        "role": "writer",
        "repositories": ["acme/local"],
        "expires_at": None,
    } | more


def test_a_token_is_made_used_narrowed_and_revoked(cast: Cast) -> None:
    wes = by_session(cast.acme.writer)
    made = wes("POST", "/tokens", token_body())
    assert made.status_code == 201, made.content
    assert made["Cache-Control"] == "no-store"
    secret = made.json()["secret"]
    mine = Rest({"Authorization": f"Bearer {secret}"})
    assert mine("GET", "/me").json()["token"]["role"] == "writer"
    one = f"/tokens/{made.json()['id']}"
    read = wes("GET", one)
    assert secret.encode() not in read.content + wes("GET", "/tokens").content
    narrowed = wes("PATCH", one, {"role": "reader"}, If_Match=read["ETag"])
    assert narrowed.json()["role"] == "reader"
    assert narrowed.json()["repositories"] == ["acme/local"]
    wider = wes("PATCH", one, {"role": "admin"}, If_Match="*")
    assert "only ever narrowed" in told(wider, 400)
    assert wes("DELETE", one).status_code == 204
    assert "not valid" in told(mine("GET", "/me"), 401)


def test_tokens_are_made_for_service_accounts_and_for_nobody_else(cast: Cast, ada: Rest) -> None:
    assert ada("POST", "/tenants/acme/service-accounts", {"name": "ci"}).status_code == 201
    made = ada("POST", "/tokens", token_body(owner="acme/ci"))
    assert made.json()["owner"] == "acme/ci"
    for owner in ("wes", "gil", "nobody"):
        refused = ada("POST", "/tokens", token_body(owner=owner))
        assert f"You make no tokens for {owner}" in told(refused, 400)
    assert "There is no globex/local" in told(
        ada("POST", "/tokens", token_body(repositories=["globex/local"])), 400
    )
    assert "You have no such token" in told(
        by_session(cast.acme.writer)("GET", f"/tokens/{made.json()['id']}"), 404
    )


# Idempotency-Key


def test_the_same_request_with_the_same_key_makes_one_thing(cast: Cast, ada: Rest) -> None:
    body = {"tenant": "acme", "key": "new"}
    first = ada("POST", "/repositories", body, Idempotency_Key="k1")
    again = ada("POST", "/repositories", body, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert AuditEvent.objects.filter(action="repository.create", subject="acme/new").count() == 1
    other = ada("POST", "/repositories", body | {"key": "newer"}, Idempotency_Key="k1")
    assert "another request" in told(other, 409)


def test_a_refused_request_leaves_its_key_free(cast: Cast, ada: Rest) -> None:
    told(ada("POST", "/repositories", {"tenant": "acme", "key": "local"}, Idempotency_Key="k"), 409)
    made = ada("POST", "/repositories", {"tenant": "acme", "key": "new"}, Idempotency_Key="k")
    assert made.status_code == 201


def test_a_secret_is_not_kept_with_its_key(cast: Cast) -> None:
    wes = by_session(cast.acme.writer)
    made = wes("POST", "/tokens", token_body(), Idempotency_Key="k")
    again = wes("POST", "/tokens", token_body(), Idempotency_Key="k")
    assert "not shown again" in told(again, 409)
    assert Token.objects.filter(name="CI").count() == 1
    assert made.json()["secret"] not in str(list(KeptAnswer.objects.values()))


def test_a_key_is_somebodys_and_ends_after_a_day(cast: Cast, ada: Rest, time: MovableClock) -> None:
    body = {"tenant": "acme", "key": "new"}
    assert ada("POST", "/repositories", body, Idempotency_Key="k").status_code == 201
    root = by_session(cast.superuser)
    assert "taken" in told(root("POST", "/repositories", body, Idempotency_Key="k"), 409)
    time.move(hours=25)
    assert "taken" in told(ada("POST", "/repositories", body, Idempotency_Key="k"), 409)
    assert not KeptAnswer.objects.exists()
    bad = ada("POST", "/repositories", body, Idempotency_Key="a b")
    assert "without spaces" in told(bad, 400)


def test_what_is_kept_of_a_password_is_no_guessers(cast: Cast, settings) -> None:
    root, body = by_session(cast.superuser), {"username": "una", "password": "a-good-password"}
    told_key = {"Idempotency_Key": "k"}
    assert root("POST", "/users", body, **told_key).status_code == 201
    kept = KeptAnswer.objects.get().digest
    said = json.dumps(["POST", "/api/v1/users", body, 0], sort_keys=True)
    assert kept != hashlib.sha256(said.encode()).hexdigest()
    KeptAnswer.objects.all().delete()
    User.objects.get(username="una").delete()
    settings.SECRET_KEY = "another-key-of-fifty-characters-and-more-for-the-tests"
    root = by_session(cast.superuser)
    assert root("POST", "/users", body, **told_key).status_code == 201
    assert KeptAnswer.objects.get().digest != kept


def test_a_key_is_of_the_login_that_it_came_with(cast: Cast, ada: Rest) -> None:
    """Access tokens of two logins are two senders."""
    user, body = cast.acme.admin.user, {"tenant": "acme", "key": "new"}
    one, other = (
        Rest({"Authorization": f"Bearer {logins.access_token(login)[0]}"})
        for login, _ in (logins.create(user=user, name=name, by=SYSTEM) for name in "ab")
    )
    assert one("POST", "/repositories", body, Idempotency_Key="k").status_code == 201
    again = one("POST", "/repositories", body, Idempotency_Key="k")
    assert again["Idempotency-Replayed"] == "true"
    assert "another request" in told(other("POST", "/repositories", body, Idempotency_Key="k"), 409)


def test_using_a_thing_makes_no_other_version_of_it(cast: Cast, ada: Rest) -> None:
    wes = by_session(cast.acme.writer)
    token = f"/tokens/{cast.acme.writer.token.pk}"
    read = wes("GET", token)
    Token.objects.update(last_used_at=read.json()["created_at"])
    now = wes("GET", token, If_None_Match=read["ETag"])
    assert now.status_code == 200
    assert now.json()["last_used_at"] != read.json()["last_used_at"]
    changed = wes("PATCH", token, {"name": "smaller"}, If_Match=read["ETag"])
    assert changed.status_code == 200, changed.content
    told(wes("PATCH", token, {"name": "other"}, If_Match=read["ETag"]), 412)
    read = ada("GET", "/tenants/acme")
    Tenant.objects.update(used_bytes=5, used_files=1)
    changed = ada("PATCH", "/tenants/acme", {"name": "Acme 2"}, If_Match=read["ETag"])
    assert (changed.status_code, changed.json()["used_bytes"]) == (200, 5)
    told(ada("PATCH", "/tenants/acme", {"name": "x"}, If_Match=read["ETag"]), 412)


# Tenants and people


def test_a_tenants_people_are_scripted(cast: Cast, ada: Rest) -> None:
    assert ada("POST", "/tenants/acme/invitations", {"username": "sam"}).status_code == 202
    assert ada("POST", "/tenants/acme/invitations", {"username": "nobody"}).status_code == 202
    names = [each["username"] for each in ada("GET", "/tenants/acme/invitations").json()["results"]]
    assert names == ["nobody", "sam"]
    assert ada("DELETE", "/tenants/acme/invitations/sam").status_code == 204
    team = ada("POST", "/tenants/acme/teams", {"name": "data", "members": ["wes", "ray"]})
    assert team.json() == {"name": "data", "members": ["ray", "wes"]}
    path = "/tenants/acme/teams/data"
    assert ada("PATCH", path, {"members": []}, If_Match=team["ETag"]).json()["members"] == []
    strange = ada("PATCH", path, {"members": ["gus"]}, If_Match="*")
    assert "gus is not a member" in told(strange, 400)
    assert ada("DELETE", path).status_code == 204
    listed = ada("GET", "/tenants/acme/members").json()["results"]
    mona = next(each["id"] for each in listed if each["username"] == "mona")
    path = f"/tenants/acme/members/{mona}"
    changed = ada("PATCH", path, {"kind": "admin"}, If_Match="*")
    assert changed.json()["kind"] == "admin"
    assert ada("DELETE", path).status_code == 204
    assert not Membership.objects.filter(user__username="mona").exists()
    assert ada("POST", "/tenants/acme/service-accounts", {"name": "ci"}).status_code == 201
    rests = ada("PATCH", "/tenants/acme/service-accounts/ci", {"is_active": False}, If_Match="*")
    assert rests.json() == {"name": "ci", "username": "acme/ci", "is_active": False}
    assert "no tenant globex" in told(ada("GET", "/tenants/globex/members"), 403)


def test_who_runs_the_installation_makes_tenants_and_users(cast: Cast, ada: Rest) -> None:
    root = by_session(cast.superuser)
    made = root("POST", "/tenants", {"slug": "initech", "quota_files": 7})
    assert made.status_code == 201, made.content
    assert "Only who runs" in told(ada("POST", "/tenants", {"slug": "mine"}), 403)
    assert "Only who runs" in told(
        ada("PATCH", "/tenants/acme", {"quota_files": 7}, If_Match="*"), 400
    )
    assert ada("PATCH", "/tenants/acme", {"name": "Acme"}, If_Match="*").json()["name"] == "Acme"
    body = {"username": "peter", "password": "a-long-password-1"}
    made = root("POST", "/users", body)
    assert made.status_code == 201, made.content
    assert "password" not in made.json()
    joined = root("POST", "/tenants/initech/members", {"username": "peter", "kind": "admin"})
    assert joined.status_code == 201
    assert "too short" in told(root("POST", "/users", body | {"password": "x"}), 400)
    taken = root("POST", "/users", {"username": "peter"})
    assert "Names are one for the whole installation: invite who has" in told(taken, 409)
    rests = root("PATCH", "/users/peter", {"is_active": False}, If_Match="*")
    assert rests.json()["is_active"] is False
    assert "Only who runs" in told(ada("GET", "/users"), 403)


def test_the_audit_is_read_by_who_administers_the_tenant(cast: Cast, ada: Rest) -> None:
    ada("PATCH", "/repositories/acme/local", {"quiet_period": 7}, If_Match="*")
    events = ada("GET", "/tenants/acme/audit?act=repository.change").json()["results"]
    assert [(each["actor"], each["subject"]) for each in events] == [("ada", "acme/local")]
    assert events[0]["after"]["quiet_period"] == 7
    whole, path = [], "/tenants/acme/audit?limit=5"
    while path:
        page = ada("GET", path).json()
        whole += [(each["at"], each["action"], each["subject"]) for each in page["results"]]
        path = page["next"].partition(API)[2] if page["next"] else ""
    assert len(whole) == AuditEvent.objects.filter(tenant="acme").count()
    told(by_session(cast.acme.writer)("GET", "/tenants/acme/audit"), 403)


# What is inside


@pytest.fixture
def frog(client: Client, cast: Cast) -> Distribution:
    """A file in acme's local."""
    published(client, "frog", "1.0", (NAME, BYTES), by=cast.acme.writer)
    return Distribution.objects.get(filename=NAME)


def test_a_file_is_sent_as_it_is_or_in_a_form_and_found_again(cast: Cast) -> None:
    wes = by_token(cast.acme.writer)
    path = "/repositories/acme/local/upload"

    def put(content: bytes, query: str = "") -> Any:
        return wes.client.put(
            f"{API}{path}/{NAME}{query}",
            content,
            content_type="application/octet-stream",
            headers=wes.headers,
        )

    sent = put(BYTES)
    assert sent.status_code == 201, sent.content
    file = sent.json()["file"]
    assert (file["project"], file["version"], sent.json()["created"]) == ("frog", "1.0", True)
    assert put(BYTES).status_code == 200
    assert "File already exists" in told(put(BYTES + b"x"), 400)
    assert "sha256" in told(put(make_wheel("frog", "2.0")[1], "?sha256=" + "0" * 64), 400)
    got = wes.client.get(urlsplit(file["url"]).path, headers=wes.headers)
    assert got.getvalue() == BYTES
    name, content = make_wheel("toad", "1.0")
    late = {"content": SimpleUploadedFile(name, content), "properties": "qa.approved=yes"}
    refused = wes.client.post(f"{API}{path}", late, headers=wes.headers)
    assert "Put the field properties before the file" in told(refused, 400)
    form = {"properties": "qa.approved=yes", "content": SimpleUploadedFile(name, content)}
    sent = wes.client.post(f"{API}{path}", form, headers=wes.headers)
    assert sent.status_code == 201, sent.content
    listed = wes("GET", "/repositories/acme/local/files").json()["results"]
    assert [each["filename"] for each in listed] == [NAME, name]
    found = wes("GET", "/search?q=qa.approved:yes").json()
    assert [each["filename"] for each in found["hits"]] == [name]


def test_an_upload_takes_no_session(cast: Cast, ada: Rest) -> None:
    answer = ada.client.put(
        f"{API}/repositories/acme/local/upload/{NAME}",
        BYTES,
        content_type="application/octet-stream",
        headers=ada.headers,
    )
    assert "Sign in" in told(answer, 401)


def test_projects_releases_and_files_are_read_in_any_kind(
    cast: Cast, ada: Rest, frog: Distribution
) -> None:
    virtual = make_repository(cast.acme.tenant, "all", Kind.VIRTUAL)
    configure.set_members(virtual, [cast.acme.repository], by=SYSTEM)
    for key in ("local", "all"):
        path = f"/repositories/acme/{key}/projects"
        assert [each["project"] for each in ada("GET", path).json()["results"]] == ["frog"]
        assert ada("GET", f"{path}/frog").json()["versions"] == ["1.0"]
        files = ada("GET", f"{path}/frog/files").json()["results"]
        assert [(each["filename"], each["source"]) for each in files] == [(NAME, "acme/local")]
        said = ada("GET", f"/repositories/acme/{key}/explain?project=frog").json()
        assert said["taken"] == NAME
        assert said["lines"][0]["is_shown"]
        told(ada("GET", f"{path}/toad"), 404)
    assert ada("GET", "/repositories/acme/all/files").json()["results"] == []


def test_files_and_releases_are_yanked_deleted_and_restored(
    cast: Cast, ada: Rest, frog: Distribution
) -> None:
    base = "/repositories/acme/local"
    file = f"{base}/files/{frog.pk}"
    assert ada("PATCH", file, {"yanked": True, "reason": "croaks"}).json()["yanked"]
    assert not ada("PATCH", file, {"yanked": False}).json()["yanked"]
    release = f"{base}/projects/frog/releases/1.0"
    assert ada("PATCH", release, {"yanked": True, "reason": "croaks"}).json()["yanked"]
    assert ada("GET", release).json()["yanked_reason"] == "croaks"
    status = {"status": "archived", "reason": "done"}
    assert ada("PATCH", f"{base}/projects/frog", status).json()["status"] == "archived"
    assert ada("DELETE", file).status_code == 204
    assert ada("GET", f"{base}/files").json()["results"] == []
    assert len(ada("GET", f"{base}/files?deleted=true").json()["results"]) == 1
    wes = by_token(cast.acme.writer)
    assert wes("GET", f"{base}/files?deleted=true").json()["results"] == []
    told(wes("GET", file), 404)
    assert ada("POST", f"{file}/restore").json()["deleted_at"] is None
    assert "not deleted" in told(ada("POST", f"{file}/restore"), 400)
    assert ada("POST", f"{base}/projects/frog/let-go").status_code == 204
    told(wes("DELETE", file), 403)


def test_properties_are_set_listed_and_removed(cast: Cast, frog: Distribution) -> None:
    wes = by_token(cast.acme.writer)
    path = f"/repositories/acme/local/files/{frog.pk}/properties"
    said = wes("PUT", f"{path}/qa.approved", {"values": ["yes", "by ada"]}).json()["properties"]
    assert said[0] == {"name": "qa.approved", "values": ["yes", "by ada"], "origin": "person"}
    assert "cannot be set" in told(wes("PUT", f"{path}/pypi.license", {"values": ["x"]}), 400)
    assert wes("DELETE", f"{path}/qa.approved").status_code == 204
    assert "no property" in told(wes("DELETE", f"{path}/qa.approved"), 400)


def test_extraction_is_told_of_and_begun_at_once(cast: Cast, ada: Rest, frog: Distribution) -> None:
    path = "/repositories/acme/local/extraction"
    assert ada("GET", path).json()["files"] == 1
    now = ada("POST", f"{path}/now")
    assert (now.status_code, now.json()["seconds"]) == (202, 0)
    told(by_token(cast.acme.writer)("POST", f"{path}/now"), 403)
    again = ada("POST", f"/repositories/acme/local/files/{frog.pk}/extract-again")
    assert "has not failed" in told(again, 400)


def test_the_files_of_a_project_go_on_though_the_last_one_seen_has_gone(
    client: Client, cast: Cast, ada: Rest
) -> None:
    for version in ("1.9", "1.10", "2.0"):
        wheel = make_wheel("frog", version)
        published(client, "frog", version, wheel, by=cast.acme.writer)
    path = "/repositories/acme/local/projects/frog/files"
    first = ada("GET", f"{path}?limit=2").json()
    assert [line["version"] for line in first["results"]] == ["1.9", "1.10"]
    last = Distribution.objects.get(filename=first["results"][-1]["filename"])
    assert ada("DELETE", f"/repositories/acme/local/files/{last.pk}").status_code == 204
    following = ada("GET", first["next"].partition(API)[2]).json()
    assert [line["version"] for line in following["results"]] == ["2.0"]
    assert following["next"] is None


# Promotion


@pytest.fixture
def production(cast: Cast) -> Repository:
    """Where what is approved goes."""
    repository = make_repository(cast.acme.tenant, "production")
    grant(repository, Role.WRITER, cast.acme.writer)
    return repository


def test_a_file_is_promoted_with_what_people_said_and_without_new_bytes(
    cast: Cast, frog: Distribution, production: Repository
) -> None:
    set_by_person(frog, {"qa.approved": ["yes"]}, by=SYSTEM)
    wes, blobs = by_token(cast.acme.writer), Blob.objects.count()
    path = f"/repositories/acme/local/files/{frog.pk}/promote"
    done = wes("POST", path, {"to": "acme/production"})
    assert done.status_code == 201, done.content
    copy = Distribution.objects.get(pk=done.json()["file"]["id"])
    assert (copy.repository, copy.blob_id) == (production, frog.blob_id)
    assert Blob.objects.count() == blobs
    assert copy.properties.filter(name="qa.approved", value="yes", origin="person").exists()
    assert wes("POST", path, {"to": "acme/production"}).status_code == 200
    event = AuditEvent.objects.get(action="contents.promote")
    assert (event.actor, event.subject) == ("wes", f"acme/local/{NAME}")
    assert event.after["to"] == "acme/production"


def test_properties_are_promoted_as_they_are(
    ada: Rest, frog: Distribution, production: Repository
) -> None:
    set_by_person(frog, {"note": [" = a margin "]}, by=SYSTEM)
    path = f"/repositories/acme/local/files/{frog.pk}/promote"
    assert ada("POST", path, {"to": "acme/production"}).status_code == 201
    copy = production.distributions.get()
    assert said_by(copy, Property.Origin.PERSON) == {"note": [" = a margin "]}


@pytest.mark.parametrize("what", ["files/<pk>", "projects/frog/releases/1.0"])
@pytest.mark.parametrize("is_move", [False, True])
def test_a_yank_goes_with_what_is_promoted(
    ada: Rest, frog: Distribution, production: Repository, what: str, is_move: bool
) -> None:
    shelf = "/repositories/acme/local/"
    yanked = {"yanked": True, "reason": "It loses data."}
    path = shelf + what.replace("<pk>", str(frog.pk))
    assert ada("PATCH", path, yanked, If_Match="*").status_code == 200
    body = {"to": "acme/production", "move": is_move}
    done = ada("POST", f"{shelf}files/{frog.pk}/promote", body)
    assert done.status_code == 201, done.content
    listed = ada("GET", "/repositories/acme/production/projects/frog/files").json()["results"]
    assert [line["yanked_reason"] for line in listed] == ["It loses data."]
    event = AuditEvent.objects.get(action="distribution.publish", repository="acme/production")
    assert event.after["yanked_reason"] == "It loses data."


def test_a_promotion_that_is_broken_off_and_done_again_is_in_the_audit(
    ada: Rest, frog: Distribution, production: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_by_person(frog, {"qa.approved": ["yes"]}, by=SYSTEM)
    path = f"/repositories/acme/local/files/{frog.pk}/promote"

    def killed(*_args: Any, **_more: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(by_hand, "set_by_person", killed)
        with pytest.raises(SystemExit):
            ada("POST", path, {"to": "acme/production"})
    assert ada("POST", path, {"to": "acme/production"}).status_code == 200
    assert production.distributions.get().properties.filter(name="qa.approved").exists()
    assert AuditEvent.objects.get(action="contents.promote").after["to"] == "acme/production"


def test_nothing_is_promoted_whose_event_cannot_be_written(
    ada: Rest, frog: Distribution, production: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = audit.record

    def failing(**event: Any) -> None:
        if event["action"] == "contents.promote":
            raise RuntimeError
        record(**event)

    monkeypatch.setattr(audit, "record", failing)
    with pytest.raises(RuntimeError):
        ada("POST", f"/repositories/acme/local/files/{frog.pk}/promote", {"to": "acme/production"})
    assert not production.distributions.exists()


def test_a_move_leaves_a_tombstone_and_needs_an_admin(
    cast: Cast, ada: Rest, frog: Distribution, production: Repository
) -> None:
    path = f"/repositories/acme/local/files/{frog.pk}/promote"
    body = {"to": "acme/production", "move": True}
    told(by_token(cast.acme.writer)("POST", path, body), 403)
    assert not production.distributions.exists()
    assert ada("POST", path, body).status_code == 201
    frog.refresh_from_db()
    assert frog.deleted_at is not None
    assert production.distributions.get().deleted_at is None


def test_the_rules_of_the_target_hold_for_what_is_promoted(
    cast: Cast, ada: Rest, frog: Distribution, production: Repository
) -> None:
    path = f"/repositories/acme/local/files/{frog.pk}/promote"
    ray = by_token(cast.acme.reader)
    told(ray("POST", path, {"to": "acme/production"}), 403)
    told(ada("POST", path, {"to": "globex/local"}), 403)
    assert "there already" not in told(ada("POST", path, {"to": "acme/local"}), 400)
    root = by_session(cast.superuser)
    assert "different tenants" in told(root("POST", path, {"to": "globex/local"}), 400)
    production.max_file_bytes = 1
    production.save()
    assert "too large" in told(ada("POST", path, {"to": "acme/production"}), 413)
    production.max_file_bytes = 10**9
    production.save()
    ada("PATCH", "/repositories/acme/local/projects/frog", {"status": "quarantined", "reason": "x"})
    assert "quarantined" in told(ada("POST", path, {"to": "acme/production"}), 403)
    assert not production.distributions.exists()


# Budgets


@pytest.mark.parametrize(
    "path",
    [
        "/repositories",
        "/repositories/acme/local/grants",
        "/repositories/acme/local/claims",
        "/repositories/acme/local/files",
        "/repositories/acme/local/projects",
        "/repositories/acme/local/projects/frog/files",
        "/tokens?tenant=acme",
        "/tenants/acme/members",
        "/tenants/acme/teams",
        "/tenants/acme/audit",
        "/tenants",
        "/users",
    ],
)
def test_a_list_asks_a_fixed_number_of_questions(
    client: Client, cast: Cast, django_assert_max_num_queries, path: str
) -> None:
    for number in range(5):
        wheel = make_wheel("frog", f"1.{number}")
        published(client, "frog", f"1.{number}", wheel, by=cast.acme.writer)
        make_repository(cast.acme.tenant, f"r{number}")
    for each in Repository.objects.filter(tenant=cast.acme.tenant).exclude(key="local"):
        configure.create_token(
            membership=cast.acme.writer.token.membership,
            name=each.key,
            by=SYSTEM,
            repositories=[each],
        )
        configure.save_grant(Grant(repository=each, subject="members"), by=SYSTEM)
    root = by_session(cast.superuser)
    with django_assert_max_num_queries(12):
        assert root("GET", path).status_code == 200


def test_the_door_takes_passwords_and_tokens_in_every_form(cast: Cast) -> None:
    secret = cast.acme.reader.secret
    for headers in (
        {"Authorization": f"Bearer {secret}"},
        {"X-JFrog-Art-Api": secret},
        basic("whoever", secret),
    ):
        assert Rest(headers)("GET", "/me").json()["username"] == "ray"


def test_a_method_that_is_not_there_names_those_that_are(cast: Cast, ada: Rest) -> None:
    answer = ada("PUT", "/repositories")
    told(answer, 405)
    assert answer["Allow"] == "GET, HEAD, POST"
