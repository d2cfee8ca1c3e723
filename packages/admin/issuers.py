"""Issuers, which superusers add, in the Django admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import UseCaseAdmin
from accounts.assertions import IssuerAway
from accounts.authentication import signed_in
from accounts.models import Issuer
from packages import issuer_keys
from repos import publishers

_ASKED_AT_MOST = 5


@admin.register(Issuer)
class IssuerAdmin(UseCaseAdmin[Issuer]):
    """Who vouches for CI, in the whole installation."""

    tenant_path = None
    list_display = ("url", "kind", "is_active")
    search_fields = ("url",)
    fields = ("kind", "url", "is_active", "private_allowed", "ca")
    actions = ("ask_for_keys",)

    @admin.action(description="Ask selected issuers for their keys", permissions=["view"])
    def ask_for_keys(self, request: HttpRequest, issuers: QuerySet[Issuer]) -> None:
        """Say whether each gives its keys, and if not, why."""
        if issuers.count() > _ASKED_AT_MOST:
            messages.error(request, f"Select {_ASKED_AT_MOST} at the most: each may take a while.")
            return
        for issuer in issuers:
            try:
                messages.success(request, issuer_keys.check(issuer))
            except IssuerAway as away:
                messages.error(request, away.sentence)

    def save_model(
        self, request: HttpRequest, obj: Issuer, form: forms.ModelForm[Issuer], change: bool
    ) -> None:
        """Save by the use case."""
        publishers.save_issuer(obj, by=signed_in(request).actor)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the issuers; what they vouched for before goes with them."""
        return [str(each) for each in objs], {"issuers": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Issuer) -> None:
        """Delete by the use case."""
        publishers.delete_issuer(obj, by=signed_in(request).actor)
