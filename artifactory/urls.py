"""The URLs of Artifactory's REST that people's scripts use; uploads and pages are the PyPI door's.

They name a repository by its key alone: the tenant is that of the host name, else the default one.
"""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from artifactory import views
from base.slugs import RESERVED_REPOSITORY_KEYS, SLUG_PATTERN


class KeyConverter(StringConverter):
    """A repository's key: none is called as a URL beside it begins."""

    regex = rf"(?!(?:{'|'.join(sorted(RESERVED_REPOSITORY_KEYS))})(?:/|$)){SLUG_PATTERN}"


class NoIndexConverter(StringConverter):
    """What is no index of Artifactory's form, nor a mistyped one.

    Those are the PyPI door's to refuse: a 404 would send installers elsewhere.
    """

    # A line break is in no index's name, and is answered as well.
    regex = r"(?s:(?!pypi/.)(?!(?:.*/)?(?:\+?simple|files)(?:/|$)).+)"


register_converter(KeyConverter, "key")
register_converter(NoIndexConverter, "noindex")

_API = "artifactory/api"
urlpatterns = [
    path(f"{_API}/repositories", views.all_repositories),
    path(f"{_API}/repositories/", views.all_repositories),
    path(f"{_API}/repositories/<str:key>", views.one_repository),
    path(f"{_API}/storage/<str:key>", views.items),
    path(f"{_API}/storage/<str:key>/", views.items),
    path(f"{_API}/storage/<str:key>/<path:path>", views.items),
    path(f"{_API}/metadata/<str:key>/<path:path>", views.metadata),
    path(f"{_API}/search/prop", views.property_results),
    path(f"{_API}/search/aql", views.aql_results),
    path(f"{_API}/system/ping", views.ping),
    path("artifactory/<key:key>/<path:path>", views.file),
    path(_API, views.nowhere),
    path(f"{_API}/", views.nowhere),
    path(f"{_API}/<noindex:rest>", views.nowhere),
    # Before the portal's pages: a script takes the way to their sign-in for a success.
    path("artifactory", views.misplaced),
    path("artifactory/", views.misplaced),
    path("artifactory/<str:key>", views.misplaced),
    path("artifactory/<str:key>/", views.misplaced),
]
