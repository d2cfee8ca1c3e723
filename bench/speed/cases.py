"""The list of cases: what is measured, in this order, of everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.speed import changing, clients, growing, hosts, proxying, reading, writing
from bench.speed.asking import JSON
from bench.speed.clients import Compile
from bench.speed.growing import Search
from bench.speed.peers.running import Running
from bench.speed.reading import Bench, Download, Page
from bench.speed.results import Measured
from bench.speed.writing import Uploads

_RATE, _UPLOADS = "requests/s", "uploads/s"
_MIB = "MiB/s"
_FEW = 4  # callers for what takes some peers seconds


# What a case measures: its own figure, or that and one for each further row, in their order.
Measure = Callable[[Running, Bench], Measured | tuple[Measured, ...]]


@dataclass(frozen=True)
class Row:
    """A row of the table. Without `higher`, less is better; `worst`: it must hold each time."""

    key: str
    title: str
    unit: str
    higher: bool = True
    worst: bool = False  # its figure is of the worst round; that of others is the median


@dataclass(frozen=True, kw_only=True)
class Case(Row):
    """What is measured at once: a row, and those that it tells of besides.

    Without `repeated`, once will do.
    """

    measure: Measure
    besides: tuple[Row, ...] = ()
    repeated: bool = True
    needs_wrk: bool = True
    needs_real: bool = False  # wheels of real projects
    needs_root: bool = False  # the index of very many projects

    @property
    def rows(self) -> tuple[Row, ...]:
        """All of its rows."""
        return (self, *self.besides)


def _page(key: str, title: str, page: Page) -> Case:
    return Case(key, title, _RATE, measure=page.measure)


def _root(key: str, title: str, page: Page) -> Case:
    return replace(_page(key, title, page), needs_root=True)


def _client(key: str, title: str, measure: Measure, unit: str = "s") -> Case:
    return replace(_slow(key, title, measure, unit), needs_real=True)


def _slow(key: str, title: str, measure: Measure, unit: str = "s") -> Case:
    return Case(key, title, unit, measure=measure, higher=False, needs_wrk=False)


def _count(key: str, title: str, unit: str, measure: Measure) -> Case:
    return replace(_slow(key, title, measure, unit), worst=True)


def _once(case: Case) -> Case:
    return replace(case, repeated=False)


def _upload(key: str, title: str, unit: str, measure: Measure) -> Case:
    return Case(key, title, unit, measure=measure, needs_wrk=False)


SIDE_BY_SIDE = (
    _page("small-html", "small page, HTML", Page(reading.small_page)),
    _page("small-json", "small page, JSON", Page(reading.small_page, JSON)),
    _page("small-gzip", "small page, HTML, gzip", Page(reading.small_page, packed=True)),
    _page("small-json-gzip", "small page, JSON, gzip", Page(reading.small_page, JSON, packed=True)),
    _page("small-304", "small page, JSON, 304", Page(reading.small_page, JSON, again=True)),
    _page("in-turn", "small pages in turn, JSON", Page(reading.small_pages, JSON)),
    _page("large-html", "large page, HTML", Page(reading.large_page, callers=_FEW)),
    _page("large-json", "large page, JSON", Page(reading.large_page, JSON, callers=_FEW)),
    _page(
        "large-gzip",
        "large page, JSON, gzip",
        Page(reading.large_page, JSON, packed=True, callers=_FEW),
    ),
    _root("root-html", "root list, HTML", Page(reading.root_list, callers=_FEW)),
    _root("root-json", "root list, JSON", Page(reading.root_list, JSON, callers=_FEW)),
    _root(
        "root-gzip",
        "root list, JSON, gzip",
        Page(reading.root_list, JSON, packed=True, callers=_FEW),
    ),
    Case("metadata", "metadata file", _RATE, measure=Download(reading.metadata).measure),
    Case("small-wheel", "small wheel", _RATE, measure=Download(reading.small_wheel).measure),
    Case(
        "wheel-1",
        "big wheel, 1 caller",
        _MIB,
        measure=Download(reading.weighty_wheel, callers=1, in_mib=True).measure,
    ),
    Case(
        "wheel-8",
        "big wheel, 8 callers",
        _MIB,
        measure=Download(reading.weighty_wheel, callers=8, in_mib=True).measure,
    ),
    _page("virtual-1", "virtual of 1, JSON", Page(reading.virtual_page(1), JSON)),
    _page("virtual-5", "virtual of 5, JSON", Page(reading.virtual_page(5), JSON)),
    _page("virtual-30", "virtual of 30, JSON", Page(reading.virtual_page(30), JSON)),
    _client("compile-cold", "uv pip compile, cold client", Compile(is_warm=False).measure),
    _client("compile-warm", "uv pip compile, warm client", Compile(is_warm=True).measure),
    _client("pip-install", "pip install --target, cold client", clients.install),
    _client("proxy-cold", "uv pip compile, cold proxy", proxying.cold),
    replace(
        _client("proxy-warm", "uv pip compile, warm proxy", proxying.warm),
        besides=(
            Row(
                "proxy-second",
                "uv pip compile, the second time through a proxy",
                "s",
                higher=False,
            ),
        ),
    ),
    _client("proxy-down", "uv pip compile, warm proxy, upstream down", proxying.down),
    replace(
        _count(
            "proxy-crowd",
            f"{proxying.CALLERS} callers for one file that nobody had, through a proxy",
            "requests upstream",
            proxying.crowd,
        ),
        needs_real=True,
    ),
    # Last: they change what is read above.
    _upload("upload-1", "uploads in series", _UPLOADS, Uploads(callers=1).measure),
    _upload("upload-8", "uploads by 8", _UPLOADS, Uploads(callers=8).measure),
    _upload(
        "upload-one",
        "uploads in series, of one new project",
        _UPLOADS,
        Uploads(callers=1, to_one=True).measure,
    ),
    _upload(
        "upload-large",
        "uploads in series, into the large project",
        _UPLOADS,
        Uploads(callers=1, to_large=True).measure,
    ),
    replace(
        _upload("upload-big", "upload of a big wheel", _MIB, writing.big_upload),
        besides=(
            Row(
                "upload-big-memory",
                "growth of the processes by the upload of a big wheel",
                "MiB",
                higher=False,
                worst=True,
            ),
        ),
    ),
    _slow("first-read", "first read of the large page after a change", changing.first_read),
    replace(
        _slow(
            "first-read-root",
            "first read of the root list after a change",
            changing.first_read_of_root,
        ),
        needs_root=True,
    ),
    Case(
        "mix",
        "rate of pages while 200 a minute are published",
        "of the rate alone",
        measure=changing.mix,
    ),
    _once(_slow("start", "start until the first page", writing.start_up)),
    _once(_slow("memory", "memory after all this", writing.memory, "MiB")),
)

GROWTH = (
    # First: the others ask for many pages.
    _slow("grown-first", "small page that nobody had", growing.first_times, "ms"),
    _page("grown-page", "small page, JSON", Page(growing.one_page, JSON)),
    _page("grown-pages", "small pages in turn, JSON", Page(growing.pages, JSON)),
    _upload("grown-upload", "uploads in series", _UPLOADS, Uploads(callers=1).measure),
    _slow("grown-rare", "search for a rare property", Search(is_rare=True).measure, "ms"),
    _slow("grown-common", "search for a property of all", Search(is_rare=False).measure, "ms"),
    _once(_slow("grown-start", "start until the first page", writing.start_up)),
    replace(
        _once(
            _slow(
                "grown-flat", "growth of the processes that serve under load", growing.flat, "MiB"
            )
        ),
        needs_wrk=True,
    ),
    _once(_slow("grown-memory", "memory of the processes that serve", growing.memory, "MiB")),
)

HOSTS = (
    replace(
        _slow("hosts-cost", "work for a small page, PostgreSQL's with it", hosts.cost, "ms"),
        needs_wrk=True,
    ),
    _once(
        _count(
            "hosts-visible",
            "uploads that the last host does not show at once",
            "misses",
            hosts.visible,
        )
    ),
    _once(
        _count(
            "hosts-revoked",
            "reads at the last host by a token revoked at the first",
            "misses",
            hosts.revoked,
        )
    ),
)
