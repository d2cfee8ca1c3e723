"""What of the admin a tenant admin sees: one rule for lists, forms, filters, counts and history.

Each model admin names its path to the tenant; everything else follows from `get_queryset`. A row of
another tenant is, for every view, a row that is not there.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.contrib.admin import FieldListFilter, RelatedFieldListFilter
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.administration import office_of
from accounts.models import Tenant

M = TypeVar("M", bound=Model)


class TenantRows(BaseModelAdmin[M], Generic[M]):
    """A model admin, or an inline, that shows a tenant admin the rows of their tenants alone."""

    # From a row to its tenant, as "repository__tenant". None: rows of the installation, which
    # superusers alone see.
    tenant_path: ClassVar[str | None]
    # What the text of a row names beside the row, so that a list of rows is one query.
    reads_with: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        """Return the rows of the caller's office: every view of the admin begins here."""
        rows = super().get_queryset(request)
        if self.reads_with:
            rows = rows.select_related(*self.reads_with)
        return office_of(request).rows(rows, self.tenant_path)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Read what the choices name together with them."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return self._reading_along(field)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Read what the choices name together with them."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        return self._reading_along(field)

    def _reading_along(self, field: Any) -> Any:
        if field is not None and self.admin_site.is_registered(field.queryset.model):
            related = self.admin_site.get_model_admin(field.queryset.model)
            if reads_with := getattr(related, "reads_with", ()):
                field.queryset = field.queryset.select_related(*reads_with)
        return field

    def administers(self, request: HttpRequest) -> bool:
        """Say whether rows of this kind are in the caller's office at all."""
        office = office_of(request)
        return office.everything or (self.tenant_path is not None and bool(office.tenants))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the model in lists of models to whom it may concern."""
        return self.administers(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let an administrator see their rows."""
        return self.administers(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let an administrator add rows."""
        return self.administers(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let an administrator change their rows."""
        return self.administers(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let an administrator delete their rows."""
        return self.administers(request)

    def scope(self, fields: dict[str, forms.Field], request: HttpRequest) -> None:
        """Let each choice among `fields` offer, and take, rows of the caller's office only."""
        if office_of(request).everything:
            return
        for name, field in fields.items():
            if isinstance(field, forms.ModelChoiceField):
                # A copy: a field that a form class declares serves other callers too.
                fields[name] = self._scoped(copy.deepcopy(field), request)

    def _scoped(self, field: Any, request: HttpRequest) -> Any:
        model = field.queryset.model
        related = self.admin_site.get_model_admin(model)
        own = related.get_queryset(request).order_by().values("pk")
        field.queryset = field.queryset.filter(pk__in=own)
        if isinstance(field.widget, RelatedFieldWidgetWrapper):
            # Adding and changing beside a form would answer with the row that was made.
            field.widget.can_add_related = field.widget.can_change_related = False
            field.widget.can_delete_related = field.widget.can_view_related = False
        if model is Tenant and len(office_of(request).tenants) == 1:
            field.empty_label, field.initial = None, field.queryset.first()
        return field


class RowsOfTheOffice(RelatedFieldListFilter):
    """A filter beside a list that names the caller's own rows only."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        """Return the rows to choose from, as the admin of their model lists them."""
        related = model_admin.admin_site.get_model_admin(field.remote_field.model)
        return [(row.pk, str(row)) for row in related.get_queryset(request)]


# For every filter by a related row, in every model admin: none can forget it.
FieldListFilter.register(
    lambda field: bool(field.remote_field), RowsOfTheOffice, take_priority=True
)
