"""Answers for the page of a project, and for the page of one release of it."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.authentication import caller_of, signed_in
from accounts.roles import Role
from packages.index.base import IndexNotServed
from packages.pages.project.changing import change, forms_of
from packages.pages.project.strip import strip_of
from packages.pages.project.subject import Subject, contents_of, subject_of
from packages.pages.project.tabs import Context, chosen, counts_of, may_manage, tabs_of
from packages.set_up.filling import Setting
from repos.access import anyone_may_read, require
from repos.models import Kind
from repos.virtuals import virtual_showing

_IN_SWITCHER = 15


@require_http_methods(["GET", "HEAD", "POST"])
def project_page(
    request: HttpRequest, tenant: str, key: str, project: str, version: str = ""
) -> HttpResponseBase:
    """Show a project with the release that installers take, or with the one that is named."""
    if request.method == "POST":
        return _changed(request, tenant, key, project, version)
    subject = subject_of(caller_of(request), tenant, key, project, version)
    if version and subject.release is None:  # quarantined: its releases are not shown, only why
        return redirect("project", tenant, key, subject.name)
    return _page(request, subject, request.GET.get("tab", ""))


def _changed(
    request: HttpRequest, tenant: str, key: str, project: str, version: str
) -> HttpResponseBase:
    """Do what a form of the page says; with its errors, the page once more."""
    principal = signed_in(request)
    require(principal, tenant, key, Role.WRITER)
    subject = subject_of(principal, tenant, key, project, version)
    what = request.POST.get("do", "")
    forms = forms_of(subject, request.POST) if subject.is_curated_here else {}
    if what not in forms:
        messages.error(request, "That cannot be done here now. Look at the page again.")
        return redirect(request.get_full_path())
    if not forms[what].is_valid():
        return _page(request, subject, "manage", {"forms": forms}, status=HTTPStatus.BAD_REQUEST)
    messages.success(request, change(subject, what, forms[what], by=principal))
    return redirect(f"{request.path}?tab=manage")


def _page(
    request: HttpRequest,
    subject: Subject,
    slug: str,
    more: Context | None = None,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    tab = chosen(subject, slug)
    contents = contents_of(subject, asks="ask" in request.GET)
    context: Context = {
        "subject": subject,
        "repository": subject.repository,
        "release": subject.release,
        "contents": contents,
        "metadata": contents.metadata,
        "reading": contents.reading,
        "strip": strip_of(subject),
        "tab": tab,
        "tabs": tabs_of(subject),
        "may_manage": may_manage(subject),
        "counts": counts_of(subject, contents),
        "switcher": subject.releases[:_IN_SWITCHER],
        "trail": _trail(subject),
        "is_virtual": subject.repository.kind == Kind.VIRTUAL,
    }
    context |= _install(subject)
    context |= tab.fill(subject, contents, request.GET) | (more or {})
    # Less than there is, because it cannot be asked: to whoever asks by machine that is no page.
    if subject.unavailable is not None:
        is_unset = isinstance(subject.unavailable, IndexNotServed)
        status = HTTPStatus.NOT_IMPLEMENTED if is_unset else HTTPStatus.SERVICE_UNAVAILABLE
    return render(request, "packages/project/page.html", context, status=status)


def _trail(subject: Subject) -> list[tuple[str, str]]:
    """Return the way from the repository to this page: of a release, it leads over the project."""
    if not subject.is_of_release:
        return []
    tenant, key = subject.repository.tenant.slug, subject.repository.key
    return [(subject.spelled, reverse("project", args=[tenant, key, subject.name]))]


def _install(subject: Subject) -> Context:
    """Return what the commands are made of: without a secret, and pinned where a release is."""
    repository, is_open = subject.repository, _is_open(subject)
    values = Setting(
        base_url=settings.BASE_URL,
        repository=str(repository),
        user="" if is_open else "__token__",
        secret="TOKEN",  # noqa: S106 - stands for one
    ).values()
    version = subject.release.version if subject.release and subject.is_of_release else ""
    is_local = repository.kind == Kind.LOCAL
    return {
        "simple": values["simple"],
        "index": values["signed"],
        "source": values["source"],
        "wanted": f"{subject.spelled}=={version}" if version else subject.spelled,
        "is_open": is_open,
        "shown_in": virtual_showing(repository, subject.by) if is_local else None,
    }


def _is_open(subject: Subject) -> bool:
    """Say whether it is installed without a token.

    What anyone may read of a virtual is not all that this reader sees of it.
    """
    if subject.by.is_anonymous:
        return True
    return subject.repository.kind != Kind.VIRTUAL and anyone_may_read(subject.repository)
