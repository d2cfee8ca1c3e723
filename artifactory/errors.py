"""What a refusal is to Artifactory's clients: `{"errors": [{"status": ..., "message": ...}]}`."""

from __future__ import annotations

import json
from http import HTTPStatus

from base.errors import InvalidInput, LarderError
from packages.deploy import OtherDigest
from packages.index.base import FileNotFound
from packages.uploads import FileExists
from pypi.answer import Answer, Ask
from pypi.errors import headers_of, reason_phrase, status_of
from repos.access import NotYours, RepositoryMissing


class ItemMissing(FileNotFound):
    """No file and no folder is there."""


class NoProperties(FileNotFound):
    """A file or folder has none of the properties that were asked for."""


class RequestUnreadable(InvalidInput):
    """A body or a query is not as Artifactory's clients write it."""


# The words by which clients know what is meant; our sentence follows.
_KNOWN_WORDS: tuple[tuple[type[LarderError], str], ...] = (
    (NoProperties, "No properties could be found."),
    (FileNotFound, "Unable to find item: "),
    (RepositoryMissing, "Unable to find item: "),
    (FileExists, "Not enough permissions to delete/overwrite artifact: "),
)


def answer_for(error: LarderError, ask: Ask) -> Answer:
    """Return the refusal that `error` means to whoever sent `ask`."""
    status = _status_of(error)
    words = next((words for kind, words in _KNOWN_WORDS if isinstance(error, kind)), "")
    message = words if isinstance(error, NoProperties) else words + error.sentence
    if isinstance(error, NotYours):
        message += f" {_tenants_meant(ask)}"
    headers = headers_of(error, fetch_mode=ask.header("sec-fetch-mode"))
    headers["Content-Type"] = "application/json"
    body = json.dumps({"errors": [{"status": status, "message": message}]})
    return Answer(status, headers, f"{body}\n".encode(), reason=reason_phrase(error.sentence))


def _tenants_meant(ask: Ask) -> str:
    """Say which tenant the paths mean here, and at which host names they mean the caller's own."""
    limits = ask.principal.token
    places = ask.principal.user.places.values() if ask.principal.user else ()
    own = [
        f"those of {place.tenant} are at {place.tenant.host_name}"
        for place in places
        if place.tenant.host_name and (limits is None or limits.works_in(place.tenant_id))
    ]
    return "; ".join([f"Artifactory's paths mean {ask.tenant} at this host name", *own]) + "."


def _status_of(error: LarderError) -> int:
    """Return the status that clients of Artifactory expect, where it is not that of other doors."""
    match error:
        case FileExists():
            return HTTPStatus.FORBIDDEN
        case OtherDigest():
            return HTTPStatus.CONFLICT
        case _:
            return status_of(error)
