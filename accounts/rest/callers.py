"""Who calls the REST door: the same credentials as everywhere, in Django REST framework's form."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.authentication import caller_of, credentials_in
from accounts.models import User
from accounts.principal import Principal

CHALLENGE = 'Basic realm="Larder", charset="UTF-8"'
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ByCredentials(BaseAuthentication):
    """Basic, Bearer and Artifactory's header, or the session of a browser.

    What a session changes needs the token of a page of ours, as every form does. Nothing is taken
    from another site's page, whatever a browser remembers to send with it.
    """

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        """Return user and principal; None for nobody. Raises CredentialsRefused."""
        asked = request._request  # noqa: SLF001 - the framework has no other way
        principal = caller_of(asked)
        if asked.method not in _SAFE:
            _refuse_another_site(asked)
            if credentials_in({name.lower(): value for name, value in asked.headers.items()}):
                return None if principal.user is None else (principal.user, principal)
            if not getattr(request.parser_context["view"], "takes_sessions", True):
                return None
            if principal.user is not None:
                _require_form_token(asked)
        return None if principal.user is None else (principal.user, principal)

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return CHALLENGE


def principal_of(request: Request) -> Principal:
    """Return who calls."""
    known = request.auth
    address = request.META.get("REMOTE_ADDR", "")
    return known if isinstance(known, Principal) else Principal(address=address)


def _refuse_another_site(request: HttpRequest) -> None:
    is_elsewhere = request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
    own = {"", settings.BASE_URL, f"{request.scheme}://{request.get_host()}"}
    if is_elsewhere or request.headers.get("Origin", "") not in own:
        raise PermissionDenied("This is not taken from a page of another site.")


def _no_view(_request: HttpRequest) -> HttpResponse:
    """Stand for the view behind the check, which is not asked for its answer."""
    return HttpResponse()


def _require_form_token(request: HttpRequest) -> None:
    check = CSRFCheck(_no_view)
    check.process_request(request)
    if check.process_view(request, _no_view, (), {}):
        raise PermissionDenied(
            "What a browser's session changes needs the token of a page of ours, in X-CSRFToken."
        )
