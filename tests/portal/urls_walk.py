"""Every URL pattern of the installation, with an example of a URL that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

# What stands for each part of a URL that varies.
PARTS: Mapping[str, str] = {
    "tenant": "acme",
    "key": "local",
    "slug": "acme",
    "scope": "root/dev",
    "project": "frog",
    "client": "pip",
    "version": "1.0",
    "sha256": "0" * 64,
    "filename": "frog-1.0-py3-none-any.whl",
    "path": "frog.zip",
    "name": "nobody/nowhere",
    "pattern": "acme-nothing",
    "username": "nobody-so",
    "rest": "simple/frog/",
    "object_id": "1",
    "pk": "1",
    "app_label": "accounts",
    "content_type_id": "1",
    "url": "no-such-page",
}


@dataclass(frozen=True)
class Route:
    """One URL pattern: its view, an example, and the names of its parts."""

    view: Callable[..., Any]
    template: str  # with %(name)s for each part
    parts: tuple[str, ...]

    @property
    def view_name(self) -> str:
        """Module and name of the view; class-based and generated ones by what made them."""
        view = getattr(self.view, "view_class", self.view)
        return f"{view.__module__}.{view.__qualname__}"

    def url(self, **values: str) -> str:
        """Return a URL of this pattern; `values` stand for some of its parts."""
        return "/" + self.template % {name: {**PARTS, **values}[name] for name in self.parts}


def routes() -> list[Route]:
    """Return all of them."""
    return list(_below("", get_resolver().url_patterns))


def _below(prefix: str, patterns: list[URLPattern | URLResolver]) -> Iterator[Route]:
    for pattern in patterns:
        regex = prefix + pattern.pattern.regex.pattern.removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from _below(regex.removesuffix(r"\Z"), pattern.url_patterns)
        else:
            template, names = normalize(regex)[0]
            yield Route(pattern.callback, template, tuple(names))
