"""The keyring backend: pip, twine, uv and Poetry ask it for the password of a URL.

It answers for the very origins that were logged in to, prints nothing, and has no answer where it
cannot have one: the next backend is asked then, and the client says what it always says.
"""

from __future__ import annotations

from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential

from larder_client.access import credential_for
from larder_client.origin import origin_of
from larder_client.problems import Problem

# Names that stand for "whoever the token belongs to" in people's settings.
_ANYBODY = {"", "__token__", "oauth2accesstoken"}


class LarderKeyring(KeyringBackend):  # type: ignore[misc]  # keyring is not installed beside the tests
    """Answers with the access token of a login."""

    priority = 9.9

    def get_credential(self, service: str, username: str | None) -> SimpleCredential | None:
        """Return user name and token for a URL; None where there is no login to its origin."""
        try:
            origin = origin_of(service)
            found = credential_for(origin) if origin else None
        except (Problem, OSError):
            return None
        if found is None or (username or "") not in {*_ANYBODY, found[0]}:
            return None
        return SimpleCredential(username or found[0], found[1])

    def get_password(self, service: str, username: str | None) -> str | None:
        """Return the token for a URL and a user name."""
        found = self.get_credential(service, username)
        return found.password if found is not None else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Leave it to the next backend: only `larder login` keeps anything here."""
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        """Leave it to the next backend, as above."""
        raise NotImplementedError
