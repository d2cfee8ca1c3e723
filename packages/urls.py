"""Pages for people about what a repository holds."""

from __future__ import annotations

from django.urls import re_path

from base.slugs import SLUG_PATTERN
from packages import views

urlpatterns = [
    re_path(
        rf"^(?P<tenant>{SLUG_PATTERN})/(?P<key>{SLUG_PATTERN})/project/(?P<project>[^/]+)/$",
        views.project_page,
        name="project",
    ),
]
