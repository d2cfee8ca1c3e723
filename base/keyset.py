"""Lists that go on after a place in an index: a page of them costs the same however long they are.

`WHERE (a, b) > (x, y)` as databases find it at once: what is equal in `a` and later in `b`, then
what is later in `a`, each read from the index only as far as the page reaches, and put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet


def first_of(
    arms: Sequence[QuerySet[Any]], *, order: Sequence[str], columns: Sequence[str], limit: int
) -> list[dict[str, Any]]:
    """Return the first rows of several questions about one table, in one; as dictionaries.

    Each arm is read in `order` and to `limit`. No row may be in two of them.
    """
    model: type[Model] = arms[0].model
    rows = [
        model._default_manager.filter(  # noqa: SLF001 - Django's public way
            pk__in=arm.order_by(*order).values("pk")[:limit]
        )
        .order_by()
        .values(*columns)
        for arm in arms
    ]
    merged = rows[0].union(*rows[1:], all=True) if len(rows) > 1 else rows[0]
    return list(merged.order_by(*order)[:limit])
