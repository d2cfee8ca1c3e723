"""Pages of lists: `?cursor=` goes on after a place in an index, so that all cost the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.callers import principal_of
from accounts.rest.views import asked
from base.keyset import cursor, place_of

_USUAL, _MOST = 50, 100
_BEGINNING = datetime.fromtimestamp(0, UTC)


class CursorAsked(serializers.Serializer[Any]):
    """Which page of a list is asked for, where its length is not the caller's to say."""

    cursor = serializers.CharField(
        required=False, default="", max_length=4000, help_text="From `next` of the page before."
    )


class PageAsked(CursorAsked):
    """Which page of a list is asked for."""

    limit = serializers.IntegerField(
        required=False, default=_USUAL, min_value=1, max_value=_MOST, help_text="How many rows."
    )


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is in order by: fields, of which the last tells all rows apart."""

    fields: tuple[str, ...]
    kinds: tuple[type, ...]
    is_descending: bool = False

    def after(self, rows: QuerySet[Any], page: str) -> QuerySet[Any]:
        """Return the rows in order, those alone that come after the place that `page` names."""
        sign, how = ("-", "lt") if self.is_descending else ("", "gt")
        ordered = rows.order_by(*(sign + field for field in self.fields))
        place = place_of(page, *(int if kind is datetime else kind for kind in self.kinds))
        if place is None:
            return ordered
        values = [_read(part, kind) for part, kind in zip(place, self.kinds, strict=True)]
        later = Q()
        equal: dict[str, Any] = {}
        for field, value in zip(self.fields, values, strict=True):
            later |= Q(**equal, **{f"{field}__{how}": value})
            equal[field] = value
        # The same again of the first field alone: an index is entered by it.
        return ordered.filter(later, **{f"{self.fields[0]}__{how}e": values[0]})

    def place(self, row: Model) -> str:
        """Return the name of the page that begins after `row`."""
        return cursor(*(_plain(_value(row, field)) for field in self.fields))


def page_of(
    request: Request,
    rows: QuerySet[Any],
    order: Order,
    form: type[serializers.BaseSerializer[Any]],
) -> Response:
    """Answer with the page of `rows` that the address asks for, each written by `form`."""
    page = asked(PageAsked, request)
    found = list(order.after(rows, page["cursor"])[: page["limit"] + 1])
    shown = found[: page["limit"]]
    after = order.place(shown[-1]) if len(found) > page["limit"] else ""
    facts = form(shown, many=True, context={"by": principal_of(request)}).data
    return listed(request, facts, after)


def listed(request: Request, results: Any, after: str) -> Response:
    """Answer with a page, and where the next one is."""
    following = None
    if after:
        query = request.query_params.copy()
        query["cursor"] = after
        following = f"{settings.BASE_URL}{request.path}?{query.urlencode()}"
    response = Response({"results": results, "next": following})
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _value(row: Any, field: str) -> Any:
    for part in field.split("__"):
        row = getattr(row, part)
    return row


def _plain(value: Any) -> int | str:
    if isinstance(value, datetime):
        return (value - _BEGINNING) // timedelta(microseconds=1)
    return value if isinstance(value, int) else str(value)


def _read(part: int | str, kind: type) -> Any:
    if kind is not datetime:
        return part
    try:
        return _BEGINNING + timedelta(microseconds=int(part))
    except OverflowError:
        return _BEGINNING
