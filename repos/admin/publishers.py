"""Publishers, which repositories trust, in the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_base import UseCaseAdmin
from accounts.authentication import signed_in
from accounts.models import Issuer
from repos import publishers
from repos.models import TrustedPublisher


class PublisherForm(forms.ModelForm[TrustedPublisher]):
    """What a publisher must be."""

    class Meta:
        model = TrustedPublisher
        fields = ("repository",)  # the model admin names the rest
        widgets: ClassVar = {"claims": forms.Textarea(attrs={"rows": 3})}

    def clean_claims(self) -> Any:
        """Take an empty field for no further claims."""
        return self.cleaned_data["claims"] or {}


@admin.register(TrustedPublisher)
class PublisherAdmin(UseCaseAdmin[TrustedPublisher]):
    """Whom the repositories trust to publish without a secret."""

    tenant_path = "repository__tenant"
    form = PublisherForm
    list_display = ("repository", "normalized", "name", "last_used_at")
    list_filter = ("repository__tenant",)
    reads_with = ("repository__tenant", "issuer")
    search_fields = ("repository__key", "repository__tenant__slug", "normalized", "source")
    autocomplete_fields = ("repository",)
    readonly_fields = ("created_at", "trusted_anew_at", "last_used_at")

    def get_fields(self, request: HttpRequest, obj: TrustedPublisher | None = None) -> Any:
        """Ask what it is; of one that is there, tell its use as well."""
        asked = ("repository", "normalized", "issuer", "source", "workflow", "environment", "ref")
        return (*asked, "owner_id", "source_id", "claims", *(self.readonly_fields if obj else ()))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A publisher is trusted or not, and never changed into another."""
        return False

    def scope(self, fields: dict[str, forms.Field], request: HttpRequest) -> None:
        """Offer every issuer: they are the installation's, and all repositories may use them."""
        super().scope(fields, request)
        if isinstance(issuer := fields.get("issuer"), forms.ModelChoiceField):
            issuer.queryset = Issuer.objects.filter(is_active=True)

    def save_model(
        self,
        request: HttpRequest,
        obj: TrustedPublisher,
        form: forms.ModelForm[TrustedPublisher],
        change: bool,
    ) -> None:
        """Save by the use case."""
        publishers.add_publisher(obj, by=signed_in(request).actor)

    def audit_subject(self, row: TrustedPublisher) -> str:
        """Return the project: its events tell of its publishers."""
        return f"{row.repository}/{row.normalized}"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the publishers; their tokens end."""
        return [str(each) for each in objs], {"publishers": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: TrustedPublisher) -> None:
        """Remove it by the use case."""
        publishers.remove_publisher(obj, by=signed_in(request).actor)
