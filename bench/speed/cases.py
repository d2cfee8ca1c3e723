"""The list of cases: what is measured, in this order, of everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.speed import changing, clients, growing, hosts, proxying, reading, writing
from bench.speed.asking import JSON
from bench.speed.clients import Compile
from bench.speed.growing import Search
from bench.speed.peers.running import Running
from bench.speed.proxying import Resolve
from bench.speed.reading import Bench, Download, Page
from bench.speed.results import Measured
from bench.speed.writing import BigUpload, Uploads

_RATE, _UPLOADS = "requests/s", "uploads/s"
_MIB = "MiB/s"
_FEW = 4  # callers for what takes some peers seconds


Measure = Callable[[Running, Bench], Measured]


@dataclass(frozen=True)
class Case:
    """One row of the table. Without `higher`, less is better; without `repeated`, once will do."""

    key: str
    title: str
    unit: str
    measure: Measure
    higher: bool = True
    repeated: bool = True
    needs_wrk: bool = True
    needs_real: bool = False  # wheels of real projects
    needs_root: bool = False  # the index of very many projects


def _page(key: str, title: str, page: Page) -> Case:
    return Case(key, title, _RATE, page.measure)


def _root(key: str, title: str, page: Page) -> Case:
    return replace(_page(key, title, page), needs_root=True)


def _client(key: str, title: str, measure: Measure, unit: str = "s") -> Case:
    return replace(_slow(key, title, measure, unit), needs_real=True)


def _slow(key: str, title: str, measure: Measure, unit: str = "s") -> Case:
    return Case(key, title, unit, measure, higher=False, needs_wrk=False)


def _once(key: str, title: str, unit: str, measure: Measure) -> Case:
    return replace(_slow(key, title, measure, unit), repeated=False)


def _upload(key: str, title: str, unit: str, measure: Measure) -> Case:
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
    _root("root-html", "root list, HTML", Page(reading.root_list, callers=_FEW)),
    _root("root-json", "root list, JSON", Page(reading.root_list, JSON, callers=_FEW)),
    _root(
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
    _client("compile-cold", "uv pip compile, cold client", Compile(is_warm=False).measure),
    _client("compile-warm", "uv pip compile, warm client", Compile(is_warm=True).measure),
    _client("pip-install", "pip install --target, cold client", clients.install),
    _client("proxy-cold", "uv pip compile, cold proxy", Resolve(is_warm=False).measure),
    _client("proxy-warm", "uv pip compile, warm proxy", Resolve(is_warm=True).measure),
    _client(
        "proxy-down",
        "uv pip compile, warm proxy, upstream down",
        Resolve(is_warm=True, is_down=True).measure,
    ),
    _client(
        "proxy-crowd",
        f"{proxying.CALLERS} callers for one file that nobody had, through a proxy",
        proxying.crowd,
        "requests upstream",
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
    _upload("upload-big", "upload of a big wheel", _MIB, BigUpload().measure),
    _slow("first-read", "first read of the large page after a change", changing.first_read),
    Case(
        "mix", "rate of pages while 200 a minute are published", "of the rate alone", changing.mix
    ),
    _once("start", "start until the first page", "s", writing.start_up),
    _once("memory", "memory after all this", "MiB", writing.memory),
)

GROWTH = (
    # First: the others ask for many pages.
    _slow("grown-first", "small page that nobody had", growing.first_times, "ms"),
    _page("grown-page", "small page, JSON", Page(growing.one_page, JSON)),
    _page("grown-pages", "small pages in turn, JSON", Page(growing.pages, JSON)),
    _upload("grown-upload", "uploads in series", _UPLOADS, Uploads(callers=1).measure),
    _slow("grown-rare", "search for a rare property", Search(is_rare=True).measure, "ms"),
    _slow("grown-common", "search for a property of all", Search(is_rare=False).measure, "ms"),
    _once("grown-start", "start until the first page", "s", writing.start_up),
    replace(
        _once("grown-flat", "growth of the processes that serve under load", "MiB", growing.flat),
        needs_wrk=True,
    ),
    _once("grown-memory", "memory of the processes that serve", "MiB", growing.memory),
)

HOSTS = (
    replace(
        _slow("hosts-cost", "work of the servers for a small page", hosts.cost, "ms"),
        needs_wrk=True,
    ),
    _once(
        "hosts-visible", "uploads that the last host does not show at once", "misses", hosts.visible
    ),
    _once(
        "hosts-revoked",
        "reads at the last host by a token revoked at the first",
        "misses",
        hosts.revoked,
    ),
)
