"""Pages for people about what a repository holds."""

from __future__ import annotations

from django.urls import re_path

from base.slugs import SLUG_PATTERN
from packages import extraction_page, upload_page, views

_REPOSITORY = rf"^(?P<tenant>{SLUG_PATTERN})/(?P<key>{SLUG_PATTERN})"

urlpatterns = [
    re_path(
        rf"{_REPOSITORY}/project/(?P<project>[^/]+)/$",
        views.project_page,
        name="project",
    ),
    re_path(rf"{_REPOSITORY}/-/upload/$", upload_page.upload_page, name="upload"),
    re_path(rf"{_REPOSITORY}/-/extraction/$", extraction_page.extraction_page, name="extraction"),
]
