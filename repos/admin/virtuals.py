"""What a virtual shows and how, beneath it in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.forms.widgets import Script
from django.http import HttpRequest

from accounts.admin_base import UseCaseStacked, UseCaseTabular
from repos import configure, nesting
from repos.models import AlsoUpstream, Kind, Member, Repository, VirtualSettings


class MemberForm(forms.ModelForm[Member]):
    """One member."""

    def has_changed(self) -> bool:
        """Say whether it is to be saved: a place without a repository is no member yet."""
        is_chosen = self.instance.pk or self.data.get(self.add_prefix("repository"))
        return bool(is_chosen) and super().has_changed()


class MemberFormSet(BaseInlineFormSet[Member, Repository, forms.ModelForm[Member]]):
    """The members of a virtual, judged together."""

    def clean(self) -> None:
        """Refuse members of other tenants, circles, and scopes that are not allowed."""
        super().clean()
        if not any(self.errors):
            configure.check_members(self.instance, self.chosen())

    def add_fields(self, form: forms.ModelForm[Member], index: int | None) -> None:
        """Let a new member come last, unless another place is given."""
        super().add_fields(form, index)
        if index is None or index >= self.initial_form_count():
            taken = [member.position for member in self.get_queryset()]
            form.fields["position"].initial = max(taken, default=-1) + 1

    def chosen(self) -> list[Member]:
        """Return the members in the order that the form gives them."""
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data.get("repository") and not form.cleaned_data.get("DELETE")
        ]
        return [
            Member(repository=data["repository"], scope=data["scope"])
            for data in sorted(kept, key=lambda data: data["position"])
        ]


class MemberInline(UseCaseTabular[Member, Repository]):
    """The members of a virtual repository, in order."""

    tenant_path = "virtual__tenant"
    model = Member
    form = MemberForm
    formset = MemberFormSet
    reads_with = ("virtual__tenant", "repository__tenant")
    fk_name = "virtual"
    extra = 1
    fields = ("position", "repository", "scope")
    autocomplete_fields = ("repository",)
    verbose_name_plural = "members, in order"

    class Media:
        js = (Script("js/sort-members.js", type="module"),)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer what is in service."""
        living = Repository.objects.filter(deleted_at__isnull=True).select_related("tenant")
        return super().formfield_for_foreignkey(db_field, request, **kwargs | {"queryset": living})


class VirtualSettingsInline(UseCaseStacked[VirtualSettings, Repository]):
    """How a virtual merges, and where uploads to it go."""

    tenant_path = "repository__tenant"
    model = VirtualSettings
    fk_name = "repository"
    can_delete = False
    fields = ("merge", "deployment")
    verbose_name_plural = "merging and uploads"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Offer for uploads the locals beneath the virtual."""
        formset = super().get_formset(request, obj, **kwargs)
        beneath = nesting.beneath(obj) if obj is not None else set()
        locals_beneath = Repository.objects.filter(
            pk__in=beneath, kind=Kind.LOCAL, deleted_at__isnull=True
        )
        target = formset.form.base_fields["deployment"]
        target.queryset = target.queryset.filter(pk__in=locals_beneath)
        target.widget.can_add_related = target.widget.can_change_related = False
        target.widget.can_view_related = False
        return formset


class AlsoUpstreamInline(UseCaseTabular[AlsoUpstream, Repository]):
    """Names of ours that a virtual takes from its remotes as well."""

    tenant_path = "virtual__tenant"
    model = AlsoUpstream
    reads_with = ("virtual__tenant",)
    extra = 1
    fields = ("normalized",)
    verbose_name_plural = "names of ours that are also taken from upstream"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A mark is made or taken back, not changed into another."""
        return False
