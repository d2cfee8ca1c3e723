"""How long each screen takes in a tenant of 100,000 projects and a million files, and how it asks.

    python -m tests.parts postgres -- python bench/pages.py
    python -m tests.parts postgres -- python bench/pages.py --projects 2000

Makes the rows in a database of their own beside the one given (LARDER_DATABASE_URL), opens each
screen as an admin of the tenant, who is shown the most, and prints the median until the answer and
the number of questions to the database. A median above 200 ms, or more than 12 questions, and the
exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.journeys.larder import fresh_database

MEDIAN_AT_MOST = 0.200  # seconds
QUERIES_AT_MOST = 12
_LOCAL, _VIRTUAL = ("acme", "local"), ("acme", "all")
_WHEEL = "acme_{number}-2.1-py3-none-any.whl"


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
    with fresh_database(server) as database:
        os.environ["LARDER_DATABASE_URL"] = database
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        import django  # noqa: PLC0415 - its settings are read now, with the database of our own

        django.setup()
        failed = _measured(options)
        django.db.connections.close_all()
    return 1 if failed else 0


def _measured(options: argparse.Namespace) -> bool:
    from django.conf import settings  # noqa: PLC0415 - as above
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test import Client, override_settings  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext, setup_test_environment  # noqa: PLC0415

    from tests import crowds  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    started = time.monotonic()
    house = crowds.stock(options.projects)
    print(f"{crowds.sizes()} made in {time.monotonic() - started:.0f} s")
    setup_test_environment(debug=False)
    client = Client(headers={"host": urlsplit(settings.BASE_URL).netloc})
    client.force_login(house.admin.user)
    failed = False
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(STORAGES={**settings.STORAGES, **plain}):
        for name, url in _screens(options.projects):
            if not url:
                print(f"{name:34} skipped: it has no page yet")
                continue
            seconds = list(_timed(client, url, options.rounds))
            with CaptureQueriesContext(connection) as asked:
                answer = client.get(url)
            if answer.status_code != 200:
                failed = True
                print(f"{name:34} {url} answers {answer.status_code}")
                continue
            is_over = len(asked) > QUERIES_AT_MOST
            is_slow = statistics.median(seconds) > MEDIAN_AT_MOST
            failed |= is_over or is_slow
            marks = ("SLOW " if is_slow else "") + ("MANY" if is_over else "")
            median, worst = statistics.median(seconds) * 1000, max(seconds) * 1000
            print(
                f"{name:34} {median:7.1f} ms {worst:7.1f} ms at most {len(asked):3} questions "
                f"{len(answer.content) / 1024:6.1f} KiB {marks}"
            )
            if options.queries:
                print(*(f"    {each['time']} {each['sql'][:300]}" for each in asked), sep="\n")
    return failed


def _timed(client: object, url: str, rounds: int) -> Iterator[float]:
    """Yield how long each of so many answers takes, after one that fills the caches."""
    client.get(url)  # type: ignore[attr-defined]  # Django is imported late here
    for _ in range(rounds):
        started = time.perf_counter()
        client.get(url)  # type: ignore[attr-defined]
        yield time.perf_counter() - started


def _screens(projects: int) -> Iterator[tuple[str, str]]:
    """Yield each screen and its URL; without one where no page of this name is there."""
    middle = projects // 2
    name, file = f"acme-{middle}", _WHEEL.format(number=middle)
    yield "home", _url("home")
    yield "tenant", _url("tenant", "acme")
    for where, kind in ((_LOCAL, "local"), (_VIRTUAL, "virtual")):
        yield f"{kind}", _url("repository", *where)
        for what, query in (
            ("by last upload", "?sort=upload"),
            ("deep in names", f"?after={name}"),
            ("filtered", f"?filter={str(middle)[:-1]}"),
            ("filtered, nothing", "?filter=qzx"),
            ("filtered, two letters", "?filter=qz"),
        ):
            yield f"{kind}, {what}", _url("repository", *where, query=query)
        yield f"{kind}, tree", _url("browse", *where)
        yield f"{kind}, tree of a project", _url("browse", *where, name)
        yield f"{kind}, tree of a file", _url("browse", *where, name, "2.1", query=f"?file={file}")
        yield f"{kind}, tree, filtered", _url("browse", *where, query=f"?part=tree&filter={middle}")
        yield f"{kind}, project", _url("project", *where, name)
        yield f"{kind}, release", _url("release", *where, name, "2.1")
        yield f"{kind}, file", _url("file-page", *where, name, "2.1", file)
        yield f"{kind}, compare", _url("compare", *where, name, query="?from=2.0&to=2.1")
        yield f"{kind}, explain", _url("explain", *where, query=f"?project={name}")
        yield f"{kind}, set up", _url("set-up", *where)
        yield f"{kind}, activity", _url("activity", *where)
        yield f"{kind}, access", _url("access", *where)
    yield "virtual, members", _url("members", *_VIRTUAL)
    yield "local, extraction", _url("extraction", *_LOCAL)
    yield "local, upload", _url("upload", *_LOCAL)
    yield "search, a name", _url("search", query=f"?q={name}")
    yield "search, a word of all", _url("search", query="?q=measures")
    yield "search, a property", _url("search", query="?q=pypi.license:MIT")
    yield "account", _url("account")
    yield "tokens", _url("tokens")


def _url(name: str, *parts: str, query: str = "") -> str:
    from django.urls import NoReverseMatch, reverse  # noqa: PLC0415 - as above

    try:
        return reverse(name, args=parts) + query
    except NoReverseMatch:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
