"""The page of one file, with its tabs; and the changes that those who may make there."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.encoding import escape_uri_path
from django.views.decorators.http import require_http_methods

from accounts.authentication import caller_of, signed_in
from accounts.principal import Principal
from accounts.roles import Role
from base.errors import InvalidInput
from packages.curate import try_again
from packages.describe import remove_properties, set_properties
from packages.index.base import FileNotFound, FileWithheld
from packages.models import Distribution
from packages.pages.connection import address
from packages.pages.file_changing import (
    DROP,
    UNYANK,
    YANK,
    change,
    forms_of,
    needed_for,
)
from packages.pages.file_tabs import TABS, Visit, tabs_of
from packages.pages.file_withheld import causes_of
from packages.shown_file import (
    ShownFile,
    deleted_unlisted_file,
    shown_file,
    unlisted_file,
    withheld_file,
)
from packages.tags import tags_in_words
from repos.access import Admitted, admitted, require
from repos.models import Repository

_FIRST_TAB = "general"
# Where the form of an act stands; the others are in banners above all tabs.
_TAB_OF = {"set": "properties", "remove": "properties", YANK: "manage", UNYANK: "manage"}


@require_http_methods(["GET", "HEAD", "POST"])
def file_page(  # noqa: PLR0913, PLR0917 - the parts of its URL
    request: HttpRequest, tenant: str, key: str, project: str, version: str, filename: str
) -> HttpResponse:
    """Show one file that installers see, or do what the page's buttons say.

    Whoever administers the repository sees also what is deleted or quarantined in it.
    """
    principal = _visitor(request)
    come_in = admitted(principal, tenant, key, Role.READER)
    repository, scope = come_in.repository, request.GET.get("scope", "")
    try:
        there = shown_file(repository, project, version, filename, by=principal, scope=scope)
    except (FileNotFound, FileWithheld):
        withheld = None
        if come_in.is_admin:
            withheld = withheld_file(repository, project, version, filename, scope=scope)
        if withheld is None:
            raise
        there = withheld
    return _answer(request, come_in, there)


@require_http_methods(["GET", "HEAD", "POST"])
def unlisted_page(request: HttpRequest, tenant: str, key: str, path: str) -> HttpResponse:
    """Show a file that has no name yet, or do what the page's buttons say."""
    come_in = admitted(_visitor(request), tenant, key, Role.READER)
    try:
        there = unlisted_file(come_in.repository, path)
    except FileNotFound:
        deleted = deleted_unlisted_file(come_in.repository, path) if come_in.is_admin else None
        if deleted is None:
            raise
        there = deleted
    row = there.row
    if row is not None and row.release is not None and request.method != "POST":
        return redirect(_own_page(row))
    return _answer(request, come_in, there)


def _visitor(request: HttpRequest) -> Principal:
    return signed_in(request) if request.method == "POST" else caller_of(request)


def _answer(request: HttpRequest, come_in: Admitted, there: ShownFile) -> HttpResponse:
    if there.row is None or there.held is None:
        if request.method == "POST":
            raise FileNotFound(f"{there.filename} is not in {come_in.repository} yet.")
        return _listed(request, come_in.repository, there)
    visit = Visit(request, _visitor(request), come_in, there.row, there.held)
    return _changed(visit, there) if request.method == "POST" else _held(visit, there)


def _changed(visit: Visit, there: ShownFile) -> HttpResponse:
    """Do what a button says; with what is wrong in its form, show the page once more."""
    sent, row = visit.request.POST, visit.row
    what = sent.get("do", "")
    forms = forms_of(row, sent) if visit.is_held_here else {}
    try:
        if what in forms:
            require(
                visit.principal, row.repository.tenant.slug, row.repository.key, needed_for(what)
            )
            if not forms[what].is_valid():
                return _held(visit, there, refused={"tab": "manage", "forms": forms})
            said = change(row, what, forms[what], by=visit.principal)
        else:
            said = _done(visit, what)
    except InvalidInput as error:
        if what == "set":
            typed = {name: sent.get(name, "") for name in ("name", "values")}
            told = {"tab": "properties", "refused": error.sentence, "typed": typed}
            return _held(visit, there, refused=told)
        messages.error(visit.request, error.sentence)
    else:
        messages.success(visit.request, said)
    return redirect(_next(visit, what))


