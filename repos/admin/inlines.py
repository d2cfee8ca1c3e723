"""What stands beneath a repository in the admin: its upstream, its members, its claims."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from accounts.admin_base import UseCaseStacked, UseCaseTabular
from accounts.administration import office_of
from repos import configure
from repos.models import (
    AlsoUpstream,
    Claim,
    Member,
    Repository,
    Upstream,
    VirtualSettings,
)


class UpstreamForm(forms.ModelForm[Upstream]):
    """Where a remote points. The password is sealed and never shown again."""

    new_password = forms.CharField(
        label="Password or token",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Stored sealed and never shown again. Empty: it stays as it is.",
    )
    clear_password = forms.BooleanField(
        label="Clear the password", required=False, help_text="Forget the one that is stored."
    )

    class Meta:
        model = Upstream
        fields = ("index_url", "suffix", "username", "private_allowed")

    def clean(self) -> dict[str, Any]:
        """Refuse a password that is both entered and cleared."""
        cleaned = super().clean() or {}
        if cleaned.get("new_password") and cleaned.get("clear_password"):
            self.add_error("clear_password", "Enter a new password or clear it, not both.")
        return cleaned

    @property
    def password(self) -> str | None:
        """Return the new password; empty to clear it, None to keep what is stored."""
        if self.cleaned_data["clear_password"]:
            return ""
        return self.cleaned_data["new_password"] or None


class UpstreamInline(UseCaseStacked[Upstream, Repository]):
    """The upstream of a remote repository."""

    tenant_path = "repository__tenant"
    model = Upstream
    form = UpstreamForm
    can_delete = False
    readonly_fields = ("reach",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Leave it to superusers what Larder may reach within their network."""
        private = "private_allowed" if office_of(request).everything else "reach"
        return ("index_url", "suffix", "username", "new_password", "clear_password", private)

    @admin.display(description="May have a private address")
    def reach(self, obj: Upstream) -> str:
        """Say whether a superuser has allowed it."""
        if obj.private_allowed:
            return "Yes. Another host would need a superuser's leave again."
        return "No. A superuser can allow it for an index inside your network."


class MemberFormSet(BaseInlineFormSet[Member, Repository, forms.ModelForm[Member]]):
    """The members of a virtual, judged together."""

    def clean(self) -> None:
        """Refuse members of other tenants and circles."""
        super().clean()
        if not any(self.errors):
            configure.check_members(self.instance, self.chosen())

    def chosen(self) -> list[Member]:
        """Return the members in the order that the form gives them, none of them saved."""
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data.get("repository") and not form.cleaned_data.get("DELETE")
        ]
        kept.sort(key=lambda data: data["position"])
        return [Member(repository=data["repository"], scope=data["scope"]) for data in kept]


class MemberInline(UseCaseTabular[Member, Repository]):
    """The members of a virtual repository, in order."""

    tenant_path = "virtual__tenant"
    model = Member
    formset = MemberFormSet
    reads_with = ("virtual__tenant", "repository__tenant")
    fk_name = "virtual"
    extra = 1
    fields = ("position", "repository", "scope")
    autocomplete_fields = ("repository",)
    verbose_name_plural = "members, in order"

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer what is in service."""
        living = Repository.objects.filter(deleted_at__isnull=True).select_related("tenant")
        return super().formfield_for_foreignkey(db_field, request, **kwargs | {"queryset": living})


class VirtualSettingsInline(UseCaseStacked[VirtualSettings, Repository]):
    """How a virtual shows its members, and where uploads to it go."""

    tenant_path = "repository__tenant"
    model = VirtualSettings
    reads_with = ("repository__tenant", "deployment__tenant")
    fk_name = "repository"
    can_delete = False
    fields = ("merge", "deployment")
    autocomplete_fields = ("deployment",)


class AlsoUpstreamInline(UseCaseTabular[AlsoUpstream, Repository]):
    """The names that a virtual takes from its remotes although they are ours."""

    tenant_path = "virtual__tenant"
    model = AlsoUpstream
    reads_with = ("virtual__tenant",)
    extra = 1
    fields = ("normalized",)
    verbose_name_plural = "names also from upstream: strangers' files beside ours"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A mark is made or taken back, not changed into another."""
        return False


class ClaimInline(UseCaseTabular[Claim, Repository]):
    """The names that a repository declares its own."""

    tenant_path = "repository__tenant"
    model = Claim
    reads_with = ("repository__tenant",)
    extra = 1
    fields = ("pattern",)
    verbose_name_plural = "claims: names of its own"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A claim is made or taken back, not changed into another."""
        return False
