"""Reads the host name that a request was sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest


def host_of(request: HttpRequest) -> str:
    """Return the host name in lower case, without its port; empty when it cannot be read."""
    try:
        return urlsplit(f"//{request.get_host()}").hostname or ""
    except ValueError:
        return ""
