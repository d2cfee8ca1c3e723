"""The audit, of a tenant and of the installation: as pages of JSON, or as one CSV."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import paged
from accounts.rest.views import RestView, asked
from base.models import AuditEvent
from base.wording import in_words
from repos.audit_csv import as_csv
from repos.events import events_of, events_of_nobody, met_by

_LATEST = Order(("at", "pk"), (datetime, int), is_descending=True)
_JSON, _CSV = "application/json", "text/csv"


class EventsAsked(PageAsked):
    """Which events are wanted, and as what."""

    by = serializers.CharField(required=False, max_length=255, help_text="The user's name.")
    act = serializers.CharField(required=False, max_length=64, help_text="Such as token.create.")
    about = serializers.CharField(required=False, max_length=512, help_text="It begins so.")
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False, help_text="The last day, included.")
    format = serializers.ChoiceField(
        ["json", "csv"],
        required=False,
        help_text="csv, or `Accept: text/csv`: all of them in one answer, whatever limit.",
    )


class Event(serializers.ModelSerializer[AuditEvent]):
    """What somebody did."""

    words = serializers.SerializerMethodField()
    before = serializers.DictField()
    after = serializers.DictField()

    class Meta:
        model = AuditEvent
        fields = (
            "at", "actor", "token", "address", "action", "words", "repository", "subject",
            "before", "after",
        )  # fmt: skip

    def get_words(self, row: AuditEvent) -> str:
        """Say it in words."""
        return in_words(row)


_RESPONSES = {
    (200, _JSON): paged(Event, "EventPage"),
    (200, _CSV): OpenApiTypes.STR,
}


class Audit(RestView):
    """What happened in a tenant."""

    @extend_schema(operation_id="list_audit", parameters=[EventsAsked], responses=_RESPONSES)
    def get(self, request: Request, tenant: str) -> HttpResponseBase:
        """List what was changed in a tenant that you administer; the latest first."""
        return _told(request, events_of(tenant, by=self.by), f"audit-{tenant}.csv")


class InstallationAudit(RestView):
    """What happened in the installation and in no tenant."""

    @extend_schema(
        operation_id="list_installation_audit", parameters=[EventsAsked], responses=_RESPONSES
    )
    def get(self, request: Request) -> HttpResponseBase:
        """List what was changed in no tenant, such as users: for who runs the installation."""
        return _told(request, events_of_nobody(by=self.by), "audit.csv")


def _told(request: Request, events: QuerySet[AuditEvent], filename: str) -> HttpResponseBase:
    wanted: dict[str, Any] = asked(EventsAsked, request)
    page, is_csv = wanted.pop("cursor"), _is_csv(request, wanted.pop("format", ""))
    wanted.pop("limit")
    found = events.filter(met_by(**wanted))
    answer: HttpResponseBase = (
        as_csv(_LATEST.after(found, page), filename)
        if is_csv
        else page_of(request, found, _LATEST, Event)
    )
    patch_vary_headers(answer, ["Accept"])
    return answer


def _is_csv(request: Request, said: str) -> bool:
    """Say whether CSV is wanted; the address goes before what a client accepts by itself."""
    if said:
        return said == "csv"
    return request._request.get_preferred_type([_JSON, _CSV]) == _CSV  # noqa: SLF001 - the framework has no other way
