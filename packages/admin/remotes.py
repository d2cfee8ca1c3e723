"""Remotes in the Django admin: how upstream answers, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin_base import ChangeOnlyAdmin
from accounts.authentication import signed_in
from packages import cache
from packages.models import Remote, UpstreamHealth
from packages.upstream.trial import check_upstream
from repos.models import Upstream

_DAYS_AT_MOST = 36_500


class RemoteForm(forms.ModelForm[Remote]):
    """Which kept files to let go of; what a remote is set to is changed with the repository."""

    fetched_days_ago = forms.IntegerField(
        label="Fetched more than so many days ago",
        min_value=0,
        max_value=_DAYS_AT_MOST,
        required=False,
    )
    unused_for_days = forms.IntegerField(
        label="Not asked for in so many days",
        min_value=0,
        max_value=_DAYS_AT_MOST,
        required=False,
        help_text="With both, files go for which both are true.",
    )

    class Meta:
        model = Remote
        fields = ()


@admin.register(Remote)
class RemoteAdmin(ChangeOnlyAdmin[Remote]):
    """What stands behind a remote, how it answers, and what is kept of it."""

    tenant_path = "tenant"
    reads_with = ("tenant", "upstream", "upstream_health")
    form = RemoteForm
    change_form_template = "admin/packages/remote/change_form.html"
    list_display = ("key", "tenant", "index", "answering", "kept")
    list_filter = ("tenant",)
    search_fields = ("key", "tenant__slug")
    ordering = ("tenant__slug", "key")
    readonly_fields = ("repository", "index", "answering", "kept", "changed_upstream")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Remote]:
        """Count what each keeps in the same query."""
        held = Q(distributions__deleted_at__isnull=True)
        changed = held & ~Q(distributions__upstream_change="")
        return (
            super()
            .get_queryset(request)
            .annotate(
                files=Count("distributions", filter=held),
                bytes=Sum("distributions__size", filter=held),
                changed=Count("distributions", filter=changed),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Remote | None = None) -> Any:
        """Show what there is, then the form."""
        return (
            (None, {"fields": self.readonly_fields}),
            (
                "Let kept files go",
                {
                    "fields": ("fetched_days_ago", "unused_for_days"),
                    "description": "They are fetched again when somebody asks for them.",
                },
            ),
        )

    def save_model(
        self, request: HttpRequest, obj: Remote, form: forms.ModelForm[Remote], change: bool
    ) -> None:
        """Do what the button says: try the connection out, or let files go."""
        if "_test" in request.POST:
            _try_out(request, obj)
            return
        days = {name: form.cleaned_data[name] for name in ("fetched_days_ago", "unused_for_days")}
        ages = {name: None if each is None else timedelta(each) for name, each in days.items()}
        dropped = cache.drop_old(
            obj,
            by=signed_in(request),
            fetched_before=ages["fetched_days_ago"],
            unused_for=ages["unused_for_days"],
        )
        size = filesizeformat(dropped.bytes)
        messages.success(request, f"Let {dropped.files} files go, {size} in all.")

    def response_change(self, request: HttpRequest, obj: Remote) -> HttpResponse:
        """Stay on the page, with what came of it."""
        return redirect(request.get_full_path())

    @admin.display(description="Repository")
    def repository(self, obj: Remote) -> str:
        """Lead to its settings."""
        url = reverse("admin:repos_repository_change", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', url, obj)

    @admin.display(description="Index")
    def index(self, obj: Remote) -> str:
        """Return the index URL."""
        upstream: Upstream | None = getattr(obj, "upstream", None)
        return upstream.index_url if upstream else "none yet"

    @admin.display(description="Answers")
    def answering(self, obj: Remote) -> str:
        """Say how it has answered lately."""
        upstream: Upstream | None = getattr(obj, "upstream", None)
        health: UpstreamHealth | None = getattr(obj, "upstream_health", None)
        if upstream is not None and upstream.offline:
            return "switched offline"
        if health is None:
            return "not asked yet"
        return f"no: {health.failure}" if health.failures else "yes"

    @admin.display(description="Kept")
    def kept(self, obj: Remote) -> str:
        """Say how much is kept."""
        return f"{getattr(obj, 'files', 0)} files, {filesizeformat(getattr(obj, 'bytes', 0) or 0)}"

    @admin.display(description="Changed upstream")
    def changed_upstream(self, obj: Remote) -> str:
        """Lead to the kept files that upstream has yanked, removed, quarantined or replaced."""
        changed: int = getattr(obj, "changed", 0)
        if not changed:
            return "nothing"
        url = reverse("admin:packages_distribution_changelist")
        query = f"repository__id__exact={obj.pk}&changed=yes"
        return format_html('<a href="{}?{}">{} files</a>', url, query, changed)


def _try_out(request: HttpRequest, remote: Remote) -> None:
    upstream: Upstream | None = getattr(remote, "upstream", None)
    if upstream is None:
        messages.error(request, f"{remote} has no index URL yet.")
        return
    trial = check_upstream(remote, upstream)
    messages.add_message(request, messages.SUCCESS if trial.works else messages.ERROR, trial.says)
