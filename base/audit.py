"""Writes down who changed what, in the same transaction as the change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from base import clock
from base.models import AuditEvent
from base.quick_rows import insert


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the user's name, the token that was used, the address it came from."""

    name: str
    token: str = ""
    address: str = ""


# What acts when nobody does: the first start, a management command, the sweeper.
SYSTEM = Actor(name="larder")


def record(  # noqa: PLR0913 - an event has this many parts
    *,
    by: Actor,
    action: str,
    subject: str,
    tenant: str = "",
    repository: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Append one event.

    `subject` names the object as people do, e.g. `main/pypi-local`;
    `repository` the repository that it is, or is in.

    A form that was saved as it stood has changed nothing, and is no event.
    """
    if before and before == after:
        return
    insert(
        AuditEvent(
            at=clock.now(),
            actor=by.name,
            token=by.token,
            address=by.address,
            action=action,
            tenant=tenant,
            repository=repository,
            subject=subject,
            before=dict(before or {}),
            after=dict(after or {}),
        )
    )
