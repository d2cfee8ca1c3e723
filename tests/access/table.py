"""The access table as data: every URL that there is, who may ask it, and what they hear.

A row is one pattern of the URLconf. Its rule says, from the caller, the place and the method,
what they shall hear. Nothing here is taken from the code that answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from http import HTTPStatus

from accounts.roles import Role
from tests.access.asking import SAFE
from tests.access.world import FROG_BYTES, FROG_NAME, WRONG_TENANT, Caller, Place


class Hears(Enum):
    """What a caller hears."""

    SERVED = "what they asked for"
    SIGN_IN = "sign in"
    REFUSED = "your credential is wrong"
    MAY_NOT = "you may not, and who can help"
    MAY_NOT_WITH_THIS_TOKEN = "not with this token"
    MAY_NOT_WITH_A_TOKEN = "not with any token, but signed in"
    NOT_YOURS = "none that you may use, be it there or not"
    NO_TENANT = "no tenant that you may administer, be it there or not"
    NOT_THERE = "your tenant has none of this name"
    NOT_HERE = "this URL does not take that method"
    NO_FORM = "this did not come from a form of ours"
    NOT_THE_OFFICE = "only who runs the installation"


Rule = Callable[[Caller, Place, str], Hears]


def index(caller: Caller, place: Place, method: str) -> Hears:
    """Clients read it; nothing else is done here."""
    if method in SAFE:
        return _may(caller, place, Role.READER)
    return Hears.REFUSED if caller.is_refused else Hears.NOT_HERE


def repository(caller: Caller, place: Place, method: str) -> Hears:
    """The repository's own URL: people read its page, clients post their uploads."""
    if method in SAFE:
        return _may(caller, place, Role.READER)
    if method != "POST":
        return Hears.REFUSED if caller.is_refused else Hears.NOT_HERE
    hears = _may(caller.without_cookie(), place, Role.WRITER)
    if hears is Hears.SERVED and not caller.may_publish_frog:
        return Hears.MAY_NOT_WITH_THIS_TOKEN
    return hears


def page(caller: Caller, place: Place, method: str) -> Hears:
    """A page about a repository's contents."""
    return _may(caller, place, Role.READER) if method in SAFE else _only_read(method)


def writers_page(caller: Caller, place: Place, method: str) -> Hears:
    """A page for those who may write there."""
    return _may(caller, place, Role.WRITER) if method in SAFE else _only_read(method)


def admins_page(caller: Caller, place: Place, method: str) -> Hears:
    """A page for those who administer the repository."""
    return _may(caller, place, Role.ADMIN) if method in SAFE else _only_read(method)


def upload_page(caller: Caller, place: Place, method: str) -> Hears:
    """A page for those who may write there; it reads its own form, a file in it, and no other."""
    if method in SAFE:
        return _may(caller, place, Role.WRITER)
    return Hears.NO_FORM if method == "POST" else Hears.NOT_HERE


def tenant_page(caller: Caller, place: Place, method: str) -> Hears:
    """What the caller may read in a tenant; to others as one that is not there."""
    if caller.is_refused:
        return Hears.REFUSED
    if method not in SAFE:
        return Hears.NOT_HERE
    # Here the place stands for its whole tenant.
    if place.tenant in caller.roles or caller.role_in(place):
        return Hears.SERVED
    return Hears.NOT_YOURS if caller.is_known else Hears.SIGN_IN


def home(caller: Caller, _place: Place, method: str) -> Hears:
    """Everybody's; it shows to each what they may read."""
    if caller.is_refused:
        return Hears.REFUSED
    return Hears.SERVED if method in SAFE else Hears.NOT_HERE


def listing_by_script(caller: Caller, place: Place, method: str) -> Hears:
    """What each may read; who has not signed in hears so where, as here, nothing is for anyone."""
    hears = home(caller, place, method)
    return hears if caller.is_known or hears is not Hears.SERVED else Hears.SIGN_IN


def page_of_everybody(caller: Caller, _place: Place, method: str) -> Hears:
    """A page that shows to each what they may read, and takes nothing."""
    if method in SAFE:
        return Hears.REFUSED if caller.is_refused else Hears.SERVED
    return _only_read(method)


