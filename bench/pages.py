"""How long each screen takes in a tenant of 100,000 projects and a million files, and how it asks.

    python -m tests.parts postgres -- python bench/pages.py
    python -m tests.parts postgres -- python bench/pages.py --projects 2000

Makes the rows in a database of their own beside the one given (LARDER_DATABASE_URL), opens each
screen as an admin of the tenant, who is shown the most, and prints the median until the answer and
the number of questions to the database: of a second look, and of the first one after an upload.
The virtual has two locals and a remote, whose upstream is on loopback. A median above 200 ms, or
more than 12 questions, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.journeys.larder import fresh_database

if TYPE_CHECKING:
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from tests.cast import House
    from tests.upstreams import Server

MEDIAN_AT_MOST = 0.200  # seconds
QUERIES_AT_MOST = 12
_LOCAL, _REMOTE, _VIRTUAL = ("acme", "local"), ("acme", "mirror"), ("acme", "all")
_WHEEL = "acme_{number}-2.1-py3-none-any.whl"
_FROG = ("frog", "1.9", "frog-1.9-py3-none-any.whl")  # what upstream has, and is fetched
_FILE_TABS = ("info", "properties", "raw", "security", "activity", "manage")
_PROJECT_TABS = ("info", "files", "versions", "requirements", "needed-by", "activity", "manage")


def main(arguments: list[str]) -> int:
    """Make the rows, open the screens, print a table, and return 1 when one breaks its budget."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--projects", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--queries", action="store_true", help="print every question of a screen")
    options = parser.parse_args(arguments)
    server = os.environ.get("LARDER_DATABASE_URL", "")
    if not server.startswith("postgres"):
        sys.exit("Run it as `python -m tests.parts postgres -- python bench/pages.py`.")
    with fresh_database(server) as database, tempfile.TemporaryDirectory() as home:
        os.environ |= {"LARDER_DATABASE_URL": database, "LARDER_HOME": home}
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        import django  # noqa: PLC0415 - its settings are read now, with the database of our own

        django.setup()
        failed = _measured(options)
        django.db.connections.close_all()
    return 1 if failed else 0


def _measured(options: argparse.Namespace) -> bool:
    from django.conf import settings  # noqa: PLC0415 - as above
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client, override_settings  # noqa: PLC0415
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    from tests import crowds, upstreams  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    started = time.monotonic()
    house = crowds.stock(options.projects)
    print(f"{crowds.sizes()} made in {time.monotonic() - started:.0f} s")
    setup_test_environment(debug=False)
    client = Client(headers={"host": urlsplit(settings.BASE_URL).netloc})
    client.force_login(house.admin.user)
    failed = False
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    storages = {**settings.STORAGES, **plain}
    with override_settings(STORAGES=storages), upstreams.serving() as server:
        _add_mirror(house, server, client)
        for name, url in _screens(options.projects):
            failed |= _failed(name, url, client, options)
    return failed


def _add_mirror(house: House, server: Server, client: Client) -> None:
    """Put a remote and a second local into the virtual, and fetch a file through it."""
    from base.audit import SYSTEM  # noqa: PLC0415 - as above
    from repos import configure  # noqa: PLC0415
    from repos.models import Repository  # noqa: PLC0415
    from tests import dists, upstreams  # noqa: PLC0415
    from tests.cast import make_repository  # noqa: PLC0415

    wheels = [dists.make_wheel("frog", f"1.{minor}") for minor in range(20)]
    server.add_files("frog", *wheels)
    remote = upstreams.make_remote(house.tenant, server, "mirror", names_are_kept=False)
    members = [house.repository, make_repository(house.tenant, "shared"), remote]
    virtual = Repository.objects.get(tenant=house.tenant, key="all")
    configure.set_members(virtual, members, by=SYSTEM)
    client.get(_url("repository", *_VIRTUAL) + "simple/frog/")
    digest = hashlib.sha256(dict(wheels)[_FROG[2]]).hexdigest()
    answer = client.get(_url("repository", *_REMOTE) + f"files/frog/{digest}/{_FROG[2]}")
    if b"".join(answer) != dict(wheels)[_FROG[2]]:
        sys.exit("The remote did not fetch its file.")


def _failed(name: str, url: str, client: Client, options: argparse.Namespace) -> bool:
    """Measure one screen, print its line, and say whether it breaks its budget."""
    from django.db import connection  # noqa: PLC0415 - as above
    from django.db.models import F  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from repos.models import RepositoryState  # noqa: PLC0415

    client.get(url)
    # As if each of those that hold files had taken one.
    states = RepositoryState.objects.exclude(repository__kind="virtual")
    states.update(serial=F("serial") + 1)
    with CaptureQueriesContext(connection) as asked:
        client.get(url)
    first = _questions(asked)
    seconds = list(_timed(client, url, options.rounds))
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(url)
    second = _questions(asked)
    if answer.status_code != 200:
        print(f"{name:34} {url} answers {answer.status_code}")
        return True
    is_over = max(len(second), len(first)) > QUERIES_AT_MOST
    is_slow = statistics.median(seconds) > MEDIAN_AT_MOST
    marks = ("SLOW " if is_slow else "") + ("MANY" if is_over else "")
    median, worst = statistics.median(seconds) * 1000, max(seconds) * 1000
    print(
        f"{name:34} {median:7.1f} ms {worst:7.1f} ms at most {len(second):3} questions "
        f"{len(first):3} at first {len(answer.content) / 1024:6.1f} KiB {marks}"
    )
    if options.queries:
        print(*(f"    {each['time']} {each['sql'][:300]}" for each in first), sep="\n")
    return is_slow or is_over


