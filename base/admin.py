"""The audit in the Django admin: read, never changed."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from base.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin[AuditEvent]):
    """Who changed what."""

    list_display = ("at", "actor", "action", "subject", "tenant", "address")
    list_filter = ("action", "tenant")
    search_fields = ("subject", "actor")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Events are written by use cases alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        """Nobody changes an event."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEvent | None = None) -> bool:
        """Nobody deletes an event."""
        return False
