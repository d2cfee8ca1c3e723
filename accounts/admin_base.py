"""What our model admins share: a tenant's rows for its admins, and changes by use cases alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import actions, helpers
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import model_ngettext, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import Model, QuerySet
from django.forms.utils import pretty_name
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.admin_scope import TenantRows
from accounts.administration import office_of
from base.errors import InvalidInput, LarderError
from base.rows import is_deadlock

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)

_REFUSAL = "larder.refusal"
_REFUSALS = (ValidationError, LarderError, IntegrityError, OperationalError)
_TERM_AT_MOST = 200
# Rows of a list that is searched by this as well are called tenant/name.
_SLUG = "tenant__slug"
_TENANT_COLUMNS = frozenset({"tenant", "service_of"})
# Digits of the largest row id.
_ID_AT_MOST = 18


class UseCaseAdmin(TenantRows[M], admin.ModelAdmin[M], Generic[M]):
    """A model admin whose refusals from use cases come back with the form, not as errors."""

    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    # lists

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list and take actions; refuse ids and filters that cannot be."""
        chosen = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        if not all(each.isdecimal() and len(each) <= _ID_AT_MOST for each in chosen):
            raise InvalidInput("What was chosen in the list is no row of it.")
        try:
            return super().changelist_view(request, extra_context)
        except DisallowedModelAdminLookup:
            raise InvalidInput("This list has no such filter.") from None

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list; a date that cannot be leads back to all of it, as any wrong filter."""
        try:
            return super().get_changelist_instance(request)
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Narrow a list by its own filters alone: other columns are not for guessing at."""
        filters = [*self.get_list_filter(request), self.date_hierarchy]
        paths = [each[0] if isinstance(each, tuple) else each for each in filters]
        declared = any(
            lookup == path or lookup.startswith(f"{path}__")
            for path in paths
            if isinstance(path, str)
        )
        return declared and super().lookup_allowed(lookup, value, request)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave out the tenant for whoever administers only one."""
        columns = super().get_list_display(request)
        office = office_of(request)
        if office.everything or len(office.tenants) > 1:
            return columns
        return [each for each in columns if each not in _TENANT_COLUMNS]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """Search within bounds, as each word makes the query longer; and for tenant/name in one."""
        term = search_term[:_TERM_AT_MOST]
        if any(path.endswith(_SLUG) for path in self.get_search_fields(request)):
            term = term.replace("/", " ")
        return super().get_search_results(request, queryset, term)

    def for_each(
        self, request: HttpRequest, rows: Iterable[M], change: Callable[[M], None], done: str
    ) -> None:
        """Do `change` to each of `rows` by its use case, and say what came of it."""
        count = 0
        for row in rows:
            try:
                change(row)
            except _REFUSALS as refusal:
                messages.error(request, f"{row}: {_sentence(refusal)}")
            else:
                count += 1
        if count:
            messages.success(request, f"{done} {count} {model_ngettext(self.opts, count)}.")

    # forms

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show and take the form; a refused change leaves everything as it was."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except _REFUSALS as refusal:
            request.META[_REFUSAL] = _sentence(refusal)
        # Once more, with the refusal among the form's own errors: what was typed is not lost.
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self,
        request: HttpRequest,
        obj: M | None = None,
        change: bool = False,  # noqa: FBT002 - Django's signature
        **kwargs: Any,
    ) -> Any:
        """Return the form class, for the caller's office, with the refusal it has met."""
        form = super().get_form(request, obj, change, **kwargs)
        if refusal := request.META.get(_REFUSAL):
            form = _refused(form, refusal)
        self.scope(form.base_fields, request)
        return form

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask before deleting, and delete by the use case."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except _REFUSALS as refusal:
            messages.error(request, _sentence(refusal))
            return redirect(request.get_full_path())

    # the audit is the one log

    def audit_subject(self, row: M) -> str:
        """Return how events of the audit name `row`."""
        return str(row)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the events of the audit that speak of the row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._not_there(request, object_id)
        events = reverse("admin:base_auditevent_changelist")
        return redirect(f"{events}?{urlencode({'q': self.audit_subject(row)})}")

    def log_addition(self, *_: Any, **__: Any) -> Any:
        """Write no second log: the use case has written its event."""

    log_change = log_deletions = log_addition

    def _not_there(self, request: HttpRequest, object_id: str) -> HttpResponse:
        # What Django answers in every other view, to a foreign id as to one that is not there.
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined]
            request, self.opts, object_id
        )
        return answer


class ChangeOnlyAdmin(UseCaseAdmin[M], Generic[M]):
    """A model admin of rows that come by other ways, and of which a few fields are changed here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted here."""
        return False


class _UseCaseInline(TenantRows[M], Generic[M]):
    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Return the formset class, for the caller's office."""
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        self.scope(formset.form.base_fields, request)
        return formset


class UseCaseTabular(_UseCaseInline[M], admin.TabularInline[M, P], Generic[M, P]):
    """Rows of a use case in a table beneath their parent."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Name each field to who does not see the head of its column."""
        formset = super().get_formset(request, obj, **kwargs)
        for name, field in formset.form.base_fields.items():
            field.widget.attrs["aria-label"] = field.label or pretty_name(name)
        formset.deletion_widget = forms.CheckboxInput(attrs={"aria-label": "Delete"})
        return formset


class UseCaseStacked(_UseCaseInline[M], admin.StackedInline[M, P], Generic[M, P]):
    """A row of a use case beneath its parent."""


@admin.action(permissions=["delete"], description="Delete the chosen %(verbose_name_plural)s")
def delete_chosen(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    """Ask, then delete each row by its use case."""
    if not request.POST.get("post"):
        return actions.delete_selected(model_admin, request, queryset)
    model_admin.for_each(
        request, queryset, lambda row: model_admin.delete_model(request, row), "Deleted"
    )
    return None


def _refused(form: type[forms.ModelForm[Any]], sentence: str) -> type[forms.ModelForm[Any]]:
    """Return the form class with an error that no input of the caller's takes away."""

    class Refused(form):  # type: ignore[misc, valid-type]
        def clean(self) -> Any:
            cleaned = super().clean()
            self.add_error(None, sentence)
            return cleaned

    return Refused


def _sentence(refusal: Exception) -> str:
    if isinstance(refusal, ValidationError):
        return " ".join(refusal.messages)
    if isinstance(refusal, LarderError):
        return refusal.sentence
    if isinstance(refusal, OperationalError) and not is_deadlock(refusal):
        raise refusal  # the database is not there
    return "Somebody changed the same thing at this moment. Look at it again, then save again."
