"""Users and service accounts in the Django admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from accounts import members
from accounts.admin_base import UseCaseAdmin
from accounts.authentication import signed_in
from accounts.models import ServiceAccount, User
from base.slugs import validate_slug


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

    tenant_path = None
    form = UserForm
    list_display = ("username", "full_name", "email", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser", "memberships__tenant")
    search_fields = ("username", "full_name", "email")
    fields = ("username", "full_name", "email", "new_password", "is_active", "is_superuser")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return people; service accounts have their own list."""
        return super().get_queryset(request).filter(service_of__isnull=True)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A user is made inactive, not deleted: files say who uploaded them."""
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool
    ) -> None:
        """Save by the use case, with the new password if there is one."""
        password = form.cleaned_data["new_password"] or None
        members.save_user(obj, by=signed_in(request).actor, password=password)

    def response_add(
        self, request: HttpRequest, obj: User, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead on to the membership, which a new account does not have."""
        answer = super().response_add(request, obj, post_url_continue)
        if not obj.is_superuser:
            place = f"{reverse('admin:accounts_membership_add')}?user={obj.pk}"
            messages.info(
                request,
                format_html(
                    '{} belongs to no tenant yet. <a href="{}">Make {} a member of one</a>',
                    obj.username,
                    place,
                    obj.username,
                ),
            )
        return answer


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

    tenant_path = "service_of"
    form = ServiceAccountForm
    list_display = ("username", "service_of", "is_active")
    list_filter = ("service_of",)
    search_fields = ("username",)
    fields = ("service_of", "name", "is_active")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
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
