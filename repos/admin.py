"""Repositories, grants and tokens in the Django admin."""

from __future__ import annotations

import re
import secrets
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html

from accounts import tokens
from accounts.admin_base import UseCaseAdmin
from accounts.authentication import signed_in
from accounts.models import Token
from accounts.principal import Principal, TokenLimits
from accounts.roles import Role
from repos import configure
from repos.access import readable_by
from repos.models import Grant, Kind, Member, Repository, Upstream


class RepositoryForm(forms.ModelForm[Repository]):
    """A repository; a new one is readable by its tenant's members unless that is unticked."""

    members_read = forms.BooleanField(
        label="All members read",
        required=False,
        initial=True,
        help_text="Give the reader role to all members of the tenant.",
    )

    class Meta:
        model = Repository
        fields = ("tenant", "key", "kind", "description", "quiet_period", "max_file_bytes")


class UpstreamForm(forms.ModelForm[Upstream]):
    """Where a remote points. The password is sealed and never shown again."""

    new_password = forms.CharField(
        label="Password or token",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Stored sealed and never shown again. Empty: it stays as it is.",
    )

    class Meta:
        model = Upstream
        fields = ("index_url", "suffix", "username", "private_allowed")


class UpstreamInline(admin.StackedInline[Upstream, Repository]):
    """The upstream of a remote repository."""

    model = Upstream
    form = UpstreamForm
    can_delete = False


class MemberFormSet(BaseInlineFormSet[Member, Repository, forms.ModelForm[Member]]):
    """The members of a virtual, judged together."""

    def clean(self) -> None:
        """Refuse members of other tenants and circles."""
        super().clean()
        if not any(self.errors):
            configure.check_members(self.instance, self.chosen())

    def chosen(self) -> list[Repository]:
        """Return the members in the order that the form gives them."""
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data.get("repository") and not form.cleaned_data.get("DELETE")
        ]
        return [data["repository"] for data in sorted(kept, key=lambda data: data["position"])]


class MemberInline(admin.TabularInline[Member, Repository]):
    """The members of a virtual repository, in order."""

    model = Member
    formset = MemberFormSet
    fk_name = "virtual"
    extra = 1
    fields = ("position", "repository")
    verbose_name_plural = "members, in order"


class GrantInline(admin.TabularInline[Grant, Repository]):
    """Who may do what in the repository."""

    model = Grant
    extra = 1
    fields = ("subject", "membership", "team", "role")
    autocomplete_fields = ("membership", "team")


