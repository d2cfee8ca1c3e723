"""The access table of the REST door: every operation, who may ask for it, and what they hear.

Unsafe requests bring the form of an upload, as in the rest of the table: who gets past the door
hears that it is no JSON (415), or what else is amiss before a body is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from accounts.roles import Role
from tests.access.asking import SAFE
from tests.access.table import Hears, Row, Rule, _may, audit
from tests.access.world import FROG_NAME, Caller, Place

_R, _W, _A = Role.READER, Role.WRITER, Role.ADMIN
_IN = "repositories/<tenant>/<key>"
_AT = "/api/v1/repositories/{tenant}/{key}"
_END = "(?:/)?"

# Below a repository: its pattern, a path, and for each method the role and the status where served.
_OF_REPOSITORIES: tuple[tuple[str, str, Mapping[str, tuple[Role, int]]], ...] = (
    ("/upstream", "/upstream", {"GET": (_A, 400), "PATCH": (_A, 415)}),
    ("/upstream/check", "/upstream/check", {"POST": (_A, 400)}),
    ("/cache", "/cache", {"GET": (_A, 400)}),
    ("/cache/purges", "/cache/purges", {"GET": (_A, 400), "POST": (_A, 400)}),
    ("/cache/purges/<pk>", "/cache/purges/0", {"GET": (_A, 400)}),
    ("/members", "/members", {"GET": (_A, 400), "PUT": (_A, 415)}),
    ("/merging", "/merging", {"GET": (_A, 400), "PATCH": (_A, 415)}),
    ("/claims", "/claims", {"GET": (_A, 200), "POST": (_A, 415)}),
    ("/claims/<pattern>", "/claims/toad", {"DELETE": (_A, 404)}),
    ("/also-upstream", "/also-upstream", {"GET": (_A, 200), "POST": (_A, 415)}),
    ("/also-upstream/<project>", "/also-upstream/toad", {"DELETE": (_A, 404)}),
    ("/grants", "/grants", {"GET": (_A, 200), "POST": (_A, 415)}),
    ("/grants/<pk>", "/grants/0", {"GET": (_A, 404), "PATCH": (_A, 415), "DELETE": (_A, 404)}),
    ("/publishers", "/publishers", {"GET": (_A, 200), "POST": (_A, 415)}),
    ("/publishers/<pk>", "/publishers/0", {"GET": (_A, 404), "DELETE": (_A, 404)}),
    ("/publishers/<pk>/anew", "/publishers/0/anew", {"POST": (_A, 415)}),
    ("/explain", "/explain?project=frog", {"GET": (_R, 200)}),
    ("/extraction", "/extraction", {"GET": (_R, 200)}),
    ("/extraction/now", "/extraction/now", {"POST": (_A, 202)}),
    ("/projects", "/projects", {"GET": (_R, 200)}),
    ("/projects/<project>", "/projects/frog", {"GET": (_R, 200), "PATCH": (_A, 415)}),
    ("/projects/<project>/let-go", "/projects/toad/let-go", {"POST": (_A, 400)}),
    ("/projects/<project>/files", "/projects/frog/files", {"GET": (_R, 200)}),
    ("/projects/<project>/releases/<version>", "/projects/frog/releases/1.0",
     {"GET": (_R, 200), "PATCH": (_W, 415)}),
    ("/files", "/files", {"GET": (_R, 200)}),
    ("/files/<pk>", "/files/0", {"GET": (_R, 404), "PATCH": (_W, 404), "DELETE": (_A, 404)}),
    ("/files/<pk>/restore", "/files/0/restore", {"POST": (_A, 404)}),
    ("/files/<pk>/extract-again", "/files/0/extract-again", {"POST": (_W, 404)}),
    ("/files/<pk>/lift-quarantine", "/files/0/lift-quarantine", {"POST": (_A, 404)}),
    ("/files/<pk>/promote", "/files/0/promote", {"POST": (_R, 404)}),
    ("/files/<pk>/provenance", "/files/0/provenance", {"GET": (_R, 404)}),
    ("/files/<pk>/properties", "/files/0/properties", {"GET": (_R, 404)}),
    ("/files/<pk>/properties/<name>", "/files/0/properties/qa",
     {"PUT": (_W, 404), "DELETE": (_W, 404)}),
)  # fmt: skip
# Below a tenant: for each method the status where served.
_OF_TENANTS: tuple[tuple[str, str, Mapping[str, int]], ...] = (
    ("", "", {"GET": 200, "PATCH": 415}),
    ("/members/<pk>", "/members/0", {"GET": 404, "PATCH": 415, "DELETE": 404}),
    ("/invitations", "/invitations", {"GET": 200, "POST": 415}),
    ("/invitations/<username>", "/invitations/toad", {"DELETE": 404}),
    ("/teams", "/teams", {"GET": 200, "POST": 415}),
    ("/teams/<name>", "/teams/toad", {"GET": 404, "PATCH": 415, "DELETE": 404}),
    ("/service-accounts", "/service-accounts", {"GET": 200, "POST": 415}),
    ("/service-accounts/<name>", "/service-accounts/toad", {"GET": 404, "PATCH": 415}),
)


def _door(caller: Caller, method: str, methods: Mapping[str, object]) -> Hears | None:
    """Return what a caller hears before anything is looked at; None: they get in."""
    if caller.is_refused:
        return Hears.REFUSED
    if method not in SAFE and caller.by_cookie and method != "OPTIONS":
        return Hears.NO_FORM
    is_there = method in methods or (method == "HEAD" and "GET" in methods)
    return None if is_there else Hears.NOT_HERE


def below(methods: Mapping[str, tuple[Role, int]]) -> Rule:
    """Return the rule of an operation in a repository."""

    def rule(caller: Caller, place: Place, method: str) -> Hears:
        heard = _door(caller, method, methods)
        role = methods["GET" if method == "HEAD" else method][0] if heard is None else _R
        return heard or _may(caller, place, role)

    return rule


def repository(caller: Caller, place: Place, method: str) -> Hears:
    """Read by readers, changed by its admins, ended by the tenant's."""
    heard = below({"GET": (_R, 200), "PATCH": (_A, 415), "DELETE": (_A, 428)})(
        caller, place, method
    )
    is_office = caller.is_tenant_admin or caller.is_superuser
    if heard is Hears.SERVED and method == "DELETE" and not is_office:
        return Hears.MAY_NOT
    return heard


