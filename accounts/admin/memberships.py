"""Memberships in the Django admin: who belongs to which tenant."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import members
from accounts.admin_base import UseCaseAdmin
from accounts.administration import office_of
from accounts.authentication import signed_in
from accounts.models import Membership, User


class InvitationForm(forms.ModelForm[Membership]):
    """A tenant admin's way to add a member: by the exact name, without a list of users."""

    username = forms.CharField(
        label="User name",
        max_length=User._meta.get_field("username").max_length,  # noqa: SLF001 - Django's public way
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text="Exactly as the user signs in. A service account is called tenant/name.",
    )

    class Meta:
        model = Membership
        fields = ("tenant", "kind")


@admin.register(Membership)
class MembershipAdmin(UseCaseAdmin[Membership]):
    """Who belongs to which tenant. Ending a membership ends its grants and tokens."""

    tenant_path = "tenant"
    list_display = ("user", "tenant", "kind")
    list_filter = ("tenant", "kind")
    search_fields = ("user__username", "tenant__slug")
    reads_with = ("user", "tenant")

    def get_form(
        self,
        request: HttpRequest,
        obj: Membership | None = None,
        change: bool = False,  # noqa: FBT002 - Django's signature
        **kwargs: Any,
    ) -> Any:
        """Return the form; whoever may not see the users types a name."""
        if obj is None and self._invites(request):
            kwargs["form"] = InvitationForm
        return super().get_form(request, obj, change, **kwargs)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the form; an invitation leaves no row to go on with."""
        context: dict[str, Any] = extra_context or {}
        if self._invites(request):
            context |= {"title": "Invite a member", "show_save_and_continue": False}
        return super().add_view(request, form_url, context)

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        """Name the fields in the order in which one fills them in."""
        return ("tenant", "username" if obj is None and self._invites(request) else "user", "kind")

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search among tenants where there may be many."""
        return () if self._invites(request) else ("tenant",)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        """Keep a membership what it is: grants and tokens hang on it."""
        return ["user", "tenant"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Membership, form: forms.ModelForm[Membership], change: bool
    ) -> None:
        """Save by the use case."""
        actor = signed_in(request).actor
        if change or not self._invites(request):
            members.save_membership(obj, by=actor)
        else:
            members.invite(
                tenant=obj.tenant,
                username=form.cleaned_data["username"],
                kind=Membership.Kind(obj.kind),
                by=actor,
            )

    def response_add(
        self, request: HttpRequest, obj: Membership, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Say the same of every invitation, whether it has met a user or nobody."""
        if not self._invites(request):
            return super().response_add(request, obj, post_url_continue)
        name = request.POST["username"].strip()
        messages.success(
            request,
            f"Invited {name} to {obj.tenant}. A user of exactly this name is a member now.",
        )
        again = "_addanother" in request.POST
        return redirect(f"admin:accounts_membership_{'add' if again else 'changelist'}")

    def audit_subject(self, row: Membership) -> str:
        """Return the member's name."""
        return row.user.username

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name what goes with a membership."""
        going: list[Any] = []
        for membership in objs:
            tokens = [f"token {token}" for token in membership.tokens.all()]
            grants = [str(grant) for grant in membership.grants.all()]
            going += [str(membership), tokens + grants]
        return going, {"memberships": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """End it by the use case."""
        members.end_membership(obj, by=signed_in(request).actor)

    def _invites(self, request: HttpRequest) -> bool:
        return not office_of(request).everything
