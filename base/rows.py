"""Reads a row again inside the transaction that changes it, and tells deadlocks from outages."""

from __future__ import annotations

from typing import TypeVar, cast

from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.db.models import Model

M = TypeVar("M", bound=Model)


def stored(row: M) -> M | None:
    """Return `row` as the database holds it now; None for a new one.

    Raises ValidationError when somebody has deleted it meanwhile: saving would make it again.
    """
    if row.pk is None:
        return None
    # Not type(row): the user of a request is wrapped.
    model = cast("type[M]", row._meta.model)  # noqa: SLF001 - Django's public way
    found = model._default_manager.filter(pk=row.pk).first()  # noqa: SLF001 - the same
    if found is None:
        raise ValidationError("Somebody has deleted this meanwhile.")
    return found


def is_deadlock(error: Exception) -> bool:
    """Say whether two transactions waited for each other, and this one was given up.

    Any other OperationalError means that the database is not there.
    """
    return isinstance(error, OperationalError) and "deadlock" in str(error)
