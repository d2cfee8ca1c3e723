"""Remotes in the Django admin: how upstream answers, and what is kept of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin_base import ChangeOnlyAdmin
from accounts.authentication import signed_in
from packages import purge
from packages.models import CachePurge, Remote, UpstreamHealth
from packages.purge_form import PurgeForm
from packages.upstream.trial import check_upstream
from repos.models import Upstream


class RemoteForm(PurgeForm, forms.ModelForm[Remote]):
    """Which kept files to let go of; what a remote is set to is changed with the repository."""

    class Meta:
        model = Remote
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["typed"].help_text = f"Type {self.instance} to purge it."


@admin.register(Remote)
class RemoteAdmin(ChangeOnlyAdmin[Remote]):
    """What stands behind a remote, how it answers, and what is kept of it."""

    tenant_path = "tenant"
    reads_with = ("tenant", "upstream", "upstream_health")
    form = RemoteForm
    change_form_template = "admin/packages/remote/change_form.html"
    save_on_top = True  # where the connection is tested
    list_display = ("key", "tenant", "index", "answering", "kept", "purging")
    list_filter = ("tenant",)
    search_fields = ("key", "tenant__slug")
    ordering = ("tenant__slug", "key")
    readonly_fields = ("repository", "index", "answering", "kept", "purging", "changed_upstream")
    actions = ("purge",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Remote]:
        """Count what each keeps in the same query."""
        held = Q(distributions__deleted_at__isnull=True)
        going_on = CachePurge.objects.filter(repository=OuterRef("pk"), ended_at__isnull=True)
        changed = held & ~Q(distributions__upstream_change="")
        return (
            super()
            .get_queryset(request)
            .annotate(
                files=Count("distributions", filter=held),
                bytes=Sum("distributions__size", filter=held),
                changed=Count("distributions", filter=changed),
                purge_files=Subquery(going_on.values("files")[:1]),
                purge_files_done=Subquery(going_on.values("files_done")[:1]),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Remote | None = None) -> Any:
        """Show what there is, then the form."""
        return (
            (None, {"fields": self.readonly_fields}),
            (
                "Purge the cache",
                {
                    "fields": ("fetched_days", "unused_days", "typed"),
                    "description": "Kept files go, in the background, and are fetched again when "
                    "somebody asks for them. What upstream has changed or taken away stays.",
                },
            ),
        )

    def save_model(self, request: HttpRequest, obj: Remote, form: RemoteForm, change: bool) -> None:
        """Do what the button says: try the connection out, or have kept files purged."""
        if "_test" in request.POST:
            _try_out(request, obj)
            return
        form.ask(obj, by=signed_in(request))
        messages.success(request, f"{obj} is being purged.")

    @admin.action(permissions=["change"], description="Purge the cache of the chosen remotes")
    def purge(self, request: HttpRequest, queryset: QuerySet[Remote]) -> HttpResponse | None:
        """Ask for the name of each, then have what they keep purged by the use case."""
        if not request.POST.get("post"):
            context = self.admin_site.each_context(request) | {
                "title": "Purge what remotes keep",
                "remotes": queryset,
                "opts": self.opts,
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
            }
            return render(request, "admin/packages/remote/purge_confirmation.html", context)
        by = signed_in(request)

        def begin(row: Remote) -> None:
            purge.ask(row, typed=request.POST.get(f"typed-{row.pk}", ""), by=by)

        self.for_each(request, queryset, begin, "Purging")
        return None

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

    @admin.display(description="Purge")
    def purging(self, obj: Remote) -> str:
        """Say how far its purge is, and lead to where one sees it go on."""
        files: int | None = getattr(obj, "purge_files", None)
        if files is None:
            return "none"
        url = reverse("cache", args=[obj.tenant.slug, obj.key])
        done = getattr(obj, "purge_files_done", 0)
        return format_html('<a href="{}">{} of {} files</a>', url, done, files)

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
    for trial in check_upstream(remote, upstream):
        level = messages.SUCCESS if trial.works else messages.ERROR
        messages.add_message(request, level, trial.says)
