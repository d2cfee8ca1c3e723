"""Why a repository shows these files of a project and not others, and which of them pip takes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.administration import Office, office_of
from accounts.authentication import caller_of
from accounts.roles import Role
from base.errors import InvalidInput
from packages.explain import Explained, Explanation, explanation
from packages.filenames import parse_name
from packages.index.decision import Cause
from packages.index.virtual import page_order
from packages.pages.frame import frame
from packages.pip_choice import (
    PLATFORMS,
    PYTHONS,
    USUAL_PLATFORM,
    USUAL_PYTHON,
    Choice,
    choose,
)
from repos.access import admitted
from repos.models import Repository

_LINES_PER_PAGE = 200
# Where a cause is taken away, in the admin, and what the link to it says.
_REPOSITORY = "admin:repos_repository_change"
_PROJECTS, _FILES = "admin:packages_project_changelist", "admin:packages_distribution_changelist"
_SETTINGS = {
    Cause.EXCLUDED: (_REPOSITORY, "its patterns"),
    Cause.CLAIMED: (_REPOSITORY, "the claim"),
    Cause.KEPT: (_REPOSITORY, "names also from upstream"),
    Cause.NOT_FIRST: (_REPOSITORY, "how it merges"),
    Cause.UNAVAILABLE: (_REPOSITORY, "its upstream"),
    Cause.QUARANTINED: (_PROJECTS, "the project's status"),
    Cause.DELETED: (_FILES, "the deleted file"),
    Cause.OTHER_BYTES: (_REPOSITORY, "the order of members"),
    Cause.SAME_FILE: (_REPOSITORY, "the order of members"),
}


class QuestionForm(forms.Form):
    """What is asked: a project, and for which machine."""

    project = forms.CharField(max_length=200)
    python = forms.ChoiceField(choices=[(each, each) for each in PYTHONS], initial=USUAL_PYTHON)
    platform = forms.ChoiceField(
        choices=[(slug, each.label) for slug, each in PLATFORMS.items()],
        initial=USUAL_PLATFORM,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A line as the page shows it."""

    line: Explained
    # What pip thinks of a shown file; empty for the one that it takes.
    pip: str
    is_taken: bool
    # Where the cause is taken away, and what that is called; empty where the reader may not.
    setting: tuple[str, str]


@require_safe
def explain_page(request: HttpRequest, tenant: str, key: str) -> HttpResponse:
    """Show every file of a project that the reader may see, shown or hidden, and pip's choice."""
    principal = caller_of(request)
    come_in = admitted(principal, tenant, key, Role.READER)
    repository = come_in.repository
    form = QuestionForm({**_usual(), **request.GET.dict()} if "project" in request.GET else None)
    context = frame(come_in) | {"form": form}
    if form.is_valid():
        try:
            name = parse_name(form.cleaned_data["project"].strip())
        except InvalidInput as refusal:
            form.add_error("project", refusal.sentence)
        else:
            found = explanation(repository, name, principal)
            context |= _answer(found, form.cleaned_data, request) | {
                "name": name,
                "trail": [("explain", reverse("explain", args=[tenant, key]))],
            }
    return render(request, "packages/explain.html", context, status=400 if form.errors else 200)


def _usual() -> dict[str, str]:
    return {"python": USUAL_PYTHON, "platform": USUAL_PLATFORM}


def _answer(found: Explanation, asked: dict[str, str], request: HttpRequest) -> dict[str, object]:
    """Return what the template shows of an explanation."""
    files = [line.file for line in found.lines if line.cause is None and line.file is not None]
    choice = choose(
        sorted(files, key=page_order), python=asked["python"], platform=asked["platform"]
    )
    office = office_of(request)
    lines = sorted(
        (line for line in found.lines if line.file is not None),
        key=lambda line: (line.cause is None, page_order(line.file) if line.file else ("", "")),
        reverse=True,
    )
    page = Paginator(lines, _LINES_PER_PAGE).get_page(request.GET.get("page"))
    return {
        "page": page,
        "rows": [_row(line, choice, office) for line in page],
        "members": [
            (member, _setting(member.silence, office) if member.silence else ("", ""))
            for member in found.members
        ],
        "choice": choice,
        "python": asked["python"],
        "platform": PLATFORMS[asked["platform"]].label,
        "shown": len(files),
        "hidden": len(lines) - len(files),
    }


def _row(line: Explained, choice: Choice, office: Office) -> Row:
    is_shown = line.cause is None and line.file is not None
    name = line.file.filename if line.file else ""
    return Row(
        line=line,
        pip=choice.passed_over.get(name, "") if is_shown else "",
        is_taken=is_shown and line.file is choice.taken,
        setting=_setting(line, office),
    )


def _setting(line: Explained, office: Office) -> tuple[str, str]:
    """Return where the reader may take a cause away, and what that is called."""
    decides = line.decides
    if line.cause not in _SETTINGS or decides is None or not _administers(office, decides):
        return "", ""
    view, label = _SETTINGS[line.cause]
    if view == _REPOSITORY:
        return reverse(view, args=[decides.pk]), f"{label} ({decides})"
    term = line.file.filename if line.file and view == _FILES else ""
    query = {"repository__id__exact": decides.pk} | ({"q": term} if term else {})
    return f"{reverse(view)}?{urlencode(query)}", f"{label} ({decides})"


def _administers(office: Office, repository: Repository) -> bool:
    return office.everything or repository.tenant_id in office.tenants
