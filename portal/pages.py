"""The pages of the portal itself: health, and what an error looks like to a person."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, connection
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_safe
from structlog.contextvars import get_contextvars

from base.errors import LarderError
from packages import storage
from pypi.answer import SAFE_METHODS
from pypi.errors import headers_of, reason_phrase, status_of
from repos.access import SignInRequired

_TITLES = {
    400: "That does not work",
    401: "Sign in again",
    403: "Not for you",
    404: "Not here",
    429: "Wait a little",
    500: "Something broke",
    501: "Not set up",
    503: "Not available now",
}


@require_safe
def favicon(_request: HttpRequest) -> HttpResponse:
    """Lead to the icon; browsers ask for it here on pages that name none, the simple ones."""
    return HttpResponseRedirect(static("img/favicon.svg"))


@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process serves."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """Answer 200 while database and storage do, else 503 and which one does not."""
    parts = {"database": _database_answers(), "storage": storage.answers()}
    status = 200 if all(parts.values()) else 503
    return JsonResponse(
        {name: "ok" if answers else "down" for name, answers in parts.items()}, status=status
    )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def refusal(request: HttpRequest, error: LarderError) -> HttpResponseBase:
    """Return the page for a refusal; whoever may only have to sign in is sent to do so."""
    if isinstance(error, SignInRequired):
        return redirect_to_login(request.get_full_path())
    response = error_page(request, status_of(error), error.sentence)
    response.reason_phrase = reason_phrase(error.sentence)
    fetch_mode = request.headers.get("Sec-Fetch-Mode", "")
    for name, value in headers_of(error, fetch_mode=fetch_mode).items():
        response.headers[name] = value
    return response


def error_page(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """Return an error page with `sentence`."""
    title = _TITLES.get(status, "That does not work")
    context = {"status": status, "title": title, "sentence": sentence, "number": _number()}
    return render(request, "portal/error.html", context, status=status)


def _number() -> str:
    """Return what portal.middleware.numbered_requests calls the present request."""
    return str(get_contextvars().get("request", ""))


def plain(_request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """Return `sentence` as text, also in the reason phrase, for what is refused before routing."""
    return HttpResponse(
        f"{sentence}\n", status=status, reason=sentence, content_type="text/plain; charset=utf-8"
    )


def upload_astray(request: HttpRequest) -> HttpResponse:
    """Tell a client that posts its upload to a page where uploads go."""
    return plain(request, 405, f"Upload to a repository: {settings.BASE_URL}/tenant/key/")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Refuse a form that did not come from a page of ours."""
    return error_page(
        request, 403, "This form did not come from a page of Larder that is open here. Reload it."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Say that no page has this URL."""
    if request.method not in SAFE_METHODS:
        return upload_astray(request)
    return error_page(request, 404, f"There is no page at {request.path[:200]}.")


def server_error(_request: HttpRequest) -> HttpResponse:
    """Say that the fault is ours."""
    sentence = "Larder made a mistake; it is in the log. Try again, or tell who runs it."
    context = {"status": 500, "title": _TITLES[500], "sentence": sentence, "number": _number()}
    # Without the request: what broke may be the database that knows who is signed in.
    return HttpResponse(render_to_string("portal/error.html", context), status=500)
