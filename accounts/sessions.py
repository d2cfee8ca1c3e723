"""Sessions in the database, looked for by keys of the form that we give out alone."""

from __future__ import annotations

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Django's own; a key of another form is nobody's.

    A cookie in quotes may hold any character, and PostgreSQL refuses to look for a NUL.
    """

    def _validate_session_key(self, key: str | None) -> bool:
        is_ours = key is not None and key.isalnum()
        return is_ours and super()._validate_session_key(key)  # type: ignore[misc]  # not in the stubs
