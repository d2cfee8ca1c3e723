"""Tokens in the Django admin. The secret of a new one is shown once, on the page that follows."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from accounts import tokens
from accounts.admin_base import UseCaseAdmin
from accounts.administration import office_of
from accounts.authentication import signed_in
from accounts.models import Membership, Token
from accounts.principal import Principal, TokenLimits
from accounts.roles import Role
from repos import configure
from repos.access import readable_by
from repos.forms import TokenLimitsForm, is_used, remember_used
from repos.models import Kind, Repository
from repos.narrowing import narrow_token


class TokenForm(TokenLimitsForm):
    """A token's limits and its owner; the secret is made on saving."""

    class Meta(TokenLimitsForm.Meta):
        fields = ("membership", *TokenLimitsForm.Meta.fields)
        labels: ClassVar = {"membership": "Owner", "all_repositories": "All repositories"}
        help_texts: ClassVar = {
            "all_repositories": "It works wherever its owner may work. Off: only in those below.",
            "expires_at": "Empty: it works until it is revoked.",
        }

    def owner(self) -> Membership | None:
        """Return the chosen owner, or the token's."""
        return self.cleaned_data.get("membership") or super().owner()


@admin.register(Token)
class TokenAdmin(UseCaseAdmin[Token]):
    """Tokens. The secret of a new one is shown once, on the page that follows."""

    tenant_path = "membership__tenant"
    form = TokenForm
    list_display = (
        "name",
        "identifier",
        "owner",
        "tenant",
        "role",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("membership__tenant", "role")
    reads_with = ("membership__user", "membership__tenant")
    search_fields = ("name", "identifier", "membership__user__username")
    actions = ("revoke",)
    fields = (
        "membership",
        "name",
        "role",
        "all_repositories",
        "repositories",
        "project_patterns",
        "expires_at",
        "form_key",
    )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a token, once for each form that was opened."""
        if is_used(request):
            messages.warning(request, "This form was sent before; its token was made then.")
            return redirect("admin:accounts_token_changelist")
        return super().add_view(request, form_url, extra_context)

    @admin.display(ordering="membership__user__username")
    def owner(self, obj: Token) -> str:
        """Show whose token it is."""
        return obj.membership.user.username

    @admin.display(ordering="membership__tenant__slug")
    def tenant(self, obj: Token) -> str:
        """Show the tenant that it works in."""
        return obj.membership.tenant.slug

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> list[str]:
        """Keep a token with its owner."""
        return ["membership"] if obj else []

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search among all members; a tenant admin has few to choose from."""
        return ("membership",) if office_of(request).everything else ()

    def get_form(
        self,
        request: HttpRequest,
        obj: Token | None = None,
        change: bool = False,  # noqa: FBT002 - Django's signature
        **kwargs: Any,
    ) -> Any:
        """Return the form with the owners whom the caller may make a token for."""
        form = super().get_form(request, obj, change, **kwargs)
        office, user = office_of(request), signed_in(request).user
        if user is not None and "membership" in form.base_fields:
            owner = form.base_fields["membership"]
            owner.queryset = office.token_owners(user, owner.queryset)
        if user is not None and obj is not None:
            form.narrows_only = not office.may_widen(user, obj)
        return form

    def save_model(
        self, request: HttpRequest, obj: Token, form: forms.ModelForm[Token], change: bool
    ) -> None:
        """Make the token by the use case, or change its limits."""
        actor = signed_in(request).actor
        asked = form.cleaned_data
        repositories = None if asked["all_repositories"] else asked["repositories"]
        if change:
            is_narrowed = isinstance(form, TokenForm) and form.narrows_only
            save = narrow_token if is_narrowed else configure.limit_token
            save(obj, repositories, by=actor)
            return
        made, secret = configure.create_token(
            membership=obj.membership,
            name=obj.name,
            by=actor,
            role=Role(obj.role),
            repositories=repositories,
            project_patterns=tuple(obj.project_patterns),
            expires_at=obj.expires_at,
        )
        remember_used(request)
        # Django goes on with its own object, which becomes the row that was made.
        obj.__dict__.update(made.__dict__)
        request.META["larder.new_token"] = secret

    def response_add(
        self, request: HttpRequest, obj: Token, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret in this answer alone: no cookie, session or log ever holds it."""
        context = self.admin_site.each_context(request) | {
            "title": "The new token",
            "token": obj,
            "secret": request.META.pop("larder.new_token"),
            "opts": self.opts,
            "repository": _where_it_works(obj),
        }
        response = TemplateResponse(request, "admin/accounts/token/created.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    @admin.action(permissions=["change"], description="Revoke the chosen tokens")
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """Revoke each token that is not revoked yet."""
        actor = signed_in(request).actor
        living = queryset.filter(revoked_at__isnull=True)
        self.for_each(request, living, lambda token: tokens.revoke(token, by=actor), "Revoked")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A token is revoked, not deleted: the audit names it."""
        return False


def _where_it_works(token: Token) -> Repository | None:
    """Return a repository to show the commands of a new token with: a local one if there is."""
    owner = Principal(user=token.membership.user, token=TokenLimits.of(token))
    mine = readable_by(owner).filter(tenant=token.membership.tenant).select_related("tenant")
    return mine.filter(kind=Kind.LOCAL).order_by("key").first() or mine.order_by("key").first()
