"""Projects, releases and distributions in the Django admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from accounts.admin_base import ChangeOnlyAdmin, UseCaseTabular
from accounts.authentication import signed_in
from packages import cache, curate, describe
from packages.deletion import delete_file
from packages.filenames import parse_name
from packages.models import Distribution, Project, Property, Reading, Release
from packages.properties import said_by

_SHOWN_AT_MOST = 500


@admin.register(Project)
class ProjectAdmin(ChangeOnlyAdmin[Project]):
    """Projects; their status can be set."""

    tenant_path = "repository__tenant"
    list_display = ("name", "repository", "status", "created_at", "let_go_at")
    list_filter = ("status", "repository")
    reads_with = ("repository__tenant",)
    search_fields = ("normalized",)
    readonly_fields = ("name", "repository", "created_at", "let_go_at")
    fields = (*readonly_fields, "status", "status_reason")
    actions = ("let_go",)

    def save_model(
        self, request: HttpRequest, obj: Project, form: forms.ModelForm[Project], change: bool
    ) -> None:
        """Set the status by the use case."""
        curate.set_status(
            obj,
            status=Project.Status(obj.status),
            reason=obj.status_reason,
            by=signed_in(request),
        )

    @admin.action(permissions=["change"], description="Let others have the names of the chosen")
    def let_go(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        """End the keeping of names: virtuals take them from any remote again."""
        by = signed_in(request)

        def change(row: Project) -> None:
            curate.let_go(row.repository, parse_name(row.normalized), by=by)

        self.for_each(request, queryset, change, "Let go the names of")


@admin.register(Release)
class ReleaseAdmin(ChangeOnlyAdmin[Release]):
    """Releases; one can be yanked with all its files."""

    tenant_path = "project__repository__tenant"
    list_display = ("project", "version", "yanked", "created_at")
    list_filter = ("yanked", "project__repository")
    reads_with = ("project__repository__tenant",)
    search_fields = ("project__normalized", "version")
    fields = ("project", "version", "created_at", "yanked", "yanked_reason")
    readonly_fields = ("project", "version", "created_at")

    def audit_subject(self, row: Release) -> str:
        """Return the release's name with its repository's."""
        return f"{row.project.repository}/{row}"

    def save_model(
        self, request: HttpRequest, obj: Release, form: forms.ModelForm[Release], change: bool
    ) -> None:
        """Yank, or take it back, by the use case."""
        _yank(request, obj)


class PropertyInline(UseCaseTabular[Property, Distribution]):
    """The properties that people gave a distribution; those of its archive are shown above."""

    tenant_path = "distribution__repository__tenant"
    model = Property
    extra = 1
    fields = ("name", "value")
    verbose_name_plural = "properties of your own"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Property]:
        """Return what people said: an archive may say a thousand things."""
        return super().get_queryset(request).filter(origin=Property.Origin.PERSON)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A value is added or removed, not changed into another."""
        return False


