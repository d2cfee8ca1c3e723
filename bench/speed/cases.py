"""The list of cases: what is measured, in this order, of everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.speed import reading, writing
from bench.speed.asking import JSON
from bench.speed.peers.running import Running
from bench.speed.reading import Bench, Download, Page
from bench.speed.results import Measured
from bench.speed.writing import BigUpload, Uploads

_RATE, _UPLOADS = "requests/s", "uploads/s"
_MIB = "MiB/s"
_FEW = 4  # callers for what takes some peers seconds


@dataclass(frozen=True)
class Case:
    """One row of the table. Without `higher`, less is better; without `repeated`, once will do."""

    key: str
    title: str
    unit: str
    measure: Callable[[Running, Bench], Measured]
    higher: bool = True
    repeated: bool = True
    needs_wrk: bool = True


def _page(key: str, title: str, page: Page) -> Case:
    return Case(key, title, _RATE, page.measure)


def _upload(key: str, title: str, unit: str, measure: Callable[[Running, Bench], Measured]) -> Case:
    return Case(key, title, unit, measure, needs_wrk=False)


SIDE_BY_SIDE = (
    _page("small-html", "small page, HTML", Page(reading.small_page)),
    _page("small-json", "small page, JSON", Page(reading.small_page, JSON)),
    _page("small-gzip", "small page, HTML, gzip", Page(reading.small_page, packed=True)),
    _page("small-json-gzip", "small page, JSON, gzip", Page(reading.small_page, JSON, packed=True)),
    _page("small-304", "small page, 304", Page(reading.small_page, again=True)),
    _page("in-turn", "small pages in turn, JSON", Page(reading.small_pages, JSON)),
    _page("large-html", "large page, HTML", Page(reading.large_page, callers=_FEW)),
    _page("large-json", "large page, JSON", Page(reading.large_page, JSON, callers=_FEW)),
    _page(
        "large-gzip",
        "large page, JSON, gzip",
        Page(reading.large_page, JSON, packed=True, callers=_FEW),
    ),
    _page("root-html", "root list, HTML", Page(reading.root_list, callers=_FEW)),
    _page("root-json", "root list, JSON", Page(reading.root_list, JSON, callers=_FEW)),
    _page(
        "root-gzip",
        "root list, JSON, gzip",
        Page(reading.root_list, JSON, packed=True, callers=_FEW),
    ),
    Case("metadata", "metadata file", _RATE, Download(reading.metadata).measure),
    Case("small-wheel", "small wheel", _RATE, Download(reading.small_wheel).measure),
    Case(
        "wheel-1",
        "big wheel, 1 caller",
        _MIB,
        Download(reading.weighty_wheel, callers=1, in_mib=True).measure,
    ),
    Case(
        "wheel-8",
        "big wheel, 8 callers",
        _MIB,
        Download(reading.weighty_wheel, callers=8, in_mib=True).measure,
    ),
    _page("virtual-1", "virtual of 1, JSON", Page(reading.virtual_page(1), JSON)),
    _page("virtual-5", "virtual of 5, JSON", Page(reading.virtual_page(5), JSON)),
    _page("virtual-30", "virtual of 30, JSON", Page(reading.virtual_page(30), JSON)),
    # Last: they change what is read above.
    _upload("upload-1", "uploads in series", _UPLOADS, Uploads(callers=1).measure),
    _upload("upload-8", "uploads by 8", _UPLOADS, Uploads(callers=8).measure),
    _upload(
        "upload-large",
        "uploads in series, into the large project",
        _UPLOADS,
        Uploads(callers=1, to_large=True).measure,
    ),
    _upload("upload-big", "upload of a big wheel", _MIB, BigUpload().measure),
    Case(
        "start",
        "start until the first page",
        "s",
        writing.start_up,
        higher=False,
        repeated=False,
        needs_wrk=False,
    ),
    Case(
        "memory",
        "memory after all this",
        "MiB",
        writing.memory,
        higher=False,
        repeated=False,
        needs_wrk=False,
    ),
)
