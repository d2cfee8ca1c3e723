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


django = get_wsgi_application()
django.request_class = ReadableRequest

# After Django is set up: they need its apps.
from pypi.held_answers import HeldAnswers  # noqa: E402
from pypi.hot_lane import HotLane  # noqa: E402
from repos.lease import Lease, StampsInDatabase  # noqa: E402

application = HotLane(django, Lease(StampsInDatabase()), HeldAnswers())