class ChangedUpstream(admin.SimpleListFilter):
    """Narrows the list to what upstream has changed since it was kept."""

    title = "changed upstream"
    parameter_name = "changed"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        """Return what can be chosen."""
        return [("yes", "Yes"), *Distribution.UpstreamChange.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the files of that change, or of any."""
        match self.value():
            case None:
                return queryset
            case "yes":
                return queryset.exclude(upstream_change="")
            case change:
                return queryset.filter(upstream_change=change)


@admin.register(Distribution)
class DistributionAdmin(ChangeOnlyAdmin[Distribution]):
    """Files; one can be yanked, deleted and restored."""

    tenant_path = "repository__tenant"
    list_display = (
        "filename",
        "repository",
        "kind",
        "size",
        "yanked",
        "extraction",
        "uploaded_at",
        "deleted_at",
    )
    list_filter = (ChangedUpstream, "kind", "yanked", "extraction", "repository")
    reads_with = ("repository__tenant",)
    search_fields = ("filename", "sha256")
    readonly_fields = (
        "filename",
        "path",
        "repository",
        "release",
        "kind",
        "size",
        "sha256",
        "requires_python",
        "extraction",
        "extraction_reason",
        "said",
        "differences",
        "uploaded_at",
        "uploaded_by",
        "upstream_change",
        "deleted_at",
    )
    fields = (*readonly_fields, "yanked", "yanked_reason")
    inlines = (PropertyInline,)
    actions = ("restore", "lift_quarantine", "try_again", "yank", "unyank")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let a file be deleted once."""
        return self.has_change_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def save_model(
        self,
        request: HttpRequest,
        obj: Distribution,
        form: forms.ModelForm[Distribution],
        change: bool,
    ) -> None:
        """Yank, or take it back, by the use case."""
        _yank(request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Add and remove people's properties by their use cases."""
        added = formset.save(commit=False)
        file, by = formset.instance, signed_in(request)
        values = said_by(file, Property.Origin.PERSON)
        for row in formset.deleted_objects:
            values[row.name].remove(row.value)
        for row in added:
            values.setdefault(row.name, []).append(row.value)
        touched = {row.name for row in (*added, *formset.deleted_objects)}
        if wanted := {name: values[name] for name in sorted(touched) if values[name]}:
            describe.set_properties(file, wanted, by=by)
        if gone := [name for name in sorted(touched) if not values[name]]:
            describe.remove_properties(file, gone, by=by)

    @admin.display(description="What the archive says, or else the uploading client")
    def said(self, obj: Distribution) -> str:
        """Show the properties that are not people's."""
        rows = obj.properties.exclude(origin=Property.Origin.PERSON).order_by("name", "value")
        return format_html_join(
            mark_safe("<br>"),
            "<code>{}</code> {}",
            rows.values_list("name", "value")[:_SHOWN_AT_MOST],
        )

    @admin.display(description="What was sent otherwise than the archive has it")
    def differences(self, obj: Distribution) -> str:
        """Show where the client and the archive do not say the same."""
        reading = Reading.objects.filter(distribution=obj).first()
        told = reading.differences if reading is not None else []
        return format_html_join(mark_safe("<br>"), "{}", ((each,) for each in told))

    @admin.action(permissions=["change"], description="Read the chosen failed files again")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Distribution]) -> None:
        """Let files whose extraction has failed wait for it once more."""
        by = signed_in(request)
        failed = queryset.filter(extraction=Distribution.Extraction.FAILED)
        self.for_each(request, failed, lambda row: curate.try_again(row, by=by), "Waiting again:")

    def delete_model(self, request: HttpRequest, obj: Distribution) -> None:
        """Delete by the use case: a tombstone, restorable for a while; what is cached just goes."""
        delete_file(obj, by=signed_in(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the files; what describes them stays, for a restore."""
        return [str(each) for each in objs], {"files": len(objs)}, set(), []

    def audit_subject(self, row: Distribution) -> str:
        """Return the file's name with its repository's."""
        return f"{row.repository}/{row.filename}"

    @admin.action(permissions=["change"], description="Yank the chosen files")
    def yank(self, request: HttpRequest, queryset: QuerySet[Distribution]) -> None:
        """Mark files as yanked; a reason for each is given on its own page."""
        by = signed_in(request)
        offered = queryset.filter(yanked=False, deleted_at__isnull=True)
        self.for_each(request, offered, lambda row: curate.yank(row, reason="", by=by), "Yanked")

    @admin.action(permissions=["change"], description="Take the yank of the chosen files back")
    def unyank(self, request: HttpRequest, queryset: QuerySet[Distribution]) -> None:
        """Offer yanked files again."""
        by = signed_in(request)
        yanked = queryset.filter(yanked=True, deleted_at__isnull=True)

        def change(row: Distribution) -> None:
            curate.yank(row, reason="", by=by, undo=True)

        self.for_each(request, yanked, change, "Offered again:")

    @admin.action(permissions=["change"], description="Restore the chosen deleted files")
    def restore(self, request: HttpRequest, queryset: QuerySet[Distribution]) -> None:
        """List deleted files again."""
        by = signed_in(request)
        deleted = queryset.filter(deleted_at__isnull=False)
        self.for_each(request, deleted, lambda row: curate.restore(row, by=by), "Restored")

    @admin.action(permissions=["change"], description="Give out again what upstream quarantined")
    def lift_quarantine(self, request: HttpRequest, queryset: QuerySet[Distribution]) -> None:
        """Give files out that upstream has quarantined."""
        by = signed_in(request)
        withheld = queryset.filter(upstream_change=Distribution.UpstreamChange.QUARANTINED)
        self.for_each(request, withheld, lambda row: cache.lift_quarantine(row, by=by), "Lifted")


def _yank(request: HttpRequest, target: Distribution | Release) -> None:
    curate.yank(target, reason=target.yanked_reason, by=signed_in(request), undo=not target.yanked)
