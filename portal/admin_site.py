"""The Django admin in Larder's dress, for whoever may enter it by our rules."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


class LarderAdminSite(AdminSite):
    """Django's own admin; Permission and Group are not used."""

    site_header = "larder"
    site_title = "Larder"
    index_title = "Administration"
    enable_nav_sidebar = True

    def password_change(  # type: ignore[override]  # a redirect answers as well
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the form of the user's own account: passwords are changed in one place."""
        return redirect("admin:accounts_user_change", request.user.pk)


class LarderAdminConfig(AdminConfig):
    """Registers the admin with our site in place of Django's."""

    default_site = "portal.admin_site.LarderAdminSite"
