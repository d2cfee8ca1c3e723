"""Whether a file is attested is found by an index, on both databases, whichever is rare."""

from __future__ import annotations

import pytest
from django.db import connection

from packages.models import Distribution
from packages.search.conditions import attested
from packages.search.finding import search
from packages.search.ground import among
from tests.cast import Cast
from tests.packages.search.shelves import put

_MANY, _FEW = 4000, 5


def put_many(like: Distribution, *, rare: bool) -> None:
    """Put files beside one, with its bytes, of which few are attested, or are not."""
    names = ("repository_id", "release_id", "blob_id", "size", "sha256", "uploaded_at")
    same = {name: getattr(like, name) for name in names}
    Distribution.objects.bulk_create(
        Distribution(
            filename=f"frog-{number}.zip",
            identity=f"frog-{number}.zip",
            is_attested=(number % (_MANY // _FEW) == 0) == rare,
            **same,
        )
        for number in range(_MANY)
    )
    Distribution.objects.filter(pk=like.pk).update(is_attested=not rare)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.parametrize("rare", [True, False])
def test_what_is_rare_is_found_by_its_index_in_each_order(cast: Cast, rare: bool) -> None:
    put_many(put(cast.acme.repository, "frog", "1.0"), rare=rare)
    rows = among([cast.acme.repository]).files().filter(attested(rare))
    latest = rows.order_by("-pk").values_list("pk", "repository_id", "kind")[:1001]
    named = rows.filter(filename__gte="f").order_by("filename", "pk")[:51]
    for asked in (latest, named):
        assert "distribution_attested" in asked.explain()
        assert len(asked) == _FEW


def test_what_is_attested_is_found_and_what_is_not(cast: Cast) -> None:
    one, other = (put(cast.acme.repository, name, "1.0") for name in ("frog", "toad"))
    Distribution.objects.filter(pk=one.pk).update(is_attested=True)

    def found(query: str) -> list[str]:
        return [hit.filename for hit in search(text=query, by=cast.acme.reader.principal).files]

    assert found("attested:yes") == found("attested!=no") == [one.filename]
    assert found("attested:no") == found("not attested:yes") == [other.filename]
    assert found("attested:*") == [other.filename, one.filename]
