"""Who calls the REST door: the same credentials as everywhere, in Django REST framework's form."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.authentication import caller_of
from accounts.models import User
from accounts.principal import Principal


class ByCredentials(BaseAuthentication):
    """Basic, Bearer and Artifactory's header, or the session of a browser.

    There is nothing here yet that a session could change; what changes something will not take one.
    """

    def authenticate(self, request: Request) -> tuple[User, Principal] | None:
        """Return user and principal; None for nobody. Raises CredentialsRefused."""
        principal = caller_of(request._request)  # noqa: SLF001 - the framework has no other way
        return None if principal.user is None else (principal.user, principal)


def principal_of(request: Request) -> Principal:
    """Return who calls."""
    known = request.auth
    address = request.META.get("REMOTE_ADDR", "")
    return known if isinstance(known, Principal) else Principal(address=address)
