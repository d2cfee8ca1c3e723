"""Audit events as a page tells them to those who administer a repository."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from base.models import AuditEvent
from base.wording import Difference, differences, in_words

# What is read of an event.
COLUMNS = ("id", "at", "actor", "token", "address", "action", "subject", "before", "after")


@dataclass(frozen=True, slots=True)
class Deed:
    """An event in words."""

    at: datetime
    who: str
    token: str
    address: str
    deed: str
    changes: list[Difference]


def deed_of(row: Mapping[str, Any], repository: str) -> Deed:
    """Return an event as the page tells it: what is in the repository goes without its name."""
    event = AuditEvent(**row)
    return Deed(
        at=event.at,
        who=event.actor,
        token=event.token,
        address=event.address,
        deed=in_words(event).replace(f"{repository}/", ""),
        changes=differences(event),
    )