@admin.register(Repository)
class RepositoryAdmin(UseCaseAdmin[Repository]):
    """Repositories of the three kinds."""

    form = RepositoryForm
    list_display = ("key", "tenant", "kind", "description")
    list_filter = ("kind", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("key", "tenant__slug", "description")
    ordering = ("tenant__slug", "key")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the repositories that are in service."""
        return super().get_queryset(request).filter(deleted_at__isnull=True)

    def get_fieldsets(self, request: HttpRequest, obj: Repository | None = None) -> Any:
        """Group the fields; what can no longer be changed is shown as text."""
        name = ("tenant", "key", "kind", "description")
        limits = ("max_file_bytes", "quiet_period")
        if obj is None:
            return (
                (None, {"fields": name, "description": "Its URL is /tenant/key/."}),
                ("Access", {"fields": ("members_read",)}),
                ("Limits", {"fields": limits}),
            )
        return ((None, {"fields": (*name, "address")}), ("Limits", {"fields": limits}))

    def get_readonly_fields(self, request: HttpRequest, obj: Repository | None = None) -> list[str]:
        """Keep tenant, key and kind: URLs and contents hang on them."""
        return ["tenant", "key", "kind", "address"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Repository | None) -> Any:
        """Offer what the kind of the repository has, once it is there."""
        if obj is None:
            return []
        match obj.kind:
            case Kind.REMOTE:
                return [UpstreamInline, GrantInline]
            case Kind.VIRTUAL:
                return [MemberInline, GrantInline]
            case _:
                return [GrantInline]

    @admin.display(description="URL")
    def address(self, obj: Repository) -> str:
        """Show the repository's URL, and what it serves."""
        link = format_html('<a href="/{}/">/{}/</a>', obj, obj)
        if obj.kind == Kind.LOCAL:
            return link
        return format_html(
            "{} A {} repository can be configured; this version of Larder serves nothing "
            "from it yet.",
            link,
            obj.kind,
        )

    def save_model(
        self, request: HttpRequest, obj: Repository, form: forms.ModelForm[Repository], change: bool
    ) -> None:
        """Save by the use case."""
        actor = signed_in(request).actor
        if change:
            configure.change_repository(obj, by=actor)
        else:
            configure.create_repository(
                obj, by=actor, members_read=form.cleaned_data["members_read"]
            )

    def response_add(
        self, request: HttpRequest, obj: Repository, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to what a new remote or virtual still lacks: its upstream, or its members."""
        if obj.kind != Kind.LOCAL and "_addanother" not in request.POST:
            # As Django's own UserAdmin does: "Save" becomes "Save and continue editing".
            going_on: Any = request.POST.copy()
            going_on["_continue"] = "1"
            request.POST = going_on
        return super().response_add(request, obj, post_url_continue)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save upstream, members and grants by their use cases."""
        actor = signed_in(request).actor
        if isinstance(formset, MemberFormSet):
            if formset.has_changed():
                configure.set_members(formset.instance, formset.chosen(), by=actor)
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
            return
        for row in formset.save(commit=False):
            if isinstance(row, Upstream):
                password = formset.forms[0].cleaned_data["new_password"] or None
                configure.save_upstream(row, by=actor, password=password)
            else:
                configure.save_grant(row, by=actor)
        for row in formset.deleted_objects:
            configure.end_grant(row, by=actor)

    def delete_model(self, request: HttpRequest, obj: Repository) -> None:
        """Take it out of service by the use case."""
        configure.delete_repository(obj, by=signed_in(request).actor)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say what goes out of service; rows and bytes stay."""
        return [str(each) for each in objs], {"repositories": len(objs)}, set(), []


@admin.register(Grant)
class GrantAdmin(UseCaseAdmin[Grant]):
    """Roles on repositories."""

    list_display = ("repository", "role", "subject", "membership", "team")
    list_filter = ("subject", "role", "repository__tenant")
    list_select_related = ("repository__tenant", "membership__user", "membership__tenant", "team")
    search_fields = ("repository__key", "membership__user__username", "team__name")
    autocomplete_fields = ("repository", "membership", "team")
    fields = ("repository", "role", "subject", "membership", "team")

    def get_readonly_fields(self, request: HttpRequest, obj: Grant | None = None) -> list[str]:
        """Keep a grant on its repository."""
        return ["repository"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: Grant, form: forms.ModelForm[Grant], change: bool
    ) -> None:
        """Save by the use case."""
        configure.save_grant(obj, by=signed_in(request).actor)

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        """End it by the use case."""
        configure.end_grant(obj, by=signed_in(request).actor)


_USED_FORMS = "used token forms"


class TokenForm(forms.ModelForm[Token]):
    """A token's limits; the secret is made on saving."""

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
        """Refuse repositories of another tenant."""
        cleaned = super().clean() or {}
        owner = cleaned.get("membership") or getattr(self.instance, "membership", None)
        chosen = cleaned.get("repositories") or []
        if owner and any(each.tenant_id != owner.tenant_id for each in chosen):
            self.add_error("repositories", "Choose repositories of the token's tenant.")
        return cleaned


@admin.register(Token)
class TokenAdmin(UseCaseAdmin[Token]):
    """Tokens. The secret of a new one is shown once, on the page that follows."""

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
    list_select_related = ("membership__user", "membership__tenant")
    search_fields = ("name", "identifier", "membership__user__username")
    autocomplete_fields = ("membership",)
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

    def save_model(
        self, request: HttpRequest, obj: Token, form: forms.ModelForm[Token], change: bool
    ) -> None:
        """Make the token by the use case, or change its limits."""
        actor = signed_in(request).actor
        chosen = form.cleaned_data["repositories"]
        if not change:
            used = request.session.get(_USED_FORMS, [])[-20:]
            request.session[_USED_FORMS] = [*used, form.cleaned_data["form_key"]]
            made, secret = tokens.create(
                membership=obj.membership,
                name=obj.name,
                by=actor,
                role=Role(obj.role),
                project_patterns=tuple(obj.project_patterns),
                expires_at=obj.expires_at,
            )
            # Django goes on with its own object, which becomes the row that was made.
            obj.__dict__.update(made.__dict__)
            request.META["larder.new_token"] = secret
        if form.cleaned_data["all_repositories"]:
            if change:
                tokens.change(obj, by=actor)
        else:
            configure.limit_token(obj, chosen, by=actor)

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

    @admin.action(description="Revoke the chosen tokens")
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        """Revoke each token that is not revoked yet."""
        for token in queryset.filter(revoked_at__isnull=True):
            tokens.revoke(token, by=signed_in(request).actor)

    def has_delete_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        """A token is revoked, not deleted: the audit names it."""
        return False


def _where_it_works(token: Token) -> Repository | None:
    """Return a repository to show the commands of a new token with: a local one if there is."""
    owner = Principal(user=token.membership.user, token=TokenLimits.of(token))
    mine = readable_by(owner).filter(tenant=token.membership.tenant).select_related("tenant")
    return mine.filter(kind=Kind.LOCAL).order_by("key").first() or mine.order_by("key").first()
