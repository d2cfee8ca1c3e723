"""The audit in the Django admin: read, never changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.admin_base import UseCaseAdmin
from accounts.administration import office_of
from base.models import AuditEvent
from base.wording import in_words


class OfTenant(admin.AllValuesFieldListFilter):
    """Narrows the list to the events of one tenant, or of none."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the choices, each with a name."""
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "none: the installation"}


@admin.register(AuditEvent)
class AuditEventAdmin(UseCaseAdmin[AuditEvent]):
    """Who changed what. A tenant admin reads what happened in their tenants."""

    tenant_path = "tenant"
    list_display = ("when", "actor", "words", "tenant", "address")
    search_fields = ("subject", "actor")
    date_hierarchy = "at"
    fields = (
        "when", "actor", "words", "token", "address", "action", "tenant", "subject", "was",
        "became",
    )  # fmt: skip
    readonly_fields = ("when", "words", "was", "became")

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Offer a choice of tenants to whoever has one."""
        office = office_of(request)
        has_choice = office.everything or len(office.tenants) > 1
        return ("action", ("tenant", OfTenant)) if has_choice else ("action",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        """Return the caller's events: they name tenants by slug, as they outlive all rows."""
        office = office_of(request)
        events = AuditEvent.objects.all()
        if office.everything:
            return events
        return events.filter(tenant__in=office.tenants.values())

    @admin.display(description="at (UTC)", ordering="at")
    def when(self, obj: AuditEvent) -> str:
        """Show the time to the second."""
        return f"{obj.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="what")
    def words(self, obj: AuditEvent) -> str:
        """Say what was done."""
        return in_words(obj)

    @admin.display(description="before")
    def was(self, obj: AuditEvent) -> str:
        """Show what stood before the change."""
        return _shown(obj.before)

    @admin.display(description="after")
    def became(self, obj: AuditEvent) -> str:
        """Show what stood after the change."""
        return _shown(obj.after)

    def audit_subject(self, row: AuditEvent) -> str:
        """Return what the event is about."""
        return row.subject

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Events are written by use cases alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes an event."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes an event."""
        return False


def _shown(facts: dict[str, object]) -> str:
    if not facts:
        return "-"
    text = json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="facts">{}</pre>', text)
