"""Every URL pattern of the portal, with a path that it answers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver, resolve

_VALUES = {
    "tenant": "acme",
    "slug": "acme",
    "key": "local",
    "scope": "root/dev",
    "project": "frog",
    "client": "pip",
    "version": "1.0",
    "sha256": "0" * 64,
    "filename": "frog-1.0-py3-none-any.whl",
    "path": "frog.zip",
    "object_id": "1",
    "pk": "1",
    "app_label": "accounts",
    "url": "nothing/here",
    "rest": "nothing/here",
    "name": "nothing",
    "pattern": "acme-nothing",
    "username": "nobody-so",
}
_NAMED = re.compile(r"\(\?P<(\w+)>(?:\[[^\]]*\](?:[*+]|\{[\d,]+\})?|\.\*|[\w|]+)+\)|<\w+:(\w+)>")
_OPTIONAL = re.compile(r"\(\?:[^()]*\)\?")
# The one pattern whose groups hold groups.
_ASTRAY = r"^(?P<name>.*?)/(?P<rest>(?:\+?simple|files)(?:/.*)?)$"


def patterns() -> list[str]:
    """Return every pattern of the URLconf, with what it stands beneath."""
    return list(_walk(get_resolver().url_patterns, ""))


def path_for(pattern: str) -> str:
    """Return a path that `pattern` answers, and no pattern before it."""
    path = "/nowhere/index/simple/frog/more/"
    if pattern != _ASTRAY:
        needed = _OPTIONAL.sub("", pattern)
        filled = _NAMED.sub(lambda found: _VALUES[found[1] or found[2]], needed)
        path = "/" + filled.removeprefix("^").removesuffix("$")
    assert resolve(path).route == pattern, f"{path} does not lead to {pattern}"
    return path


def _walk(below: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for each in below:
        # As Django joins them in `ResolverMatch.route`.
        text = prefix + str(each.pattern).removeprefix("^" if prefix else "")
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, text)
        else:
            yield text
