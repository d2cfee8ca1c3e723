"""The URLs of the REST door about what repositories hold, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, re_path

from packages.api import files, insight, projects, publishers, remotes, search, uploads
from repos.api.urls import END, NUMBER, REPOSITORY

_PROJECT = rf"{REPOSITORY}/projects/(?P<project>[^/]+)"
_FILE = rf"{REPOSITORY}/files/(?P<pk>{NUMBER})"

urlpatterns: list[URLPattern] = [
    re_path(rf"^search{END}", search.Search.as_view()),
    re_path(rf"{REPOSITORY}/projects{END}", projects.Projects.as_view()),
    re_path(rf"{_PROJECT}{END}", projects.OneProject.as_view()),
    re_path(rf"{_PROJECT}/let-go{END}", projects.LetGo.as_view()),
    re_path(rf"{_PROJECT}/files{END}", projects.ProjectFiles.as_view()),
    re_path(rf"{_PROJECT}/releases/(?P<version>[^/]+){END}", projects.OneRelease.as_view()),
    re_path(rf"{REPOSITORY}/files{END}", files.Files.as_view()),
    re_path(rf"{_FILE}{END}", files.OneFile.as_view()),
    re_path(rf"{_FILE}/restore{END}", files.Restoring.as_view()),
    re_path(rf"{_FILE}/extract-again{END}", files.ReadingAgain.as_view()),
    re_path(rf"{_FILE}/lift-quarantine{END}", files.LiftingQuarantine.as_view()),
    re_path(rf"{_FILE}/promote{END}", files.Promoting.as_view()),
    re_path(rf"{_FILE}/provenance{END}", files.FileProvenance.as_view()),
    re_path(rf"{_FILE}/properties{END}", files.FileProperties.as_view()),
    re_path(
        rf"{_FILE}/properties/(?P<name>[A-Za-z][A-Za-z0-9._-]*){END}", files.OneProperty.as_view()
    ),
    re_path(rf"{REPOSITORY}/publishers{END}", publishers.Publishers.as_view()),
    re_path(rf"{REPOSITORY}/publishers/(?P<pk>{NUMBER}){END}", publishers.OnePublisher.as_view()),
    re_path(rf"{REPOSITORY}/publishers/(?P<pk>{NUMBER})/anew{END}", publishers.TrustAnew.as_view()),
    re_path(rf"{REPOSITORY}/upload{END}", uploads.Upload.as_view()),
    # Before the files, none of which is called so.
    re_path(rf"{REPOSITORY}/upload/check{END}", uploads.Checking.as_view()),
    re_path(rf"{REPOSITORY}/upload/(?P<filename>[^/]+){END}", uploads.RawUpload.as_view()),
    re_path(rf"{REPOSITORY}/upstream/check{END}", remotes.TryingOut.as_view()),
    re_path(rf"{REPOSITORY}/cache{END}", remotes.Cache.as_view()),
    re_path(rf"{REPOSITORY}/cache/purges{END}", remotes.Purges.as_view()),
    re_path(rf"{REPOSITORY}/cache/purges/(?P<pk>{NUMBER}){END}", remotes.OnePurge.as_view()),
    re_path(rf"{REPOSITORY}/explain{END}", insight.Explain.as_view()),
    re_path(rf"{REPOSITORY}/extraction{END}", insight.Extraction.as_view()),
    re_path(rf"{REPOSITORY}/extraction/now{END}", insight.ExtractionNow.as_view()),
]