def account(caller: Caller, _place: Place, method: str) -> Hears:
    """What people do about themselves: with their session or password, and not with a token."""
    if method not in SAFE:
        return _only_read(method)
    if caller.is_refused:
        return Hears.REFUSED
    if not caller.is_known:
        return Hears.SIGN_IN
    return Hears.SERVED if caller.has_come_themselves else Hears.MAY_NOT_WITH_A_TOKEN


def audit(caller: Caller, place: Place, method: str) -> Hears:
    """For who administers the tenant; to all others as of a tenant that is not there."""
    heard = account(caller, place, method)
    may = caller.is_superuser or (caller.is_tenant_admin and place.tenant in caller.roles)
    return heard if heard is not Hears.SERVED or may else Hears.NOT_YOURS


def everybodys(_caller: Caller, _place: Place, method: str) -> Hears:
    """Tells nothing of anybody, so that nobody is asked who they are."""
    return Hears.SERVED if method in SAFE else _only_read(method)


def static(_caller: Caller, _place: Place, method: str) -> Hears:
    """A file of our own, which no view gives out."""
    return Hears.SERVED if method in SAFE else Hears.NOT_HERE


def sign_in(_caller: Caller, _place: Place, method: str) -> Hears:
    """The form takes what its page made it send, and nothing else."""
    return Hears.SERVED if method in {*SAFE, "OPTIONS"} else Hears.NO_FORM


def sign_out(_caller: Caller, _place: Place, method: str) -> Hears:
    """A form without a page."""
    if method == "OPTIONS":
        return Hears.SERVED
    return Hears.NOT_HERE if method in SAFE else Hears.NO_FORM


def answering(_caller: Caller, _place: Place, method: str) -> Hears:
    """Takes what a page of ours made it send, and has no page itself."""
    return Hears.NOT_HERE if method in {*SAFE, "OPTIONS"} else Hears.NO_FORM


def answering_with_a_file(_caller: Caller, _place: Place, method: str) -> Hears:
    """The same, for a form that is read as it comes."""
    return Hears.NO_FORM if method == "POST" else Hears.NOT_HERE


def repositories_by_script(caller: Caller, place: Place, method: str) -> Hears:
    """A repository's configuration: tenant admins make and remove, its admins change it."""
    if method in SAFE:
        return _may(caller, place, Role.READER)
    if caller.is_refused or method not in {"PUT", "POST", "DELETE"}:
        return Hears.REFUSED if caller.is_refused else Hears.NOT_HERE
    caller = caller.without_cookie()
    if method == "PUT":
        return _administers(caller, place)
    hears = _may(caller, place, Role.ADMIN)
    if hears is Hears.SERVED and method == "DELETE":
        return _administers(caller, place)
    return hears


def items_by_script(caller: Caller, place: Place, method: str) -> Hears:
    """What is at a path: readers read it, writers set and remove properties."""
    if method in SAFE:
        return _may(caller, place, Role.READER)
    if caller.is_refused or method not in {"PUT", "DELETE"}:
        return Hears.REFUSED if caller.is_refused else Hears.NOT_HERE
    return _may(caller.without_cookie(), place, Role.WRITER)


def metadata_by_script(caller: Caller, place: Place, method: str) -> Hears:
    """Properties as JSON, which only come."""
    if caller.is_refused or method != "PATCH":
        return Hears.REFUSED if caller.is_refused else Hears.NOT_HERE
    return _may(caller.without_cookie(), place, Role.WRITER)


def files_by_script(caller: Caller, place: Place, method: str) -> Hears:
    """A file at its path: readers get it, writers put it, admins delete it."""
    needs = {"PUT": Role.WRITER, "DELETE": Role.ADMIN}
    if method in needs and not caller.is_refused:
        return _may(caller.without_cookie(), place, needs[method])
    return items_by_script(caller, place, method if method in SAFE else "POST")


def query_by_script(caller: Caller, _place: Place, method: str) -> Hears:
    """A query in a body, that finds for each what they may read."""
    if caller.is_refused:
        return Hears.REFUSED
    return Hears.SERVED if method == "POST" else Hears.NOT_HERE


