"""Tenants, users, service accounts, memberships and teams in the Django admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import members
from accounts.admin_base import UseCaseAdmin
from accounts.authentication import signed_in
from accounts.models import Membership, ServiceAccount, Team, Tenant, User
from base.slugs import validate_slug

# Django's groups are not used: teams and grants say who may do what.
admin.site.unregister(Group)


@admin.register(Tenant)
class TenantAdmin(UseCaseAdmin[Tenant]):
    """Organisations that share this installation and never see each other."""

    list_display = ("slug", "name", "host_name", "quota_bytes", "used_bytes")
    search_fields = ("slug", "name")
    readonly_fields = ("used_bytes",)

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        """Keep the slug of a tenant that exists: every URL of it holds it."""
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "slug"] if obj else fields

    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        """A tenant is emptied, not deleted."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Tenant, form: forms.ModelForm[Tenant], change: bool
    ) -> None:
        """Save by the use case."""
        members.save_tenant(obj, by=signed_in(request).actor)


class UserForm(forms.ModelForm[User]):
    """A person; the password is set here and never shown."""

    new_password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters. Empty: it stays as it is; a new user has none.",
    )

    class Meta:
        model = User
        fields = ("username", "full_name", "email", "is_active", "is_superuser")

    def clean_new_password(self) -> str:
        """Refuse a password that is easily guessed."""
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


@admin.register(User)
class UserAdmin(UseCaseAdmin[User]):
    """People. They join tenants by memberships."""

    form = UserForm
    list_display = ("username", "full_name", "email", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser", "memberships__tenant")
    search_fields = ("username", "full_name", "email")
    fields = ("username", "full_name", "email", "new_password", "is_active", "is_superuser")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return people; service accounts have their own list."""
        return super().get_queryset(request).filter(service_of__isnull=True)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A user is made inactive, not deleted: files say who uploaded them."""
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool
    ) -> None:
        """Save by the use case, with the new password if there is one."""
        password = form.cleaned_data["new_password"] or None
        members.save_user(obj, by=signed_in(request).actor, password=password)


class ServiceAccountForm(forms.ModelForm[ServiceAccount]):
    """A tenant's account for CI. It has no password: give it a token."""

    name = forms.CharField(
        max_length=100,
        validators=[validate_slug],
        help_text="It is called by tenant and name, like acme/ci.",
    )

    class Meta:
        model = ServiceAccount
        fields = ("service_of", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["name"].initial = self.instance.username.partition("/")[2]
            self.fields["name"].disabled = True
            self.fields["service_of"].disabled = True
        self.fields["service_of"].required = True

    def clean(self) -> dict[str, Any]:
        """Name the account after its tenant."""
        cleaned = super().clean() or {}
        if cleaned.get("service_of") and cleaned.get("name"):
            self.instance.username = f"{cleaned['service_of'].slug}/{cleaned['name']}"
        return cleaned

    def validate_unique(self) -> None:
        """Refuse a name that the tenant has given already."""
        others = User.objects.filter(username=self.instance.username).exclude(pk=self.instance.pk)
        if others.exists():
            self.add_error("name", ValidationError("The tenant has this service account."))


@admin.register(ServiceAccount)
class ServiceAccountAdmin(UseCaseAdmin[ServiceAccount]):
    """Accounts for CI, owned by a tenant."""

    form = ServiceAccountForm
    list_display = ("username", "service_of", "is_active")
    list_filter = ("service_of",)
    search_fields = ("username",)
    fields = ("service_of", "name", "is_active")

    def has_delete_permission(
        self, request: HttpRequest, obj: ServiceAccount | None = None
    ) -> bool:
        """It is made inactive, not deleted."""
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: ServiceAccount,
        form: forms.ModelForm[ServiceAccount],
        change: bool,
    ) -> None:
        """Save by the use case, which makes it a member of its tenant."""
        members.save_user(obj, by=signed_in(request).actor)


@admin.register(Membership)
class MembershipAdmin(UseCaseAdmin[Membership]):
    """Who belongs to which tenant. Ending a membership ends its grants and tokens."""

    list_display = ("user", "tenant", "kind")
    list_filter = ("tenant", "kind")
    search_fields = ("user__username", "tenant__slug")
    autocomplete_fields = ("tenant",)
    list_select_related = ("user", "tenant")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        """Keep a membership what it is: grants and tokens hang on it."""
        return ["user", "tenant"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Membership, form: forms.ModelForm[Membership], change: bool
    ) -> None:
        """Save by the use case."""
        members.save_membership(obj, by=signed_in(request).actor)

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

    form = TeamForm
    list_display = ("name", "tenant")
    list_filter = ("tenant",)
    search_fields = ("name", "tenant__slug")
    filter_horizontal: ClassVar = ("members",)
    list_select_related = ("tenant",)

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

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        """Delete by the use case."""
        members.delete_team(obj, by=signed_in(request).actor)