def _next(visit: Visit, what: str) -> str:
    """Return where one goes on after an act: mostly the tab with the form that it came from."""
    row, repository = visit.row, visit.come_in.repository
    if what == DROP and row.release is not None:
        name = row.release.project.normalized
        return reverse("project", args=[repository.tenant.slug, repository.key, name])
    return _url(visit, tab=_TAB_OF.get(what, _FIRST_TAB))


def _held(
    visit: Visit, there: ShownFile, refused: Mapping[str, object] | None = None
) -> HttpResponse:
    """Show a file of which we have the bytes; of what was refused, the tab with its form."""
    tabs = tabs_of(visit)
    tab = str(refused["tab"]) if refused else visit.asked("tab")
    tab = tab if tab in tabs else _FIRST_TAB
    row, repository = visit.row, visit.come_in.repository
    withheld = causes_of(row) if there.is_withheld else []
    is_stuck = row.extraction == Distribution.Extraction.FAILED
    context = {
        "file": row,
        "project": row.release.project if row.release else None,
        "version": there.version,
        "tab": tab,
        "tab_template": f"packages/file_{tab}.html",
        "tabs": [(slug, TABS[slug][0], _url(visit, tab=slug)) for slug in tabs],
        "address": _url(visit),
        "own_page": "" if visit.is_held_here else _own_page(row),
        "here": row.filename,
        "withheld": withheld,
        "may_try_again": is_stuck and visit.may_write,
        "is_named": visit.principal.hears_names,
        # Nothing else may be left of the version of a file that is not given out.
        "trail": _trail(repository, there.project, "" if withheld else there.version),
    }
    page = {**context, **TABS[tab][1](visit), **(refused or {}), **address(repository)}
    status = HTTPStatus.BAD_REQUEST if refused else HTTPStatus.OK
    return render(visit.request, "packages/file.html", page, status=status)


def _listed(request: HttpRequest, repository: Repository, there: ShownFile) -> HttpResponse:
    """Show what the page upstream says of a file that comes with the first download."""
    context = {
        "line": there.line,
        "name": there.project,
        "tags": tags_in_words(there.filename),
        "trail": _trail(repository, there.project, there.version),
    }
    return render(request, "packages/file_listed.html", context | address(repository))


def _done(visit: Visit, what: str) -> str:
    """Do what a button of the other tabs says, and return a sentence about it."""
    sent, row, by = visit.request.POST, visit.row, visit.principal
    name = sent.get("name", "").strip()
    match what:
        case "again":
            try_again(row, by=by)
            return f"{row.filename} is read again after the quiet period."
        case "set":
            values = [line.strip() for line in sent.get("values", "").splitlines()]
            set_properties(row, {name: [value for value in values if value]}, by=by)
            return f"{row.filename} has the property {name}."
        case "remove":
            remove_properties(row, [name], by=by)
            return f"{row.filename} has no property {name} any more."
    raise InvalidInput("That cannot be done here now. Look at the page again.")


def _url(visit: Visit, **query: str) -> str:
    """Return the address of the page with this query."""
    scope, path = visit.asked("scope"), escape_uri_path(visit.request.path)
    asked = ({"scope": scope} if scope else {}) | query
    return f"{path}?{urlencode(asked)}" if asked else path


def _own_page(row: Distribution) -> str:
    """Return the address of a file's page in the repository that holds it."""
    place = [row.repository.tenant.slug, row.repository.key]
    if row.release is None:
        return reverse("unlisted-file", args=[*place, row.path])
    project = row.release.project
    page = reverse(
        "file-page", args=[*place, project.normalized, row.release.version, row.filename]
    )
    return f"{page}?{urlencode({'scope': project.scope})}" if project.scope else page


def _trail(repository: Repository, project: str, version: str) -> list[tuple[str, str]]:
    """Return the pages above, name and address; none above a file without a name."""
    if not project:
        return []
    above = reverse("project", args=[repository.tenant.slug, repository.key, project])
    trail = [(project, above), (version, f"{above}{version}/")]
    return trail if version else trail[:1]
