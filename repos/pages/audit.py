"""The audit of a tenant for its administrators: who did what, from where, before and after."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from base.models import AuditEvent
from base.wording import ACTS, Difference, act_in_words, differences, in_words, said
from repos.events import events_of, met_by

_PER_PAGE = 50
_EXPORTED_AT_MOST = 10_000
_DIGITS_AT_MOST = 18
# What a spreadsheet takes for a formula at the beginning of a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        return _as_csv(tenant, events)
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
    return events.filter(Q(at__lt=at) | Q(at=at, pk__lt=int(pk)), at__lte=at)


def _as_csv(tenant: str, events: QuerySet[AuditEvent]) -> HttpResponseBase:
    answer = StreamingHttpResponse(_lines(events), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audit-{tenant}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        """Return the line."""
        return text


def _lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    lines = csv.writer(_Echo())
    head = ("at (UTC)", "by", "token", "address", "act", "what", "about", "before", "after")
    yield lines.writerow(head)
    for event in events[:_EXPORTED_AT_MOST].iterator(chunk_size=500):
        cells = (
            event.at.astimezone(UTC).isoformat(timespec="seconds"),
            event.actor,
            event.token,
            event.address,
            event.action,
            in_words(event),
            event.subject,
            said(event.before),
            said(event.after),
        )
        yield lines.writerow(map(_safe, cells))


def _safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
