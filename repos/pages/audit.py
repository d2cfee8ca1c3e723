"""The audit of a tenant for its administrators: who did what, from where, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from base.models import AuditEvent
from base.wording import ACTS, Difference, act_in_words, differences, in_words
from repos.audit_csv import as_csv
from repos.events import events_of, met_by, older_than

_PER_PAGE = 50
_DIGITS_AT_MOST = 18


class WantedForm(forms.Form):
    """Which events are wanted."""

    by = forms.CharField(label="By", max_length=255, required=False)
    act = forms.ChoiceField(label="Act", required=False)
    about = forms.CharField(label="About", max_length=512, required=False)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's
        super().__init__(*args, **kwargs)
        acts = [(act, act_in_words(act)) for act in sorted(ACTS, key=act_in_words)]
        self.fields["act"].choices = [("", "any"), *acts]  # type: ignore[attr-defined]  # of a choice field
        self.fields["by"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.fields["about"].widget.attrs |= {
            "placeholder": "begins so: acme/pypi-local",
            "autocomplete": "off",
            "spellcheck": "false",
        }

    def met(self) -> Q:
        """Return what a wanted event meets; days are those of UTC, the last one included."""
        return met_by(**self.cleaned_data)


@dataclass(frozen=True, slots=True)
class Row:
    """An event as the page shows it."""

    event: AuditEvent
    words: str
    differences: list[Difference]


@require_safe
def audit_page(request: HttpRequest, tenant: str) -> HttpResponseBase:
    """Show a tenant's events, the latest first, to its administrators; or give them out as CSV."""
    events = events_of(tenant, by=caller_of(request))
    form = WantedForm(request.GET)
    is_asked = form.is_valid()
    if is_asked:
        events = events.filter(form.met())
    if is_asked and request.GET.get("format") == "csv":
        return as_csv(events, f"audit-{tenant}.csv")
    found = list(_after(events, request.GET.get("after", ""))[: _PER_PAGE + 1]) if is_asked else []
    return render(
        request,
        "repos/audit.html",
        {
            "tenant": tenant,
            "form": form,
            "rows": [Row(each, in_words(each), differences(each)) for each in found[:_PER_PAGE]],
            "next_page": _place(found[_PER_PAGE - 1]) if len(found) > _PER_PAGE else "",
            "is_narrowed": any(form.data.get(name) for name in form.fields),
            "asked": _asked(request),
        },
        status=200 if is_asked else 400,
    )


def _asked(request: HttpRequest) -> str:
    """Return the query of the page without the place in it, for the links to go on with."""
    query = request.GET.copy()
    for name in ("after", "format"):
        query.pop(name, None)
    return query.urlencode()


def _place(event: AuditEvent) -> str:
    """Return the name of the page that begins after an event: its moment and its number."""
    return f"{round(event.at.timestamp() * 1_000_000)}-{event.pk}"


def _after(events: QuerySet[AuditEvent], place: str) -> QuerySet[AuditEvent]:
    """Return the events after a place; what names no place is the beginning."""
    moment, _, pk = place.partition("-")
    if not all(each.isdecimal() and len(each) <= _DIGITS_AT_MOST for each in (moment, pk)):
        return events
    try:
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(moment))
    except OverflowError:
        return events
    return older_than(events, at, int(pk))
