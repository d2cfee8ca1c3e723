"""What our model admins share: every change goes through a use case."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from base.errors import LarderError

M = TypeVar("M", bound=Model)


class UseCaseAdmin(admin.ModelAdmin[M], Generic[M]):
    """A model admin whose refusals from use cases come back as messages, not as errors."""

    list_per_page = 50
    show_full_result_count = False

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
        except (ValidationError, LarderError) as refusal:
            return _back(request, refusal)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask before deleting, and delete by the use case."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except (ValidationError, LarderError) as refusal:
            return _back(request, refusal)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        """Delete each by the use case, as the single delete does."""
        for row in queryset:
            try:
                self.delete_model(request, row)
            except (ValidationError, LarderError) as refusal:
                messages.error(request, _sentence(refusal))


class ReadOnlyAdmin(UseCaseAdmin[M], Generic[M]):
    """A model admin that only shows."""

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        """Nothing is added here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Nothing is deleted here."""
        return False


def _back(request: HttpRequest, refusal: ValidationError | LarderError) -> HttpResponse:
    messages.error(request, _sentence(refusal))
    return HttpResponseRedirect(request.get_full_path())


def _sentence(refusal: ValidationError | LarderError) -> str:
    return " ".join(refusal.messages) if isinstance(refusal, ValidationError) else refusal.sentence
