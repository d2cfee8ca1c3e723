"""Artifactory's REST as scripts speak it, against acme's repositories."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from packages.models import Distribution
from repos.models import Repository
from tests.cast import Cast, Member
from tests.packages.search.shelves import Properties, put


@dataclass
class Script:
    """Sends requests with the credentials of somebody, or of nobody."""

    client: Client
    by: Member | None

    def __call__(self, method: str, path: str, body: Any = b"", **headers: str) -> Any:
        """Send one request; what is no text or bytes goes as JSON."""
        shows = self.by.headers if self.by else {}
        sent = shows | {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.generic(
            method, f"/artifactory/{path}", data, content_type="application/json", headers=sent
        )

    def get(self, path: str, **headers: str) -> Any:
        """Return the JSON at a path, which is there."""
        answer = self("GET", path, **headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def aql(self, query: str) -> list[dict[str, Any]]:
        """Return what a query finds."""
        answer = self("POST", "api/search/aql", query)
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def refused(self, method: str, path: str, status: int, body: Any = b"", **headers: str) -> str:
        """Return why a request is refused, in Artifactory's shape."""
        answer = self(method, path, body, **headers)
        assert answer.status_code == status, (answer.status_code, answer.content)
        assert answer.headers["Content-Type"] == "application/json"
        ((error,),) = answer.json().values()
        assert error["status"] == status
        return str(error["message"])


def lay(
    shelf: Repository, name: str, version: str, properties: Properties | None = None
) -> Distribution:
    """Put the row of a listed file into a repository, at the path of what was published."""
    row = put(shelf, name, version, properties)
    row.path = f"{name}/{version}/{row.filename}"
    row.save(update_fields=["path"])
    return row


@dataclass
class Scripts:
    """One for each of the people."""

    admin: Script
    writer: Script
    reader: Script
    member: Script
    theirs: Script  # a writer's of another tenant
    nobody: Script


@pytest.fixture
def scripts(cast: Cast, settings) -> Scripts:
    """The scripts of acme's people; URLs without a tenant mean acme."""
    settings.DEFAULT_TENANT = "acme"
    acme = cast.acme
    people = (acme.admin, acme.writer, acme.reader, acme.member, cast.globex.writer, None)
    return Scripts(*(Script(Client(), each) for each in people))
