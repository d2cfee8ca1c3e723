"""Every URL of the installation. The fixed first segments come before the tenants' own."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path, re_path

from base.slugs import SLUG_PATTERN
from portal import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("-/health", pages.health, name="health"),
    path("-/ready", pages.ready, name="ready"),
    path("admin/", admin.site.urls),
    path(
        "accounts/sign-in/",
        auth_views.LoginView.as_view(template_name="accounts/sign_in.html"),
        name="sign-in",
    ),
    path("accounts/sign-out/", auth_views.LogoutView.as_view(), name="sign-out"),
    path("favicon.ico", pages.favicon),
    path("", include("packages.urls")),
    path("", include("pypi.urls")),
    re_path(rf"^(?P<slug>{SLUG_PATTERN})/$", pages.tenant, name="tenant"),
]

handler404 = pages.not_found
handler500 = pages.server_error