def told_to_ci(_caller: Caller, _place: Place, method: str) -> Hears:
    """What CI asks before it is anybody; what else a caller shows counts for nothing."""
    return Hears.SERVED if method in SAFE else Hears.NOT_HERE


def taken_from_ci(_caller: Caller, _place: Place, method: str) -> Hears:
    """What CI sends says all about it; what else a caller shows counts for nothing."""
    return Hears.SERVED if method == "POST" else Hears.NOT_HERE


def ping(caller: Caller, _place: Place, method: str) -> Hears:
    """Everybody's, whatever they show, as it tells nothing."""
    if method in SAFE:
        return Hears.SERVED
    return Hears.REFUSED if caller.is_refused else Hears.NOT_HERE


def nothing_by_script(caller: Caller, _place: Place, _method: str) -> Hears:
    """No URL of ours, whatever the method; who shows a wrong credential hears of that first."""
    return Hears.REFUSED if caller.is_refused else Hears.SERVED


def misplaced_by_script(caller: Caller, _place: Place, method: str) -> Hears:
    """No URL of ours, whatever the method; where uploads and files are is said to who signed in."""
    if caller.is_refused:
        return Hears.REFUSED
    caller = caller if method in SAFE else caller.without_cookie()
    return Hears.SERVED if caller.is_known else Hears.SIGN_IN


def _administers(caller: Caller, place: Place) -> Hears:
    """Who makes and removes repositories of a tenant."""
    if not caller.is_known:
        return Hears.SIGN_IN
    if not caller.belongs_to(place.tenant) or place.tenant == WRONG_TENANT.tenant:
        return Hears.NO_TENANT
    is_admin = caller.is_superuser or caller.is_tenant_admin
    return Hears.SERVED if is_admin else Hears.MAY_NOT


def nothing(_caller: Caller, _place: Place, method: str) -> Hears:
    """No URL of ours."""
    return Hears.SERVED if method in SAFE else Hears.NOT_HERE


def _may(caller: Caller, place: Place, needs: Role) -> Hears:
    """What somebody hears of what needs a role; the first that is so counts."""
    if caller.is_refused:
        return Hears.REFUSED
    if caller.role_in(place) >= needs:
        return Hears.SERVED
    if not caller.is_known:
        return Hears.SIGN_IN
    if not caller.belongs_to(place.tenant) and not caller.role_in(place):
        return Hears.NOT_YOURS
    return Hears.MAY_NOT if place.is_there else Hears.NOT_THERE


def _only_read(method: str) -> Hears:
    """Pages: a form must have been made by one of them; the rest is not for them at all."""
    return Hears.NOT_HERE if method == "OPTIONS" else Hears.NO_FORM


@dataclass(frozen=True)
class Row:
    """A pattern of the URLconf, an address that it answers, and the rule that holds there."""

    pattern: str
    path: str
    rule: Rule
    status: int = 200  # where it is served
    says: str = ""  # where that is a refusal of its own, how its sentence begins
    is_page: bool = False  # made for people: refusals are pages, and signing in is a form
    # By method: what who may hears of a request without sense, such as the table's.
    unsafe: Mapping[str, tuple[int, str]] = field(default_factory=dict, hash=False)
    spared: str = ""  # the method that would take the place away: who may does not try it
    lacks: str = ""  # what the path adds to the key of a repository, which is not there then
    form: str = ""  # how the pattern names the repository
    served: Mapping[str, int] = field(default_factory=dict)  # status where served, by method

    def place(self, place: Place) -> Place:
        """Return what the path names at `place`."""
        return Place(place.tenant, place.key + self.lacks, is_there=False) if self.lacks else place

    def url(self, place: Place) -> str:
        """Return the path of this row for a place."""
        return self.path.format(tenant=place.tenant, key=place.key)

    def host(self, place: Place) -> str:
        """Return the host name under which the path means that place."""
        return place.host if self.is_hosted else "testserver"

    @property
    def is_hosted(self) -> bool:
        """Say whether the URL leaves the tenant to the host name."""
        return self.form.startswith("artifactory/") or self.form.endswith("/pypi/<key>")


