"""Grants in the Django admin: roles on repositories."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest

from accounts.admin_base import UseCaseAdmin, UseCaseTabular
from accounts.authentication import signed_in
from repos import configure
from repos.grant_words import change_in_words, end_in_words
from repos.models import Grant, Repository


class GrantInline(UseCaseTabular[Grant, Repository]):
    """Who may do what in the repository."""

    tenant_path = "repository__tenant"
    model = Grant
    reads_with = ("repository__tenant", "membership__user", "membership__tenant", "team__tenant")
    extra = 1
    fields = ("subject", "membership", "team", "role")
    autocomplete_fields = ("membership", "team")


@admin.register(Grant)
class GrantAdmin(UseCaseAdmin[Grant]):
    """Roles on repositories."""

    tenant_path = "repository__tenant"
    list_display = ("repository", "role", "subject", "membership", "team")
    list_filter = ("subject", "role", "repository__tenant")
    reads_with = GrantInline.reads_with
    search_fields = (
        "repository__key",
        "repository__tenant__slug",
        "membership__user__username",
        "team__name",
    )
    autocomplete_fields = ("repository", "membership", "team")
    fields = ("repository", "role", "subject", "membership", "team")

    def get_readonly_fields(self, request: HttpRequest, obj: Grant | None = None) -> list[str]:
        """Keep a grant on its repository."""
        return ["repository"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Grant, form: forms.ModelForm[Grant], change: bool
    ) -> None:
        """Save by the use case, and say what it means."""
        before = Grant.objects.filter(pk=obj.pk).first()
        configure.save_grant(obj, by=signed_in(request).actor)
        messages.info(request, change_in_words(obj, before))

    def audit_subject(self, row: Grant) -> str:
        """Return the repository: its events tell of its grants."""
        return str(row.repository)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the grants; nothing goes with them."""
        return [str(each) for each in objs], {"grants": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        """End it by the use case, and say what it means."""
        told = end_in_words(obj)
        configure.end_grant(obj, by=signed_in(request).actor)
        messages.info(request, told)