def _upload(how: str) -> Rule:
    def rule(caller: Caller, place: Place, method: str) -> Hears:
        if caller.is_refused:
            return Hears.REFUSED
        if method != how:
            return Hears.NOT_HERE
        heard = _may(caller.without_cookie(), place, Role.WRITER)
        if heard is Hears.SERVED and not caller.may_publish_frog:
            return Hears.MAY_NOT_WITH_THIS_TOKEN
        return heard

    return rule


def _person(caller: Caller) -> Hears | None:
    if not caller.is_known:
        return Hears.SIGN_IN
    return None if caller.has_come_themselves else Hears.MAY_NOT_WITH_A_TOKEN


@dataclass(frozen=True)
class Office:
    """The rule of what is for who administers the tenant, and has come themselves."""

    methods: frozenset[str]

    def __call__(self, caller: Caller, place: Place, method: str) -> Hears:
        """Return what a caller hears."""
        heard = _door(caller, method, dict.fromkeys(self.methods)) or _person(caller)
        if heard is not None:
            return heard
        if not caller.belongs_to(place.tenant):
            return Hears.NOT_YOURS
        is_admin = caller.is_superuser or caller.is_tenant_admin
        return Hears.SERVED if is_admin else Hears.MAY_NOT


@dataclass(frozen=True)
class AuditByRest:
    """The rule of the page of the audit, with what the door itself asks for."""

    def __call__(self, caller: Caller, place: Place, method: str) -> Hears:
        """Return what a caller hears."""
        return _door(caller, method, {"GET": 0}) or audit(caller, place, method)


def _superusers(methods: Mapping[str, int], *, otherwise: Rule | None = None) -> Rule:
    """Return the rule of what only a superuser does; of other methods, `otherwise` is."""

    def rule(caller: Caller, place: Place, method: str) -> Hears:
        if otherwise is not None and method != "POST":
            return otherwise(caller, place, method)
        heard = _door(caller, method, methods) or _person(caller)
        return heard or (Hears.SERVED if caller.is_superuser else Hears.NOT_THE_OFFICE)

    return rule


def _known(methods: Mapping[str, int], *, people_only: bool = False) -> Rule:
    """Return the rule of what everybody does who has signed in."""

    def rule(caller: Caller, _place: Place, method: str) -> Hears:
        if heard := _door(caller, method, methods):
            return heard
        if people_only:
            return _person(caller) or Hears.SERVED
        return Hears.SERVED if caller.is_known else Hears.SIGN_IN

    return rule


def _everybodys(caller: Caller, _place: Place, method: str) -> Hears:
    return _door(caller, method, {"GET": 0}) or Hears.SERVED


def _by_refresh_token(caller: Caller, _place: Place, method: str) -> Hears:
    return _door(caller, method, {"POST": 0}) or Hears.SERVED


