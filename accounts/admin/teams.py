"""Teams in the Django admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts import members
from accounts.admin_base import UseCaseAdmin
from accounts.authentication import signed_in
from accounts.models import Team


class TeamForm(forms.ModelForm[Team]):
    """A team and who is in it."""

    class Meta:
        model = Team
        fields = ("tenant", "name", "members")

    def clean(self) -> dict[str, Any]:
        """Refuse members of another tenant."""
        cleaned = super().clean() or {}
        tenant = cleaned.get("tenant")
        tenant_id = tenant.pk if tenant else self.instance.tenant_id
        if any(member.tenant_id != tenant_id for member in cleaned.get("members") or []):
            self.add_error("members", "A team takes members of its own tenant.")
        return cleaned


@admin.register(Team)
class TeamAdmin(UseCaseAdmin[Team]):
    """Named sets of a tenant's members, for grants."""

    tenant_path = "tenant"
    form = TeamForm
    list_display = ("name", "tenant")
    list_filter = ("tenant",)
    search_fields = ("name", "tenant__slug")
    autocomplete_fields = ("members",)
    reads_with = ("tenant",)

    def get_readonly_fields(self, request: HttpRequest, obj: Team | None = None) -> list[str]:
        """Keep a team in its tenant."""
        return ["tenant"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Team, form: forms.ModelForm[Team], change: bool
    ) -> None:
        """Save by the use case, members and all."""
        members.save_team(obj, by=signed_in(request).actor, members=form.cleaned_data["members"])

    def save_related(self, *_: Any, **__: Any) -> None:
        """Do nothing: the use case has saved the members."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the grants that go with a team."""
        going: list[Any] = []
        for team in objs:
            going += [str(team), [str(grant) for grant in team.grants.all()]]
        return going, {"teams": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        """Delete by the use case."""
        members.delete_team(obj, by=signed_in(request).actor)
