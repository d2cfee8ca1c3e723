"""The URLs of the PyPI door, under every prefix by which a repository is known.

A missing trailing slash never costs a client its upload: both spellings are routes, because a
redirected POST is refused, or silently turned into a GET, by most clients.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path, register_converter
from django.urls.converters import StringConverter

from base.slugs import SLUG_PATTERN
from packages.pages.browse import browse_page
from pypi import views


class ScopeConverter(StringConverter):
    """Where a remote's upstream keeps the index that is meant, such as devpi's root/pypi."""

    # What begins a URL below a repository begins no scope, and what begins an index ends it.
    _first = r"(?!(?:pypi|project|browse|-)/)"
    _segment = r"(?!(?:\.+|\+?simple|files)/)[A-Za-z0-9._-]+"
    regex = rf"{_first}{_segment}(?:/{_segment})*"


register_converter(ScopeConverter, "scope")

_index: list[URLPattern] = [
    path("simple", views.project_list),
    path("simple/", views.project_list, name="simple"),
    path("simple/<str:project>", views.project_page),
    path("simple/<str:project>/", views.project_page, name="simple-project"),
    # hatch looks here before it uploads (devpi's spelling of the same page).
    path("+simple/<str:project>", views.project_page),
    path("+simple/<str:project>/", views.project_page, name="plus-simple-project"),
    path("files/<str:project>/<str:sha256>/<str:filename>", views.file, name="file"),
    path("files/<str:project>/<str:filename>", views.file, name="present-file"),
]

# Without their names: a link that we make leads to the repository's own index.
_in_a_scope = [URLPattern(each.pattern, each.callback) for each in _index]
# A scope of several segments; one of a single segment is among what is below a repository.
_scopes = [path("<scope:scope>", views.scope_root), path("<scope:scope>/", views.scope_root)]

_below: list[URLPattern | URLResolver] = [
    *_index,
    path("<str:project>", views.below_the_root),
    path("<str:project>/", views.below_the_root),
    path("pypi/<str:project>/json", views.project_json, name="project-json"),
    path("pypi/<str:project>/json/", views.project_json),
    path("pypi/<str:project>/<str:version>/json", views.project_json, name="release-json"),
    path("pypi/<str:project>/<str:version>/json/", views.project_json),
]

_KEY = rf"(?P<key>{SLUG_PATTERN})"
_PREFIXES = (
    r"artifactory/api/pypi/" + _KEY,
    r"artifactory/pypi/" + _KEY,
    r"api/pypi/" + _KEY,
    r"pypi",
    rf"(?P<tenant>{SLUG_PATTERN})/{_KEY}",
)


def _door(prefix: str) -> list[URLPattern | URLResolver]:
    return [
        re_path(rf"^{prefix}/$", views.repository_root, name="repository"),
        # A slash too few or too many.
        re_path(rf"^{prefix}(?://)?$", views.repository_root),
        re_path(rf"^{prefix}/", include(_below)),
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    *(route for prefix in _PREFIXES[:-1] for route in _door(prefix)),
    # The tree for people, before a project whose name stands there by mistake.
    re_path(rf"^{_PREFIXES[-1]}/browse/$", browse_page, name="browse"),
    re_path(rf"^{_PREFIXES[-1]}/-/raw/(?P<path>.+)$", views.unlisted_file, name="unlisted-bytes"),
    *_door(_PREFIXES[-1]),
]
# After all others: what is no scope is found before it is taken for one.
urlpatterns += [
    re_path(rf"^{prefix}/", include([path("<scope:scope>/", include(_in_a_scope)), *_scopes]))
    for prefix in _PREFIXES
    if _KEY in prefix
]

# A mistyped tenant or key must not be 404: installers would go on to the next index. Apart,
# because the pages for people go before it: a project may be called "simple".
leading_nowhere = [
    re_path(r"^(?P<name>.*?)/(?P<rest>(?:\+?simple|files)(?:/.*)?)$", views.no_such_index),
]