_DIGEST = hashlib.sha256(FROG_BYTES).hexdigest()

# What is below a repository, however its URL begins: pattern, address, status where served.
_BELOW: tuple[tuple[str, str, int, str], ...] = (
    ("/simple", "/simple", 301, ""),
    ("/simple/", "/simple/", 200, ""),
    ("/simple/<project>", "/simple/frog", 301, ""),
    ("/simple/<project>/", "/simple/frog/", 200, ""),
    ("/+simple/<project>", "/+simple/frog", 301, ""),
    ("/+simple/<project>/", "/+simple/frog/", 200, ""),
    ("/files/<project>/<sha256>/<filename>", f"/files/frog/{_DIGEST}/{FROG_NAME}", 200, ""),
    ("/files/<project>/<filename>", f"/files/frog/{FROG_NAME}.metadata", 200, ""),
    ("/files/<project>/<filename>", f"/files/frog/{FROG_NAME}.provenance", 200, ""),
    ("/<project>", "/frog", 410, "The index is at "),
    ("/<project>/", "/frog/", 410, "The index is at "),
    ("/pypi/<project>/json", "/pypi/frog/json", 200, ""),
    ("/pypi/<project>/json/", "/pypi/frog/json/", 200, ""),
    ("/pypi/<project>/<version>/json", "/pypi/frog/1.0/json", 200, ""),
    ("/pypi/<project>/<version>/json/", "/pypi/frog/1.0/json/", 200, ""),
)

# How a URL names a repository: by pattern, and by address. The last names none; it is the
# default one.
FORMS = {
    "<tenant>/<key>": "/{tenant}/{key}",
    "artifactory/api/pypi/<key>": "/artifactory/api/pypi/{key}",
    "artifactory/pypi/<key>": "/artifactory/pypi/{key}",
    "api/pypi/<key>": "/api/pypi/{key}",
    "pypi": "/pypi",
}
DEFAULT_FORM = "pypi"


def _of_contents() -> Iterator[Row]:
    """Return the pages of a project, a release, a file."""
    file = f"frog/1.0/{FROG_NAME}"
    for pattern, path, status in (
        ("project/<project>/<version>/<filename>/", f"project/{file}/", 200),
        ("-/unlisted/<path>/", f"-/unlisted/{file}/", 302),  # it has a name, and moved there
        ("-/compare/<project>/", "-/compare/frog/", 200),
    ):
        full = f"/{{tenant}}/{{key}}/{path}"
        yield Row(f"<tenant>/<key>/{pattern}", full, page, status=status, is_page=True)
    for end, path in (("", ""), ("<version>/", "1.0/")):
        yield Row(
            f"<tenant>/<key>/project/<project>/{end}",
            f"/{{tenant}}/{{key}}/project/frog/{path}",
            page,
            is_page=True,
        )


def _of_bytes() -> Iterator[Row]:
    """Return a file by its path: it has its name, and is given out there."""
    path = f"/{{tenant}}/{{key}}/-/raw/frog/1.0/{FROG_NAME}"
    yield Row("<tenant>/<key>/-/raw/<path>", path, index, status=302)


