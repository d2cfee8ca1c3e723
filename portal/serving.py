"""What every process that serves has: Django behind WSGI, and the notes that requests leave."""

from __future__ import annotations

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


class ReadableRequest(WSGIRequest):
    """A request whose Content-Type cannot be read is one without."""

    def __init__(self, environ: dict[str, Any]) -> None:
        try:
            super().__init__(environ)
        except ValueError:
            # RFC 2231: a parameter in an encoding that there is not. Django reads it before
            # anything could answer, so that the server would say 500.
            super().__init__({**environ, "CONTENT_TYPE": ""})


django = get_wsgi_application()
django.request_class = ReadableRequest

# After Django is set up: they need its apps.
from accounts import last_use  # noqa: E402
from base import notes  # noqa: E402
from packages import downloads  # noqa: E402
from repos import client_calls  # noqa: E402


def keep_notes() -> None:
    """Begin to write down what requests note, in a process that serves."""
    notes.keep_writing(last_use.write_down, client_calls.write_down, downloads.write_down)