def _questions(asked: CaptureQueriesContext) -> list[dict[str, str]]:
    """Return what was asked of rows: a transaction's beginning, limits and end are no questions."""
    return [
        each
        for each in asked.captured_queries
        if each["sql"] not in {"BEGIN", "COMMIT"} and "set_config" not in each["sql"]
    ]


def _timed(client: Client, url: str, rounds: int) -> Iterator[float]:
    """Yield how long each of so many answers takes, after one that fills the caches."""
    client.get(url)
    for _ in range(rounds):
        started = time.perf_counter()
        client.get(url)
        yield time.perf_counter() - started


def _screens(projects: int) -> Iterator[tuple[str, str]]:
    """Yield each screen and its URL."""
    middle = projects // 2
    acme = (f"acme-{middle}", "2.1", _WHEEL.format(number=middle))
    yield "home", _url("home")
    yield "tenant", _url("tenant", "acme")
    for where, kind in ((_LOCAL, "local"), (_VIRTUAL, "virtual")):
        yield from _lists(where, kind, middle)
        yield from _of_project(where, kind, acme)
    for tab in _FILE_TABS:
        yield f"local, file, {tab}", _url("file-page", *_LOCAL, *acme, query=f"?tab={tab}")
    yield "remote", _url("repository", *_REMOTE)
    yield from _of_project(_REMOTE, "remote", _FROG)
    yield from _of_project(_VIRTUAL, "virtual, of a remote's", _FROG)
    yield "remote, file, contents", _url("file-page", *_REMOTE, *_FROG, query="?tab=contents")
    yield "virtual, members", _url("members", *_VIRTUAL)
    yield "local, extraction", _url("extraction", *_LOCAL)
    yield "local, upload", _url("upload", *_LOCAL)
    yield "virtual, upload", _url("upload", *_VIRTUAL)
    yield "remote, cache", _url("cache", *_REMOTE)
    yield "search, a name", _url("search", query=f"?q={acme[0]}")
    yield "search, a word of all", _url("search", query="?q=measures")
    yield "search, a property", _url("search", query="?q=pypi.license:MIT")
    yield "search, through a virtual", _url("search", query="?q=repository:acme/all measures")
    yield "audit", _url("audit", "acme")
    yield "account", _url("account")
    yield "tokens", _url("tokens")


def _lists(where: tuple[str, str], kind: str, middle: int) -> Iterator[tuple[str, str]]:
    yield f"{kind}", _url("repository", *where)
    for what, query in (
        ("by last upload", "?sort=upload"),
        ("deep in names", f"?after=acme-{middle}"),
        ("filtered", f"?filter={str(middle)[:-1]}"),
        ("filtered, nothing", "?filter=qzx"),
        ("filtered, two letters", "?filter=qz"),
    ):
        yield f"{kind}, {what}", _url("repository", *where, query=query)
    yield f"{kind}, tree, filtered", _url("browse", *where, query=f"?part=tree&filter={middle}")


def _of_project(
    where: tuple[str, str], kind: str, what: tuple[str, str, str]
) -> Iterator[tuple[str, str]]:
    name, version, filename = what
    yield f"{kind}, tree", _url("browse", *where)
    yield f"{kind}, tree of a project", _url("browse", *where, name)
    file = _url("browse", *where, name, version, query=f"?file={filename}")
    yield f"{kind}, tree of a file", file
    yield f"{kind}, project", _url("project", *where, name)
    for tab in _PROJECT_TABS if kind == "local" else ():
        yield f"{kind}, project, {tab}", _url("project", *where, name, query=f"?tab={tab}")
    yield f"{kind}, release", _url("release", *where, name, version)
    yield f"{kind}, file", _url("file-page", *where, *what)
    older = f"{version[0]}.{int(version[-1]) - 1}"
    yield f"{kind}, compare", _url("compare", *where, name, query=f"?from={older}&to={version}")
    yield f"{kind}, explain", _url("explain", *where, query=f"?project={name}")
    yield f"{kind}, set up", _url("set-up", *where)
    yield f"{kind}, activity", _url("activity", *where)
    yield f"{kind}, access", _url("access", *where)


def _url(name: str, *parts: str, query: str = "") -> str:
    from django.urls import reverse  # noqa: PLC0415 - as above

    return reverse(name, args=parts) + query


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
