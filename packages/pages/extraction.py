"""The page about the extraction of a repository, for those who may write there."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.authentication import caller_of, signed_in
from accounts.principal import Principal
from accounts.roles import Role
from base.errors import InvalidInput
from packages.curate import try_again
from packages.describe import set_properties
from packages.extraction.waiting import not_extracted, waiting_in
from packages.long_work import lately_in, state_of
from packages.models import Distribution, FolderImport
from packages.pages.frame import frame
from packages.pypi_properties import NAME, VERSION
from repos.access import admitted, require
from repos.models import Kind, Repository
from repos.quiet import extract_now

_FILES_PER_PAGE = 100
_IMPORTS_SHOWN = 5


@require_http_methods(["GET", "HEAD", "POST"])
def extraction_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show what waits and what could not be extracted, and do what the page's buttons say."""
    if request.method == "POST":
        principal = signed_in(request)
        repository = require(principal, tenant, key, Role.WRITER)
        try:
            messages.success(request, _done(request, repository, principal))
        except InvalidInput as refused:  # what was typed, or was done by somebody else meanwhile
            messages.error(request, refused.sentence)
        return redirect("extraction", tenant=tenant, key=key)
    come_in = admitted(caller_of(request), tenant, key, Role.WRITER)
    repository = come_in.repository
    imports = lately_in(repository, FolderImport)[:_IMPORTS_SHOWN]
    page = Paginator(not_extracted(repository), _FILES_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "packages/extraction.html",
        frame(come_in)
        | {
            "page": page,
            "waiting": waiting_in(repository),
            "imports": [(each, state_of(each)) for each in imports],
            "is_local": repository.kind == Kind.LOCAL,
        },
    )


def _done(request: HttpRequest, repository: Repository, by: Principal) -> str:
    """Do what the button says, and return a sentence about it."""
    match request.POST.get("do"):
        case "now":
            extract_now(repository, by=by)
            return f"Extraction in {repository} starts at any moment."
        case "again":
            row = _file(request, repository)
            try_again(row, by=by)
            return f"{row.filename} is read again after the quiet period."
        case "name":
            row = _file(request, repository)
            given = {NAME: request.POST.get("name", ""), VERSION: request.POST.get("version", "")}
            wanted = {name: [value.strip()] for name, value in given.items() if value.strip()}
            if not wanted:
                raise InvalidInput(f"Give {row.filename} a name, a version, or both.")
            set_properties(row, wanted, by=by)
            row.refresh_from_db()
            if row.extraction == Distribution.Extraction.FAILED:  # the same as it said before
                try_again(row, by=by)
            return f"{row.filename} is read again after the quiet period, and gets its name."
    raise InvalidInput("This page has no such button.")


def _file(request: HttpRequest, repository: Repository) -> Distribution:
    pk = request.POST.get("file", "")
    found = not_extracted(repository).filter(pk=pk if pk.isdecimal() and len(pk) < 19 else 0)  # noqa: PLR2004 - digits of the largest row id
    if (row := found.first()) is None:
        raise InvalidInput(f"There is nothing to do about this file of {repository} any more.")
    return row
