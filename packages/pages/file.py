"""The page of one file, with its tabs; and the changes that those who may write make there."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.encoding import escape_uri_path
from django.views.decorators.http import require_http_methods

from accounts.authentication import caller_of, signed_in
from accounts.roles import Role
from base.errors import InvalidInput
from packages.curate import try_again
from packages.describe import remove_properties, set_properties
from packages.index.base import FileNotFound
from packages.models import Distribution
from packages.pages.connection import address
from packages.pages.file_tabs import TABS, Visit
from packages.shown_file import ShownFile, shown_file, unlisted_file
from packages.tags import tags_in_words
from repos.access import may, require
from repos.models import Repository

_FIRST_TAB = "general"


@require_http_methods(["GET", "HEAD", "POST"])
def file_page(  # noqa: PLR0913, PLR0917 - the parts of its URL
    request: HttpRequest, tenant: str, key: str, project: str, version: str, filename: str
) -> HttpResponse:
    """Show one file that installers see, or do what the page's buttons say."""
    principal = signed_in(request) if request.method == "POST" else caller_of(request)
    repository = require(principal, tenant, key, Role.READER)
    scope = request.GET.get("scope", "")
    there = shown_file(repository, project, version, filename, by=principal, scope=scope)
    return _answer(request, repository, there)


@require_http_methods(["GET", "HEAD", "POST"])
def unlisted_page(request: HttpRequest, tenant: str, key: str, path: str) -> HttpResponse:
    """Show a file that has no name yet, or do what the page's buttons say."""
    principal = signed_in(request) if request.method == "POST" else caller_of(request)
    repository = require(principal, tenant, key, Role.READER)
    there = unlisted_file(repository, path)
    row = there.row
    if row is not None and row.release is not None and request.method != "POST":
        project = row.release.project.normalized
        return redirect("file-page", tenant, key, project, row.release.version, row.filename)
    return _answer(request, repository, there)


def _answer(request: HttpRequest, repository: Repository, there: ShownFile) -> HttpResponse:
    if there.row is None or there.held is None:
        if request.method == "POST":
            raise FileNotFound(f"{there.filename} is not in {repository} yet.")
        return _listed(request, repository, there)
    visit = Visit(request, caller_of(request), repository, there.row, there.held)
    refused = None
    if request.method == "POST":
        try:
            messages.success(request, _done(visit))
        except InvalidInput as error:
            refused = error.sentence
            if request.POST.get("do") != "set":
                messages.error(request, refused)
        if refused is None or request.POST.get("do") != "set":
            tab = "general" if request.POST.get("do") == "again" else "properties"
            return redirect(_url(visit, tab=tab))
    return _held(visit, there, refused)


def _held(visit: Visit, there: ShownFile, refused: str | None) -> HttpResponse:
    """Show a file of which we have the bytes."""
    tab = "properties" if refused else visit.asked("tab")
    tab = tab if tab in TABS else _FIRST_TAB
    shown = TABS[tab][1](visit)
    if refused:
        typed = {name: visit.request.POST.get(name, "") for name in ("name", "values")}
        shown |= {"refused": refused, "typed": typed}
    row = visit.row
    is_stuck = row.extraction == Distribution.Extraction.FAILED
    context = {
        "file": row,
        "project": row.release.project if row.release else None,
        "version": there.version,
        "tab": tab,
        "tab_template": f"packages/file_{tab}.html",
        "tabs": [(slug, label, _url(visit, tab=slug)) for slug, (label, _) in TABS.items()],
        "address": _url(visit),
        "here": row.filename,
        "may_try_again": is_stuck and may(visit.principal, row.repository, Role.WRITER),
        "is_named": not visit.principal.is_anonymous,
        "trail": _trail(visit.repository, there.project, there.version),
    }
    page = context | shown | address(visit.repository)
    return render(visit.request, "packages/file.html", page, status=400 if refused else 200)


def _listed(request: HttpRequest, repository: Repository, there: ShownFile) -> HttpResponse:
    """Show what the page upstream says of a file that comes with the first download."""
    context = {
        "line": there.line,
        "name": there.project,
        "tags": tags_in_words(there.filename),
        "trail": _trail(repository, there.project, there.version),
    }
    return render(request, "packages/file_listed.html", context | address(repository))


def _done(visit: Visit) -> str:
    """Do what the button says, and return a sentence about it."""
    sent, row, by = visit.request.POST, visit.row, signed_in(visit.request)
    name = sent.get("name", "").strip()
    match sent.get("do"):
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
    raise InvalidInput("This page has no such button.")


def _url(visit: Visit, **query: str) -> str:
    """Return the address of the page with this query."""
    scope, path = visit.asked("scope"), escape_uri_path(visit.request.path)
    asked = ({"scope": scope} if scope else {}) | query
    return f"{path}?{urlencode(asked)}" if asked else path


def _trail(repository: Repository, project: str, version: str) -> list[tuple[str, str]]:
    """Return the pages above, name and address; none above a file without a name."""
    if not project:
        return []
    above = reverse("project", args=[repository.tenant.slug, repository.key, project])
    return [(project, above), (version, f"{above}{version}/")]
