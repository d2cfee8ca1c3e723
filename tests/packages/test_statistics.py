"""What is counted of downloads and of contents, and how it adds up."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import date

import pytest
from django.test import Client

from accounts.roles import Role
from packages import curate, downloads, statistics
from packages.models import Distribution, FileDownloads, RepositoryDay
from packages.statistics import Day, Totals
from tests.cast import Cast, grant
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import published
from tests.virtuals import make_virtual

WHEEL = make_wheel("frog", "1.0")
SIZE = len(WHEEL[1])
URL = f"/acme/local/files/frog/{hashlib.sha256(WHEEL[1]).hexdigest()}/{WHEEL[0]}"


@pytest.fixture(autouse=True)
def _no_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test write down what an earlier one has noted."""
    monkeypatch.setattr(downloads, "_files", defaultdict(downloads._Count))
    monkeypatch.setattr(downloads, "_days", defaultdict(downloads._Sum))


@pytest.fixture
def frog(client: Client, cast: Cast, time: MovableClock) -> Distribution:
    """One published wheel."""
    published(client, "frog", "1.0", WHEEL, by=cast.acme.writer)
    return Distribution.objects.get()


def download(client: Client, cast: Cast, url: str = URL, **headers: str) -> int:
    answer = client.get(url, headers=cast.acme.reader.headers | headers)
    answer.getvalue()
    return answer.status_code


def counted(frog: Distribution) -> list[tuple[date, int]]:
    rows = FileDownloads.objects.filter(distribution=frog).order_by("day")
    return list(rows.values_list("day", "count"))


def test_downloads_of_a_day_add_up(
    client: Client, cast: Cast, frog: Distribution, time: MovableClock
) -> None:
    today = time().date()
    for _ in range(2):
        assert download(client, cast) == 200
    downloads.write_down()
    assert download(client, cast) == 200
    downloads.write_down()
    downloads.write_down()
    assert counted(frog) == [(today, 3)]
    assert FileDownloads.objects.get().last_by == "ray"
    row = RepositoryDay.objects.get()
    assert (row.downloads, row.downloaded_bytes, row.fetched) == (3, 3 * SIZE, 0)
    time.move(days=1)
    assert download(client, cast) == 200
    downloads.write_down()
    assert counted(frog) == [(today, 3), (time().date(), 1)]


@pytest.mark.parametrize(
    ("headers", "count"),
    [
        ({"Range": "bytes=0-9"}, 1),
        ({"Range": "bytes=10-19"}, 0),
        ({"Range": "bytes=-10"}, 0),
        ({"If-None-Match": f'"{hashlib.sha256(WHEEL[1]).hexdigest()}"'}, 0),
    ],
)
def test_a_part_counts_where_it_is_the_beginning(
    client: Client, cast: Cast, frog: Distribution, headers: dict[str, str], count: int
) -> None:
    download(client, cast, **headers)
    downloads.write_down()
    assert sum(each for _, each in counted(frog)) == count


def test_what_is_no_download_is_not_counted(client: Client, cast: Cast, frog: Distribution) -> None:
    client.head(URL, headers=cast.acme.reader.headers)
    client.get(f"{URL}.metadata", headers=cast.acme.reader.headers)
    client.get(URL, headers=cast.globex.reader.headers)
    downloads.write_down()
    assert not FileDownloads.objects.exists()
    assert not RepositoryDay.objects.exists()


def test_a_download_through_a_virtual_counts_for_both(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    virtual = make_virtual(cast.acme, "all", [cast.acme.repository])
    grant(virtual, Role.READER, cast.acme.reader)
    download(client, cast, URL.replace("/local/", "/all/"))
    downloads.write_down()
    assert [each for _, each in counted(frog)] == [1]
    for repository in (virtual, cast.acme.repository):
        assert statistics.downloads_by_day(repository, days=1)[0].count == 1


def test_a_file_that_is_still_on_its_way_is_counted_when_it_is_here(
    cast: Cast, frog: Distribution, time: MovableClock
) -> None:
    repository = cast.acme.repository.pk
    for filename in (WHEEL[0], "toad-1.0-py3-none-any.whl"):
        downloads.note(
            through=repository,
            holder=repository,
            distribution=None,
            filename=filename,
            size=5,
            by=cast.acme.reader.principal,
        )
    downloads.write_down()
    assert [each for _, each in counted(frog)] == [1]
    Distribution.objects.filter(pk=frog.pk).update(filename="toad-1.0-py3-none-any.whl")
    downloads.write_down()
    assert [each for _, each in counted(frog)] == [2]
    row = RepositoryDay.objects.get()
    assert (row.downloads, row.fetched) == (2, 2)
    assert statistics.fetched_share(cast.acme.repository, days=1) == 0


def test_days_without_a_download_are_there_with_none(
    client: Client, cast: Cast, frog: Distribution, time: MovableClock
) -> None:
    download(client, cast)
    downloads.write_down()
    time.move(days=2)
    found = statistics.downloads_of([frog.pk], days=4)
    assert [each.count for each in found] == [0, 1, 0, 0]
    assert found[-1].day == time().date()
    assert statistics.downloads_by_day(cast.acme.repository, days=4) == found


def test_a_small_repository_is_counted_as_it_is_now(
    client: Client, cast: Cast, frog: Distribution
) -> None:
    assert statistics.totals(cast.acme.repository) == Totals(1, 1, SIZE, is_exact=True)
    curate.delete(frog, by=cast.acme.admin.principal)
    assert statistics.totals(cast.acme.repository) == Totals(1, 0, 0, is_exact=True)


def test_a_large_one_is_told_as_it_was_last_counted(
    client: Client, cast: Cast, frog: Distribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_COUNTED_AT_ONCE", 0)
    assert statistics.totals(cast.acme.repository) == Totals(1, 1, SIZE, is_exact=False)
    statistics.recount()
    published(client, "frog", "2.0", make_wheel("frog", "2.0"), by=cast.acme.writer)
    assert statistics.totals(cast.acme.repository) == Totals(1, 1, SIZE, is_exact=False)
    statistics.recount()
    assert statistics.totals(cast.acme.repository).files == 2


def test_what_is_stored_is_known_for_the_days_since_it_was_first_counted(
    client: Client, cast: Cast, frog: Distribution, time: MovableClock
) -> None:
    statistics.recount()
    time.move(days=2)
    second = make_wheel("frog", "2.0")
    published(client, "frog", "2.0", second, by=cast.acme.writer)
    statistics.recount()
    found = statistics.stored_by_day(cast.acme.repository, days=4)
    assert [each.count for each in found] == [SIZE, SIZE, SIZE + len(second[1])]
    time.move(days=30)
    assert statistics.stored_by_day(cast.acme.repository, days=1) == [
        Day(time().date(), SIZE + len(second[1]))
    ]


def test_nothing_is_counted_again_that_has_not_changed(
    cast: Cast, frog: Distribution, time: MovableClock
) -> None:
    statistics.recount()
    time.move(days=1)
    statistics.recount()
    assert RepositoryDay.objects.count() == 1
