"""Lists that go on after a place in an index: a page of them costs the same however long they are.

`WHERE (a, b) > (x, y)` as databases find it at once: what is equal in `a` and later in `b`, then
what is later in `a`, each read from the index only as far as the page reaches, and put together.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet

from base.errors import InvalidInput


class PageRefused(InvalidInput):
    """The page that is asked for is not one that an answer of ours named."""


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


def cursor(*place: int | str) -> str:
    """Return the name of the page that begins after a place in an order."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(page: str, *kinds: type) -> tuple[int | str, ...] | None:
    """Return what `cursor` was given; None for the first page. Raises PageRefused."""
    if not page:
        return None
    refused = PageRefused("There is no such page. Begin with its first one.")
    try:
        place = json.loads(base64.b64decode(page + "=" * (-len(page) % 4), b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise refused from None
    is_one = isinstance(place, list) and [type(each) for each in place] == list(kinds)
    if not is_one or not all(_is_storable(each) for each in place):
        raise refused
    return tuple(place)


def _is_storable(part: int | str) -> bool:
    if isinstance(part, str):
        return part.isprintable()
    return 0 <= part < 2**63
