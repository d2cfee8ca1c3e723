"""Repositories in the Django admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin_base import UseCaseAdmin
from accounts.administration import office_of
from accounts.authentication import signed_in
from base.audit import Actor
from base.errors import InvalidInput
from repos import configure, quiet
from repos.admin.claims import ClaimInline
from repos.admin.grants import GrantInline
from repos.admin.upstreams import UpstreamInline
from repos.admin.virtuals import (
    AlsoUpstreamInline,
    MemberFormSet,
    MemberInline,
    VirtualSettingsInline,
)
from repos.grant_words import change_in_words, end_in_words
from repos.models import AlsoUpstream, Claim, Grant, Kind, Repository, Upstream, VirtualSettings


class NotTyped(InvalidInput):
    """Somebody deletes a repository without having typed its name."""


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
        fields = (
            "tenant",
            "key",
            "kind",
            "description",
            "quiet_period",
            "max_file_bytes",
            "rules",
            "overwrite_allowed",
            "releases_close_after_days",
        )


@admin.register(Repository)
class RepositoryAdmin(UseCaseAdmin[Repository]):
    """Repositories of the three kinds."""

    tenant_path = "tenant"
    form = RepositoryForm
    list_display = ("key", "tenant", "kind", "description")
    list_filter = ("kind", "tenant")
    reads_with = ("tenant",)
    search_fields = ("key", "tenant__slug", "description")
    ordering = ("tenant__slug", "key")
    actions = ("extract_now",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the repositories that are in service."""
        return super().get_queryset(request).filter(deleted_at__isnull=True)

    def get_fieldsets(self, request: HttpRequest, obj: Repository | None = None) -> Any:
        """Group the fields; what can no longer be changed is shown as text."""
        name = ("tenant", "key", "kind", "description")
        limits = ("max_file_bytes", "quiet_period")
        uploads = ("rules", "overwrite_allowed", "releases_close_after_days")
        if obj is None:
            return (
                (None, {"fields": name, "description": "Its URL is /tenant/key/."}),
                ("Access", {"fields": ("members_read",)}),
                ("Uploads", {"fields": uploads}),
                ("Limits", {"fields": limits}),
            )
        own: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
            Kind.LOCAL: (("Uploads", {"fields": uploads}), ("Limits", {"fields": limits})),
            Kind.REMOTE: (("Limits", {"fields": limits}), ("Upstream", {"fields": ("behind",)})),
        }
        return ((None, {"fields": (*name, "address")}), *own.get(obj.kind, ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Repository | None = None) -> list[str]:
        """Keep tenant, key and kind: URLs and contents hang on them."""
        return ["tenant", "key", "kind", "address", "behind"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Repository | None) -> Any:
        """Offer what the kind of the repository has, once it is there."""
        if obj is None:
            return []
        match obj.kind:
            case Kind.REMOTE:
                return [UpstreamInline, ClaimInline, GrantInline]
            case Kind.VIRTUAL:
                return [
                    MemberInline,
                    VirtualSettingsInline,
                    AlsoUpstreamInline,
                    ClaimInline,
                    GrantInline,
                ]
            case _:
                return [ClaimInline, GrantInline]

    @admin.display(description="URL")
    def address(self, obj: Repository) -> str:
        """Show the repository's URL."""
        return format_html('<a href="/{}/">/{}/</a>', obj, obj)

    @admin.display(description="What stands behind it")
    def behind(self, obj: Repository) -> str:
        """Lead to the page of the remote: whether the index answers, and what is kept of it."""
        url = reverse("admin:packages_remote_change", args=[obj.pk])
        return format_html('<a href="{}#test">Test the connection, look at what is kept</a>', url)

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
        """Save upstream, members, claims and grants by their use cases."""
        actor = signed_in(request).actor
        if isinstance(formset, MemberFormSet):
            if formset.has_changed():
                configure.set_members(formset.instance, formset.chosen(), by=actor)
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
            return
        saved = formset.save(commit=False)
        # First what goes: a grant may be taken away and given anew to the same subject.
        for row in formset.deleted_objects:
            told = end_in_words(row) if isinstance(row, Grant) else ""
            _take_away(row, by=actor)
            _tell(request, told)
        for row in saved:
            if isinstance(row, Upstream):
                if not office_of(request).everything and configure.points_elsewhere(row):
                    row.private_allowed = False  # a superuser ticked it for the old hosts
                configure.save_upstream(row, by=actor, password=formset.forms[0].password)
            else:
                before = Grant.objects.filter(pk=row.pk).first() if isinstance(row, Grant) else None
                _give(row, by=actor)
                _tell(request, change_in_words(row, before) if isinstance(row, Grant) else "")

    @admin.action(permissions=["change"], description="Extract now what waits in the chosen")
    def extract_now(self, request: HttpRequest, queryset: QuerySet[Repository]) -> None:
        """Let extraction begin without waiting for the end of the quiet period."""
        by = signed_in(request)
        self.for_each(request, queryset, lambda row: quiet.extract_now(row, by=by), "Extracting in")

    def delete_model(self, request: HttpRequest, obj: Repository) -> None:
        """Take it out of service by the use case, once its name was typed."""
        if request.POST.get("typed", "").strip() != str(obj):
            raise NotTyped(f"Nothing was deleted: type {obj} to say that you mean it.")
        configure.delete_repository(obj, by=signed_in(request).actor)

    def get_actions(self, request: HttpRequest) -> Any:
        """Offer no deleting of several at once: each asks for its name."""
        return {
            name: action
            for name, action in super().get_actions(request).items()
            if name != "delete_selected"
        }

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say what goes out of service; rows and bytes stay."""
        return [str(each) for each in objs], {"repositories": len(objs)}, set(), []


def _tell(request: HttpRequest, sentence: str) -> None:
    if sentence:
        messages.info(request, sentence)


def _take_away(row: AlsoUpstream | Claim | Grant, *, by: Actor) -> None:
    match row:
        case AlsoUpstream():
            configure.unmark_also_upstream(row, by=by)
        case Claim():
            configure.remove_claim(row, by=by)
        case Grant():
            configure.end_grant(row, by=by)


def _give(row: AlsoUpstream | Claim | Grant | VirtualSettings, *, by: Actor) -> None:
    match row:
        case AlsoUpstream():
            configure.mark_also_upstream(row, by=by)
        case Claim():
            configure.add_claim(row, by=by)
        case Grant():
            configure.save_grant(row, by=by)
        case VirtualSettings():
            configure.save_virtual(row, by=by)
