"""What is done to a file from its page: yank, delete, restore and their like; use cases judge."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from accounts.principal import Principal
from accounts.roles import Role
from packages import cache, curate
from packages.models import Distribution
from packages.pages.confirming import ConfirmedForm, YankForm
from repos.models import Kind

YANK, UNYANK, DELETE, DROP = "yank", "unyank", "delete", "drop"
# Offered in the banner that says why nobody gets the file, and not in a tab.
RESTORE, LIFT = "restore", "lift"
_NEEDS = {
    YANK: Role.WRITER,
    UNYANK: Role.WRITER,
    DELETE: Role.ADMIN,
    DROP: Role.ADMIN,
    RESTORE: Role.ADMIN,
    LIFT: Role.ADMIN,
}
_KINDS: dict[str, type[YankForm | ConfirmedForm]] = {
    YANK: YankForm,
    DELETE: ConfirmedForm,
    DROP: ConfirmedForm,
}


def needed_for(what: str) -> Role:
    """Return the role that an act needs in the repository that holds the file."""
    return _NEEDS[what]


def possible(row: Distribution) -> list[str]:
    """Return what can be done to a file as it is now, by somebody who may."""
    is_remote = row.repository.kind == Kind.REMOTE
    if row.deleted_at is not None:
        return [RESTORE]
    if is_remote:
        is_withheld = row.upstream_change == Distribution.UpstreamChange.QUARANTINED
        return [LIFT, DROP] if is_withheld else [DROP]
    if row.release is None:  # nobody installs it, so that nobody need be kept from it
        return [DELETE]
    return [UNYANK if row.yanked else YANK, DELETE]


def forms_of(row: Distribution, data: QueryDict | None = None) -> dict[str, forms.Form]:
    """Return a form for each thing that can be done; the one that was sent is bound."""
    sent = data.get("do", "") if data is not None else ""
    return {what: _form(row, what, data if what == sent else None) for what in possible(row)}


def forms_for(row: Distribution, role: Role) -> dict[str, forms.Form]:
    """Return the forms of the tab Manage for somebody with this role; there may be none."""
    found = forms_of(row)
    return {
        what: form
        for what, form in found.items()
        if what not in {RESTORE, LIFT} and role >= _NEEDS[what]
    }


def change(row: Distribution, what: str, form: forms.Form, *, by: Principal) -> str:
    """Do what a form that is filled in well says, and return a sentence about it."""
    match what:
        case "yank":
            curate.yank(row, reason=form.cleaned_data["reason"], by=by)
            return f"{row.filename} is yanked."
        case "unyank":
            curate.yank(row, reason="", by=by, undo=True)
            return f"{row.filename} is not yanked any more."
        case "delete":
            curate.delete(row, by=by)
            return f"{row.filename} is deleted. It can be restored from here."
        case "restore":
            curate.restore(row, by=by)
            return f"{row.filename} is restored."
        case "lift":
            cache.lift_quarantine(row, by=by)
            return f"{row.filename} is given out again."
        case _:
            cache.drop(row, by=by)
            return f"{row.filename} is dropped. It is fetched again when somebody asks for it."


def _form(row: Distribution, what: str, data: QueryDict | None) -> forms.Form:
    kind = _KINDS.get(what)
    if kind is None:
        return forms.Form(data, prefix=what)
    form = kind(data, names=_names(row), prefix=what, auto_id="id-%s")
    if row.release is None:
        form.fields["typed"].label = "The file's name"
    return form


def _names(row: Distribution) -> tuple[str, ...]:
    """Return what may be typed: the project's name in its spellings, or the file's without one."""
    if row.release is None:
        return (row.filename,)
    return row.release.project.normalized, row.release.project.name
