"""The upstream of a remote, beneath it in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_base import UseCaseStacked
from accounts.administration import office_of
from repos.models import Repository, Upstream


class Lines(forms.CharField):
    """A list of short texts, one per line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False} | options)

    def prepare_value(self, value: Any) -> Any:
        """Return the lines to show; what was sent comes back as it was."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the list that the lines make."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Say whether the lines are others."""
        return bool((initial or []) != self.to_python(data))


class UpstreamForm(forms.ModelForm[Upstream]):
    """Where a remote points. The password is sealed and never shown again."""

    scopes = Lines(help_text=Upstream._meta.get_field("scopes").help_text)  # noqa: SLF001 - Django's public way
    include = Lines(help_text=Upstream._meta.get_field("include").help_text)  # noqa: SLF001 - as above
    exclude = Lines(help_text=Upstream._meta.get_field("exclude").help_text)  # noqa: SLF001 - as above
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
        fields = ("index_url",)  # the fieldsets of the inline name the rest
        widgets = {"ca": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})}  # noqa: RUF012 - Django declares it so

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
    readonly_fields = ("reach", "way")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Group the fields; leave it to superusers what Larder may reach within their network."""
        is_everywhere = office_of(request).everything
        reach = ("private_allowed", "proxy") if is_everywhere else ("reach", "way")
        return (
            (None, {"fields": ("index_url", "suffix", "scopes", "files_url")}),
            ("Signing in", {"fields": ("username", "new_password", "clear_password")}),
            ("Names", {"fields": ("include", "exclude", "names_are_kept", "lists_projects")}),
            ("Freshness", {"fields": ("fresh_seconds", "negative_seconds", "offline")}),
            ("Connection", {"fields": (*reach, "ca", "connect_seconds", "read_seconds")}),
        )

    @admin.display(description="May have a private address")
    def reach(self, obj: Upstream) -> str:
        """Say whether a superuser has allowed it."""
        if obj.private_allowed:
            return "Yes. Another host would need a superuser's leave again."
        return "No. A superuser can allow it for an index inside your network."

    @admin.display(description="Proxy")
    def way(self, obj: Upstream) -> str:
        """Say which proxy leads there."""
        return f"{obj.proxy or 'None'}. A superuser can set one."
