"""Memberships in the Django admin, and invitations: who belongs to which tenant."""

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
from accounts.models import Invitation, Membership


@admin.register(Invitation)
class InvitationAdmin(UseCaseAdmin[Invitation]):
    """Offers of membership. The list shows the same of a name whether anybody has it or not."""

    tenant_path = "tenant"
    reads_with = ("tenant",)
    list_display = ("username", "tenant", "kind", "invited_at")
    list_filter = ("tenant", "kind")
    search_fields = ("username", "tenant__slug")
    fields = ("tenant", "username", "kind")

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """An invitation is made or taken back, not changed into another."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Invitation, form: forms.ModelForm[Invitation], change: bool
    ) -> None:
        """Save by the use case."""
        members.invite(obj, by=signed_in(request).actor)

    def response_add(
        self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead to the list: a service account of one's own is a member now, and has no row."""
        # To a tenant admin the same words whether there is such a user or not:
        # docs/administration.md, "Invitations".
        makes = (
            "make one under Users"
            if office_of(request).everything
            else "ask whoever runs this installation to make one"
        )
        messages.success(
            request,
            f"Invited {obj.username} to {obj.tenant}. If there is an account of this name, it can "
            f"now join; if not, {makes}.",
        )
        again = "_addanother" in request.POST
        return redirect(f"admin:accounts_invitation_{'add' if again else 'changelist'}")

    def audit_subject(self, row: Invitation) -> str:
        """Return the invited name."""
        return row.username

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the invitations; nothing goes with them."""
        return [str(each) for each in objs], {"invitations": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Invitation) -> None:
        """Take it back by the use case."""
        members.withdraw(obj, by=signed_in(request).actor)


@admin.register(Membership)
class MembershipAdmin(UseCaseAdmin[Membership]):
    """Who belongs to which tenant. Ending a membership ends its grants and tokens."""

    tenant_path = "tenant"
    list_display = ("user", "tenant", "kind")
    list_filter = ("tenant", "kind")
    search_fields = ("user__username", "tenant__slug")
    reads_with = ("user", "tenant")

    fields = ("tenant", "user", "kind")
    autocomplete_fields = ("tenant",)

    def has_add_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Tenant admins invite: who there is, is not for them to see."""
        return office_of(request).everything

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        """Keep a membership what it is: grants and tokens hang on it."""
        return ["user", "tenant"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Membership, form: forms.ModelForm[Membership], change: bool
    ) -> None:
        """Save by the use case."""
        members.save_membership(obj, by=signed_in(request).actor)

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