def _of_repositories() -> Iterator[Row]:
    """Return the pages of a repository beside its own."""
    for what, rule in (("upload", upload_page), ("extraction", writers_page)):
        below = f"/-/{what}/"
        yield Row(f"<tenant>/<key>{below}", f"/{{tenant}}/{{key}}{below}", rule, is_page=True)
    browse = Row("<tenant>/<key>/browse/", "/{tenant}/{key}/browse/", page, is_page=True)
    yield browse
    for below, path in (("<project>/", "frog/"), ("<project>/<version>/", "frog/1.0/")):
        yield replace(browse, pattern=browse.pattern + below, path=browse.path + path)
    for what, rule in (("access", page), ("waiting", page), ("activity", admins_page)):
        below = f"/-/{what}/"
        yield Row(f"<tenant>/<key>{below}", f"/{{tenant}}/{{key}}{below}", rule, is_page=True)
    # The repositories of the table are locals: none has members, or keeps what upstream has.
    for what, rule, says in (
        ("members", page, ".* is no virtual repository"),
        ("cache", admins_page, ".* is no remote"),
        ("cache/purge", admins_page, ".* is no remote"),
    ):
        below = f"/-/{what}/"
        row = Row(f"<tenant>/<key>{below}", f"/{{tenant}}/{{key}}{below}", rule, is_page=True)
        yield replace(row, status=404, says=says)
    publishers = "/-/publishers/"
    one = Row(f"<tenant>/<key>{publishers}", f"/{{tenant}}/{{key}}{publishers}", admins_page)
    yield replace(one, is_page=True)
    yield replace(
        one,
        pattern=f"{one.pattern}<pk>/",
        path=f"{one.path}0/",
        status=404,
        says=".* trusts no such publisher",
        is_page=True,
    )
    for what in ("check", "publish"):
        below = f"/-/upload/{what}/"
        yield Row(f"<tenant>/<key>{below}", f"/{{tenant}}/{{key}}{below}", answering_with_a_file)


def rows() -> Iterator[Row]:
    """Return the table: every URL but the admin's, which has a table of its own."""
    for form, start in FORMS.items():
        root = Row("", "", repository, is_page=True, form=form)
        yield replace(root, pattern=f"{form}/", path=f"{start}/")
        yield replace(root, pattern=f"{form}(?://)?", path=start)
        yield replace(root, pattern=f"{form}(?://)?", path=f"{start}//")
        for pattern, path, status, says in _BELOW:
            yield Row(form + pattern, start + path, index, status=status, says=says, form=form)
        if form != DEFAULT_FORM:
            yield from _scoped(form, start)
    nowhere = "<name>/<rest>"
    yield Row(nowhere, "/{tenant}/{key}/user/files/frog/1.0/x/y", index, lacks="/user")
    yield Row(
        nowhere, "/{tenant}/{key}/simple/frog/more/", index, status=404, says="There is no such"
    )
    yield from _of_contents()
    yield from _of_bytes()
    yield from _of_repositories()
    yield from _by_script()
    yield Row("<tenant>/<key>/-/explain/", "/{tenant}/{key}/-/explain/", page, is_page=True)
    for end in ("", "seen/"):
        yield Row(
            f"<tenant>/<key>/-/set-up/{end}",
            f"/{{tenant}}/{{key}}/-/set-up/{end}",
            page,
            is_page=True,
        )
    yield Row(
        "<tenant>/<key>/-/set-up/<client>/", "/{tenant}/{key}/-/set-up/uv/", page, is_page=True
    )
    yield Row("<tenant>/-/audit/", "/{tenant}/-/audit/", audit, is_page=True)
    yield Row("<slug>/", "/{tenant}/", tenant_page, is_page=True)
    yield Row("", "/", home, is_page=True)
    yield Row("-/health", "/-/health", everybodys)
    yield Row("-/ready", "/-/ready", everybodys)
    yield Row("search/", "/search/?q=frog", page_of_everybody, is_page=True)
    yield Row("search/go/", "/search/go/?q=a", page_of_everybody, is_page=True)
    yield from _of_trusted_publishing()
    yield Row("favicon.ico", "/favicon.ico", everybodys, status=302)
    yield Row("accounts/sign-in/", "/accounts/sign-in/", sign_in)
    yield Row("accounts/sign-out/", "/accounts/sign-out/", sign_out)
    yield Row("accounts/invitations/<pk>/", "/accounts/invitations/1/", answering)
    for path in ("", "password/", "tokens/", "tokens/new/"):
        yield Row(f"accounts/{path}", f"/accounts/{path}", account, is_page=True)
    no_token = Row(
        "accounts/tokens/<pk>/",
        "/accounts/tokens/0/",
        account,
        status=404,
        says="You have no such token",
        is_page=True,
    )
    yield no_token
    yield Row("accounts/logins/<pk>/revoke/", "/accounts/logins/0/revoke/", answering)
    yield Row("accounts/tokens/<pk>/revoke/", "/accounts/tokens/0/revoke/", answering)


