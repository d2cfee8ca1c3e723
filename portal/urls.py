"""Every URL of the installation. The fixed first segments come before the tenants' own."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path, re_path

from accounts.views import SignIn, answer_invitation
from base.slugs import SLUG_PATTERN
from packages.pages.palette import places
from packages.pages.search import search_page
from portal import home, pages
from portal.openapi import Schema, docs
from pypi import trusted_publishing
from pypi.urls import leading_nowhere

urlpatterns = [
    path("", home.home, name="home"),
    path("-/health", pages.health, name="health"),
    path("-/ready", pages.ready, name="ready"),
    path("admin/", admin.site.urls),
    path("accounts/sign-in/", SignIn.as_view(), name="sign-in"),
    path("accounts/sign-out/", LogoutView.as_view(), name="sign-out"),
    path("accounts/invitations/<int:pk>/", answer_invitation, name="invitation"),
    path("", include("repos.urls")),
    path("favicon.ico", pages.favicon),
    path("search/", search_page, name="search"),
    path("search/go/", places, name="places"),
    # Where clients look for them, whatever the path that they upload to. No tenant has such a name.
    path("_/oidc/audience", trusted_publishing.audience_page),
    path("_/oidc/mint-token", trusted_publishing.mint_token, name="mint-token"),
    path("_/oidc/burn-token", trusted_publishing.burn_token),
    path(".well-known/pytp", trusted_publishing.discovery),
    # Before the repositories, one of which could be called api/v1.
    re_path(r"^api/v1/schema(?:/)?$", Schema.as_view(), name="rest-schema"),
    re_path(r"^api/v1/docs(?:/)?$", docs, name="rest"),
    path("api/v1/", include("repos.api.urls")),
    path("api/v1/", include("packages.api.urls")),
    # Before the PyPI door, which would take a key here for a project beside its index.
    path("", include("artifactory.urls")),
    # Before the pages, one of which has the form of /api/pypi/<key>/simple/ if the key is project.
    path("", include("pypi.urls")),
    path("", include("packages.urls")),
    path("", include(leading_nowhere)),
    re_path(rf"^(?P<slug>{SLUG_PATTERN})/$", home.tenant, name="tenant"),
]

handler404 = pages.not_found
handler500 = pages.server_error
