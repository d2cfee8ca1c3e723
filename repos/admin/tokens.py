"""Tokens in the Django admin. The secret of a new one is shown once, on the page that follows."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
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
from repos.models import Kind, Repository

_USED_FORMS = "used token forms"


class TokenForm(forms.ModelForm[Token]):
    """A token's limits; the secret is made on saving."""

    # Set for a token whose owner is another person than the tenant admin who changes it.
    narrows_only = False

    project_patterns = forms.CharField(
        label="Projects",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it may publish, yank and delete: a name or acme-* a line. Empty: all.",
    )
    # Taken once: the answer shows the secret, and reloading it sends the form again.
    form_key = forms.CharField(widget=forms.HiddenInput, required=False)

    repositories = forms.ModelMultipleChoiceField(
        Repository.objects.filter(deleted_at__isnull=True).select_related("tenant"),
        required=False,
        help_text="Where it works, unless it works everywhere.",
    )

    class Meta:
        model = Token
        fields = (
            "membership",
            "name",
            "role",
            "all_repositories",
            "project_patterns",
            "expires_at",
        )
        labels: ClassVar = {"membership": "Owner", "all_repositories": "All repositories"}
        help_texts: ClassVar = {
            "all_repositories": "It works wherever its owner may work. Off: only in those below.",
            "expires_at": "Empty: it works until it is revoked.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["project_patterns"] = "\n".join(self.instance.project_patterns)
        self.initial["form_key"] = secrets.token_urlsafe(16)
        if self.instance.pk:
            self.initial["repositories"] = list(
                self.instance.repositories.values_list("repository_id", flat=True)
            )

    def clean_project_patterns(self) -> list[str]:
        """Return the lines as patterns, normalised as project names are."""
        lines = self.cleaned_data["project_patterns"].split()
        for line in lines:
            if not re.fullmatch(r"[A-Za-z0-9*?._-]+", line):
                raise ValidationError(f"{line} is not a project's name or a pattern like acme-*.")
        return [re.sub(r"[-_.]+", "-", line).lower() for line in lines]

    def clean(self) -> dict[str, Any]:
        """Refuse repositories of another tenant, and more than the caller may give."""
        cleaned = super().clean() or {}
        if self.narrows_only and not self.errors:
            for name in _wider(self.instance, cleaned):
                self.add_error(name, "You may take from another's token, not add to it.")
        owner = cleaned.get("membership") or getattr(self.instance, "membership", None)
        chosen = cleaned.get("repositories") or []
        if owner and any(each.tenant_id != owner.tenant_id for each in chosen):
            self.add_error("repositories", "Choose repositories of the token's tenant.")
        return cleaned


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
        if request.POST.get("form_key", "") in request.session.get(_USED_FORMS, []):
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
            mine = Membership.objects.filter(pk=obj.membership_id)
            form.narrows_only = not office.token_owners(user, mine).exists()
        return form

    def save_model(
        self, request: HttpRequest, obj: Token, form: forms.ModelForm[Token], change: bool
    ) -> None:
        """Make the token by the use case, or change its limits."""
        actor = signed_in(request).actor
        asked = form.cleaned_data
        repositories = None if asked["all_repositories"] else asked["repositories"]
        if change:
            configure.limit_token(obj, repositories, by=actor)
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
        used = request.session.get(_USED_FORMS, [])[-20:]
        request.session[_USED_FORMS] = [*used, asked["form_key"]]
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


def _wider(token: Token, asked: dict[str, Any]) -> Iterator[str]:
    """Yield the fields by which `asked` would let `token` do more than it may now."""
    if asked["role"] > token.role:
        yield "role"
    if not token.all_repositories:
        named = set(token.repositories.values_list("repository_id", flat=True))
        if asked["all_repositories"]:
            yield "all_repositories"
        elif not {each.pk for each in asked["repositories"]} <= named:
            yield "repositories"
    patterns = set(asked["project_patterns"])
    if token.project_patterns and not (patterns and patterns <= set(token.project_patterns)):
        yield "project_patterns"
    ends = asked["expires_at"]
    if token.expires_at is not None and (ends is None or ends > token.expires_at):
        yield "expires_at"


def _where_it_works(token: Token) -> Repository | None:
    """Return a repository to show the commands of a new token with: a local one if there is."""
    owner = Principal(user=token.membership.user, token=TokenLimits.of(token))
    mine = readable_by(owner).filter(tenant=token.membership.tenant).select_related("tenant")
    return mine.filter(kind=Kind.LOCAL).order_by("key").first() or mine.order_by("key").first()