def _of_trusted_publishing() -> Iterator[Row]:
    """Return the exchange of CI. In the table nobody has added an issuer."""
    audience, is_off = "_/oidc/audience", "Trusted publishing is not set up here"
    yield Row(audience, f"/{audience}", told_to_ci, status=404, says=is_off)
    discovery = ".well-known/pytp"
    yield Row(discovery, f"/{discovery}?discover=/acme/local/", told_to_ci, status=404)
    no_token = {"POST": (422, "Send JSON: ")}
    for what in ("mint-token", "burn-token"):
        yield Row(f"_/oidc/{what}", f"/_/oidc/{what}", taken_from_ci, unsafe=no_token)


def _by_script() -> Iterator[Row]:
    """Return what Artifactory's scripts ask; the table's bodies are none that these would send."""
    api, form = "artifactory/api", "artifactory/<key>"
    no_json, no_names = (400, "The body is no "), (400, "Say which properties")
    for end in ("", "/"):
        yield Row(f"{api}/repositories{end}", f"/{api}/repositories{end}", listing_by_script)
    yield Row(
        f"{api}/repositories/<key>",
        f"/{api}/repositories/{{key}}",
        repositories_by_script,
        unsafe={"PUT": no_json, "POST": no_json},
        spared="DELETE",
        form=form,
    )
    for end, path in (("", ""), ("/", "/"), ("/<path>", f"/frog/1.0/{FROG_NAME}")):
        yield Row(
            f"{api}/storage/<key>{end}",
            f"/{api}/storage/{{key}}{path}",
            items_by_script,
            unsafe={"PUT": no_names, "DELETE": no_names},
            form=form,
        )
    yield Row(
        f"{api}/metadata/<key>/<path>",
        f"/{api}/metadata/{{key}}/frog/1.0/{FROG_NAME}",
        metadata_by_script,
        unsafe={"PATCH": no_json},
        form=form,
    )
    yield Row(f"{api}/search/prop", f"/{api}/search/prop?pypi.name=frog", home)
    no_query = {"POST": (400, "The body is no text")}
    yield Row(f"{api}/search/aql", f"/{api}/search/aql", query_by_script, unsafe=no_query)
    yield Row(f"{api}/system/ping", f"/{api}/system/ping", ping)
    for below, path in (("", ""), ("/", "/"), ("/<rest>", "/users/frog")):
        no_url = Row(f"{api}{below}", f"/{api}{path}", nothing_by_script, status=404)
        yield replace(no_url, says="Larder has no such URL")
    for start in ("artifactory", "artifactory/<key>"):
        for slash in ("", "/"):
            path = f"/{start}{slash}".replace("<key>", "{key}")
            above = Row(f"{start}{slash}", path, misplaced_by_script, status=404)
            yield replace(above, says="Upload to /artifactory/api/pypi/")
    yield Row(
        "artifactory/<key>/<path>",
        "/artifactory/{key}/frog/1.0/frog.txt",
        files_by_script,
        status=404,
        says="there is no ",
        unsafe={"PUT": (400, "'frog.txt' is not"), "DELETE": (404, "there is no ")},
        form=form,
    )


def _scoped(form: str, start: str) -> Iterator[Row]:
    """Return the index once more, below a scope: only a remote may have one."""
    for pattern, path, status, says in _BELOW:
        if not pattern.startswith(("/simple", "/+simple", "/files")):
            continue
        refused = (410, "There is no repository ") if status == HTTPStatus.OK else (status, says)
        yield Row(
            f"{form}/<scope>{pattern}",
            f"{start}/deep{path}",
            index,
            status=refused[0],
            says=refused[1],
            form=form,
        )
    for slash in ("", "/"):
        yield Row(
            f"{form}/<scope>{slash}",
            f"{start}/deep/er{slash}",
            nothing,
            status=404,
            form=form,
        )


def unrouted() -> Iterator[Row]:
    """Return what is answered without a pattern."""
    yield Row("no view", "/static/table.css", static)
    yield Row("no view", "/Nothing/is/here/at/all", nothing, status=404)
