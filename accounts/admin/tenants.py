"""Tenants in the Django admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from accounts import members
from accounts.admin_base import UseCaseAdmin
from accounts.administration import office_of
from accounts.authentication import signed_in
from accounts.models import Tenant


@admin.register(Tenant)
class TenantAdmin(UseCaseAdmin[Tenant]):
    """Organisations that share this installation and never see each other.

    Superusers make them and set their bounds; a tenant's own admins say what it is called.
    """

    tenant_path = "pk"
    list_display = ("slug", "name", "host_name", "quota_bytes", "used_bytes")
    search_fields = ("slug", "name")
    fields = (
        "slug", "name", "host_name", "quota_bytes", "used_bytes", "quota_files", "used_files",
    )  # fmt: skip
    readonly_fields = ("used_bytes", "used_files", "address")

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        """Keep the slug of a tenant that exists: every URL of it holds it."""
        fields = list(super().get_readonly_fields(request, obj))
        if not office_of(request).everything:
            fields += ["host_name", "quota_bytes", "quota_files"]
        return [*fields, "slug"] if obj else fields

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """Lead from a tenant that exists to its page."""
        return (*self.fields, "address") if obj else self.fields

    @admin.display(description="URL")
    def address(self, obj: Tenant) -> str:
        """Show the URL of the tenant's page."""
        return format_html('<a href="/{}/">/{}/</a>', obj, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers make tenants."""
        return office_of(request).everything

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A tenant is emptied, not deleted."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Tenant, form: forms.ModelForm[Tenant], change: bool
    ) -> None:
        """Save by the use case."""
        members.save_tenant(obj, by=signed_in(request).actor)
