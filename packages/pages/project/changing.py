"""Yanks releases and files, and sets a project's status, from its page; the use cases judge."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.principal import Principal
from packages.curate import set_status, yank
from packages.index.base import ProjectNotFound
from packages.models import Distribution, Project, Release
from packages.pages.confirming import REASON_AT_MOST, ConfirmedForm, YankForm
from packages.pages.project.subject import Subject

YANK, UNYANK, STATUS = "yank", "unyank", "status"
# The value that stands for the release beside the names of its files.
WHOLE = "release"
_FILES_AT_MOST = 500
# After these nobody installs what was installed before.
_DANGEROUS = {Project.Status.QUARANTINED}


class YankReleaseForm(YankForm):
    """What is yanked of a release, and why."""

    what = forms.ChoiceField(label="What")
    field_order = ("what", "reason", "typed")

    def __init__(self, *args: Any, subject: Subject, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, names=_names(subject), **kwargs)
        self.fields["what"].choices = yankable(subject)  # type: ignore[attr-defined]  # of a choice field


class UnyankForm(forms.Form):
    """What is to be installable again."""

    what = forms.ChoiceField(label="What")

    def __init__(self, *args: Any, subject: Subject, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, **kwargs)
        self.fields["what"].choices = yanked(subject)  # type: ignore[attr-defined]  # as above


class StatusForm(ConfirmedForm):
    """A project's status marker (PEP 792), and why."""

    status = forms.ChoiceField(label="Status", choices=Project.Status.choices)
    reason = forms.CharField(
        label="Reason",
        max_length=REASON_AT_MOST,
        required=False,
        help_text="Shown on this page and told to installers that ask.",
    )
    field_order = ("status", "reason", "typed")

    def __init__(self, *args: Any, subject: Subject, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, names=_names(subject), **kwargs)
        self.fields["typed"].help_text = f"To quarantine it, type {subject.name}."
        self.initial = {"status": subject.page.status, "reason": subject.page.status_reason}

    def is_dangerous(self) -> bool:
        """Say whether the new status takes the project away from everybody."""
        return self.cleaned_data.get("status") in _DANGEROUS

    def clean_reason(self) -> str:
        """Ask for a reason where it is marked at all."""
        reason: str = self.cleaned_data["reason"]
        if not reason and self.cleaned_data.get("status") != Project.Status.ACTIVE:
            raise forms.ValidationError("Say why: readers and installers are told.")
        return reason


def forms_of(subject: Subject, data: QueryDict | None = None) -> dict[str, forms.Form]:
    """Return the forms that make sense now, by what they do; the one that was sent is bound."""
    sent = data.get("do", "") if data is not None else ""
    found: dict[str, forms.Form] = {}
    kinds: dict[str, type[YankReleaseForm | UnyankForm | StatusForm]] = {STATUS: StatusForm}
    if yankable(subject):
        kinds[YANK] = YankReleaseForm
    if yanked(subject):
        kinds[UNYANK] = UnyankForm
    for what, kind in kinds.items():
        found[what] = kind(
            data if what == sent else None, subject=subject, prefix=what, auto_id="id-%s"
        )
    return found


def yankable(subject: Subject) -> list[tuple[str, str]]:
    """Return what of the release is not yanked: itself, and its files."""
    return _choices(subject, is_yanked=False)


def yanked(subject: Subject) -> list[tuple[str, str]]:
    """Return what of the release is yanked: itself, or single files of it."""
    return _choices(subject, is_yanked=True)


def change(subject: Subject, what: str, form: forms.Form, *, by: Principal) -> str:
    """Do what a form that is filled in well says, and return a sentence about it."""
    said = form.cleaned_data
    if what == STATUS:
        status = Project.Status(said["status"])
        set_status(_project(subject), status=status, reason=said["reason"], by=by)
        return f"{subject.spelled} is {status.label} now."
    is_undone = what == UNYANK
    target, name = _target(subject, said["what"])
    yank(target, reason=said.get("reason", ""), by=by, undo=is_undone)
    return f"{name} is {'not yanked any more' if is_undone else 'yanked'}."


def _names(subject: Subject) -> tuple[str, str]:
    """Return the spellings of the project's name that may be typed."""
    return subject.name, subject.spelled


def _choices(subject: Subject, *, is_yanked: bool) -> list[tuple[str, str]]:
    rows = [row for row in subject.held.values() if row.release is not None]
    if not rows or subject.release is None or rows[0].release is None:
        return []
    release = rows[0].release
    whole = [(WHOLE, f"the whole release {release.version}")]
    files = [(row.filename, row.filename) for row in rows if row.yanked == is_yanked]
    offered = whole if release.yanked == is_yanked else []
    return offered + files[:_FILES_AT_MOST]


def _target(subject: Subject, what: str) -> tuple[Release | Distribution, str]:
    if what != WHOLE:
        return subject.held[what], what
    row = next(iter(subject.held.values()))
    if row.release is None:  # what is on a page has one
        raise ProjectNotFound(f"There is no such release in {subject.repository}.")
    return row.release, f"{subject.spelled} {row.release.version}"


def _project(subject: Subject) -> Project:
    rows: QuerySet[Project] = Project.objects.filter(
        repository=subject.repository, normalized=subject.name, scope=""
    )
    return rows.select_related("repository__tenant").get()