def _nobodys(_caller: Caller, _place: Place, method: str) -> Hears:
    return Hears.SERVED if method in SAFE else Hears.NOT_HERE


def _page(_caller: Caller, _place: Place, method: str) -> Hears:
    if method in SAFE:
        return Hears.SERVED
    return Hears.NOT_HERE if method == "OPTIONS" else Hears.NO_FORM


def _repositories(caller: Caller, place: Place, method: str) -> Hears:
    """Everybody's list; to make one is for who has signed in, and then the body decides."""
    if method == "POST":
        return _known({"POST": 415})(caller, place, method)
    return _everybodys(caller, place, method)


def _row(pattern: str, path: str, rule: Rule, served: Mapping[str, int]) -> Row:
    statuses = {**served, "HEAD": served.get("GET", 200)}
    return Row(f"api/v1/{pattern}{_END}", path, rule, served=statuses)


def rest_rows() -> Iterator[Row]:
    """Return the table of the REST door."""
    yield _row("schema", "/api/v1/schema", _nobodys, {})
    yield _row("docs", "/api/v1/docs", _page, {})
    yield _row("search", "/api/v1/search?q=frog", _everybodys, {})
    yield _row("me", "/api/v1/me", _known({"GET": 200}), {})
    password = {"PUT": 415}
    yield _row("me/password", "/api/v1/me/password", _known(password, people_only=True), password)
    invited = "me/invitations"
    yield _row(invited, f"/api/v1/{invited}", _known({"GET": 200}, people_only=True), {})
    for word in ("join", "decline"):
        answered, path = {"POST": 415}, f"/api/v1/{invited}/{{tenant}}/{word}"
        rule = _known(answered, people_only=True)
        yield _row(f"{invited}/<tenant>/{word}", path, rule, answered)
    yield _row("repositories", "/api/v1/repositories", _repositories, {"POST": 415})
    yield _row(_IN, _AT, repository, {"PATCH": 415, "DELETE": 428})
    for pattern, path, methods in _OF_REPOSITORIES:
        served = {method: status for method, (_, status) in methods.items()}
        yield _row(_IN + pattern, _AT + path, below(methods), served)
    # The form is that of the very file that is there.
    for form in ("upload", "upload/check"):
        yield _row(f"{_IN}/{form}", f"{_AT}/{form}", _upload("POST"), {})
    raw = f"{_AT}/upload/{FROG_NAME}"
    yield _row(f"{_IN}/upload/<filename>", raw, _upload("PUT"), {"PUT": 400})
    tokens = {"GET": 200, "POST": 415}
    yield _row("tokens", "/api/v1/tokens", _known(tokens, people_only=True), tokens)
    token = {"GET": 404, "PATCH": 404, "DELETE": 404}
    yield _row("tokens/<pk>", "/api/v1/tokens/0", _known(token, people_only=True), token)
    yield _row("logins", "/api/v1/logins", _known(tokens, people_only=True), tokens)
    ended = {"DELETE": 404}
    yield _row("logins/<pk>", "/api/v1/logins/0", _known(ended, people_only=True), ended)
    for name in ("access", "logout"):
        yield _row(name, f"/api/v1/{name}", _by_refresh_token, {"POST": 415})
    listed = _superusers({"POST": 415}, otherwise=_known({"GET": 200}))
    yield _row("tenants", "/api/v1/tenants", listed, {"POST": 415})
    for pattern, path, statuses in _OF_TENANTS:
        yield _row(
            f"tenants/<tenant>{pattern}",
            f"/api/v1/tenants/{{tenant}}{path}",
            Office(frozenset(statuses)),
            statuses,
        )
    yield _row("tenants/<tenant>/audit", "/api/v1/tenants/{tenant}/audit", AuditByRest(), {})
    yield _row("audit", "/api/v1/audit", _superusers({"GET": 200}), {})
    issuers, issuer = {"GET": 200, "POST": 415}, {"GET": 404, "PATCH": 415, "DELETE": 404}
    yield _row("issuers", "/api/v1/issuers", _superusers(issuers), issuers)
    yield _row("issuers/<pk>", "/api/v1/issuers/0", _superusers(issuer), issuer)
    members = _superusers({"POST": 415}, otherwise=Office(frozenset({"GET"})))
    path = "/api/v1/tenants/{tenant}/members"
    yield _row("tenants/<tenant>/members", path, members, {"POST": 415})
    users = {"GET": 200, "POST": 415}
    yield _row("users", "/api/v1/users", _superusers(users), users)
    user = {"GET": 404, "PATCH": 404}
    yield _row("users/<username>", "/api/v1/users/toad", _superusers(user), user)
