"""The WSGI application that gunicorn serves."""

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


application = get_wsgi_application()
application.request_class = ReadableRequest
