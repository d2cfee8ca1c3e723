"""Pages for people about what a repository holds."""

from __future__ import annotations

from django.urls import re_path

from base.slugs import SLUG_PATTERN
from packages.pages import explain, extraction, project, set_up, upload

_REPOSITORY = rf"^(?P<tenant>{SLUG_PATTERN})/(?P<key>{SLUG_PATTERN})"

urlpatterns = [
    re_path(rf"{_REPOSITORY}/-/explain/$", explain.explain_page, name="explain"),
    re_path(rf"{_REPOSITORY}/-/set-up/$", set_up.set_up, name="set-up"),
    re_path(rf"{_REPOSITORY}/-/set-up/seen/$", set_up.seen, name="set-up-seen"),
    re_path(rf"{_REPOSITORY}/-/set-up/(?P<client>[a-z-]+)/$", set_up.set_up, name="set-up-client"),
    re_path(
        rf"{_REPOSITORY}/project/(?P<project>[^/]+)/$",
        project.project_page,
        name="project",
    ),
    re_path(rf"{_REPOSITORY}/-/upload/$", upload.upload_page, name="upload"),
    re_path(rf"{_REPOSITORY}/-/upload/check/$", upload.check_file, name="upload-check"),
    re_path(rf"{_REPOSITORY}/-/upload/publish/$", upload.publish_file, name="upload-publish"),
    re_path(rf"{_REPOSITORY}/-/extraction/$", extraction.extraction_page, name="extraction"),
]
