"""The Django admin in Larder's dress, for whoever may enter it by our rules."""

from __future__ import annotations

from collections.abc import Iterable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse

from accounts.admin_base import UseCaseAdmin, delete_chosen
from accounts.administration import office_of
from accounts.views import OwnPasswordForm, set_own_password, with_status_of
from base.errors import InvalidInput
from base.models import AuditEvent
from base.wording import in_words
from portal.dashboard import dashboard

_NUL = "\x00"
_EVENTS_SHOWN = 10


class LarderAdminSite(AdminSite):
    """Django's own admin, for superusers and, narrowed to their tenants, for tenant admins."""

    site_header = "larder"
    site_title = "Larder"
    index_title = "Administration"
    enable_nav_sidebar = True

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the one sign-in form, which leads back."""
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(reverse("sign-in", query={"next": wanted}))

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.add_action(delete_chosen, "delete_selected")

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Take model admins that say whose rows they show; refuse any other."""
        models = (
            [model_or_iterable]
            if isinstance(model_or_iterable, ModelBase)
            else list(model_or_iterable)
        )
        if all(model._meta.app_label == "auth" for model in models):  # noqa: SLF001 - Django's public way
            return  # Django's own users and groups are not used
        if not (admin_class and issubclass(admin_class, UseCaseAdmin)):
            raise ImproperlyConfigured(f"The admin of {models} must be a UseCaseAdmin.")
        if not hasattr(admin_class, "tenant_path"):
            raise ImproperlyConfigured(
                f"{admin_class.__name__} does not name the path from its rows to their tenant. "
                "Say tenant_path = None for rows of the installation."
            )
        super().register(models, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the admin's URLs but for "view on site", which asks for any row of any table."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT002 - Django's signature
        """Wrap a view of the admin: for administrators, and for text that a database can hold."""

        def without_nul(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            for sent in (request.GET, request.POST):
                if any(_NUL in text for key, texts in sent.lists() for text in (key, *texts)):
                    raise InvalidInput("What was sent holds a NUL character.")
            return view(request, *args, **kwargs)

        return super().admin_view(update_wrapper(without_nul, view), cacheable)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show what the caller administers, and the latest changes in it."""
        office = office_of(request)
        title = self.index_title
        if not office.everything:
            title = f"{title} of {' and '.join(office.tenants.values())}"
        events = self.get_model_admin(AuditEvent).get_queryset(request)[:_EVENTS_SHOWN]
        context = {
            "title": title,
            "events": [(event, in_words(event)) for event in events],
            "dashboard": dashboard(office),
        }
        return super().index(request, context | (extra_context or {}))

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Return nothing: the audit is the one log."""
        return ()

    def autocomplete_view(self, request: HttpRequest) -> Any:
        """Answer a search box, for the caller's office."""
        return Autocomplete.as_view(admin_site=self)(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Let the caller change their own password, by the use case."""
        request.current_app = self.name
        context = self.each_context(request) | (extra_context or {})
        return OwnPassword.as_view(extra_context=context)(request)


class Autocomplete(AutocompleteJsonView):
    """The answers to what is typed into a search box of a form."""

    def process_request(self, request: HttpRequest) -> Any:
        """Read the question; it is asked for a field that a form may have."""
        asked = super().process_request(request)
        if not hasattr(asked[2], "get_limit_choices_to"):
            raise PermissionDenied  # a relation seen from its other end
        return asked


class OwnPassword(PasswordChangeView):
    """The form by which administrators change their own password."""

    form_class = OwnPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        """Tell the form where the guesses come from."""
        return super().get_form_kwargs() | {"request": self.request}

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        """Show the form again, with the status that a client would get."""
        refusal = form.refusal if isinstance(form, OwnPasswordForm) else None
        return with_status_of(refusal, super().form_invalid(form))

    def get_success_url(self) -> str:
        """Go on to the admin's page that says so."""
        return reverse("admin:password_change_done")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Set the password by the use case."""
        if isinstance(form, OwnPasswordForm):
            set_own_password(self.request, form)
        return HttpResponseRedirect(self.get_success_url())
