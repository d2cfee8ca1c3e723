"""ETag and If-Match: nobody writes over what somebody else has changed meanwhile."""

from __future__ import annotations

import hashlib
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from base.errors import LarderError


class VersionNotSaid(LarderError):
    """A change that does not say which state it is made to."""


class ChangedMeanwhile(LarderError):
    """The state that a change was made to is no longer there."""


def versioned(request: Request, data: Any, *, status: int = 200) -> Response:
    """Answer with a state and its ETag; 304 where the caller has it.

    Not of what moves by use: equal tags do not say that all of it is as it was.
    """
    tag = etag_of(data)
    is_asked = request.method in {"GET", "HEAD"} and not _moved_by_use(data)
    if is_asked and _names(request.headers.get("If-None-Match", ""), tag):
        return Response(status=304, headers={"ETag": tag})
    return Response(data, status=status, headers={"ETag": tag})


def require_version(request: Request, data: Any) -> None:
    """Refuse a change to another state than `data`, the present one as it is given out.

    To be asked for where nobody else can change it: in the transaction of the change.
    """
    said = request.headers.get("If-Match", "")
    if not said:
        raise VersionNotSaid(
            "Say with If-Match which state you change: the ETag of your last GET, or *."
        )
    if not _names(said, etag_of(data)):
        raise ChangedMeanwhile("Somebody has changed this since you read it. Read it again.")


def etag_of(data: Any) -> str:
    """Return the ETag of a state: equal for equal ones, whatever use has moved meanwhile."""
    moved = _moved_by_use(data)
    kept = {name: value for name, value in data.items() if name not in moved}
    return f'"{hashlib.sha256(JSONRenderer().render(kept)).hexdigest()[:32]}"'


def _moved_by_use(data: Any) -> tuple[str, ...]:
    """Return the fields that are no part of the version, as the form of the state names them."""
    return getattr(getattr(data, "serializer", None), "moved_by_use", ())


def _names(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in {
        each.strip().removeprefix("W/") for each in header.split(",")
    }
