"""Pages for people about what a repository holds."""

from __future__ import annotations

from django.urls import re_path

from base.slugs import SLUG_PATTERN
from packages.pages import (
    activity,
    browse,
    cache,
    compare,
    explain,
    extraction,
    file,
    members,
    publishers,
    repository,
    rights,
    set_up,
    upload,
)
from packages.pages.project import views as project

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
    re_path(
        rf"{_REPOSITORY}/project/(?P<project>[^/]+)/(?P<version>[^/]+)/(?P<filename>[^/]+)/$",
        file.file_page,
        name="file-page",
    ),
    re_path(
        rf"{_REPOSITORY}/-/unlisted/(?P<path>[^?]+)/$", file.unlisted_page, name="unlisted-file"
    ),
    re_path(rf"{_REPOSITORY}/-/compare/(?P<project>[^/]+)/$", compare.compare_page, name="compare"),
    re_path(
        rf"{_REPOSITORY}/project/(?P<project>[^/]+)/(?P<version>[^/]+)/$",
        project.project_page,
        name="release",
    ),
    # /browse/ itself is among the URLs of the PyPI door, where a project's name could stand.
    re_path(rf"{_REPOSITORY}/browse/(?P<project>[^/]+)/$", browse.browse_page, name="browse"),
    re_path(
        rf"{_REPOSITORY}/browse/(?P<project>[^/]+)/(?P<version>[^/]+)/$",
        browse.browse_page,
        name="browse",
    ),
    re_path(rf"{_REPOSITORY}/-/members/$", members.members_page, name="members"),
    re_path(rf"{_REPOSITORY}/-/activity/$", activity.activity_page, name="activity"),
    re_path(rf"{_REPOSITORY}/-/cache/$", cache.cache_page, name="cache"),
    re_path(rf"{_REPOSITORY}/-/cache/purge/$", cache.purge_part, name="cache-purge"),
    re_path(rf"{_REPOSITORY}/-/publishers/$", publishers.publishers_page, name="publishers"),
    re_path(
        rf"{_REPOSITORY}/-/publishers/(?P<pk>[0-9]{{1,18}})/$",
        publishers.publisher_page,
        name="publisher",
    ),
    re_path(rf"{_REPOSITORY}/-/access/$", rights.access_page, name="access"),
    re_path(rf"{_REPOSITORY}/-/waiting/$", repository.waiting_part, name="waiting"),
    re_path(rf"{_REPOSITORY}/-/upload/$", upload.upload_page, name="upload"),
    re_path(rf"{_REPOSITORY}/-/upload/check/$", upload.check_file, name="upload-check"),
    re_path(rf"{_REPOSITORY}/-/upload/publish/$", upload.publish_file, name="upload-publish"),
    re_path(rf"{_REPOSITORY}/-/extraction/$", extraction.extraction_page, name="extraction"),
]
