"""Searches as clients send them."""

from __future__ import annotations

from typing import Any
from xmlrpc.client import Fault, dumps, loads

from django.test import Client

from tests.cast import Member


def pip_search(*words: str, operator: str = "or") -> bytes:
    """Return the body that `pip search` posts."""
    fields = {"name": list(words), "summary": list(words)}
    return dumps((fields, operator), "search", encoding="utf-8").encode()


def searched(client: Client, url: str, body: bytes, by: Member | None = None) -> Any:
    """Post a search and return the response."""
    headers = by.headers if by else {}
    return client.generic("POST", url, body, content_type="text/xml", headers=headers)


def hits_of(response: Any) -> list[tuple[str, str, str]]:
    """Return name, version and summary of each hit, in the order in which they are ranked."""
    assert response.status_code == 200
    answer: Any = loads(response.content)[0][0]
    structs: list[dict[str, Any]] = list(answer)
    structs.sort(key=lambda each: each["_pypi_ordering"])
    return [(each["name"], each["version"], each["summary"]) for each in structs]


def fault_of(response: Any) -> str:
    """Return what a Fault says."""
    assert response.status_code == 200
    try:
        loads(response.content)
    except Fault as fault:
        return str(fault.faultString)
    raise AssertionError(response.content)
