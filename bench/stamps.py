"""Ask what the stamps are, as every serving process does while it is asked for pages.

    python -m tests.parts postgres -- python bench/stamps.py --count 8000

Printed are the processor time of who asks and of PostgreSQL, each for one question about one
repository, about sixty, and about one by Django's own connection, and what part of a core it is to
answer a process that asks as often as it may (a little more than once in a lease, `repos.lease`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.speed.settling import Work
from tests.journeys import larder as larders

_MANY = 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--inside", action="store_true", help="of the Larder of the environment")
    asked = parser.parse_args()
    if asked.inside:
        _measure(asked.count)
        return 0
    with larders.on_postgres(os.environ["LARDER_DATABASE_URL"]) as larder:
        larder.manage(*(["create_repository", f"acme/r{number}"] for number in range(_MANY)))
        return subprocess.run(
            [sys.executable, __file__, "--inside", "--count", str(asked.count)],
            env={**os.environ, **larder.environment},
            check=False,
        ).returncode


def _measure(count: int) -> None:
    import django  # noqa: PLC0415 - a process that has the settings of Larder alone

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.db import connection  # noqa: PLC0415

    from base.stamps import LEASE_SECONDS  # noqa: PLC0415
    from repos.lease import AHEAD  # noqa: PLC0415
    from repos.models import Repository  # noqa: PLC0415
    from repos.stamp_questions import StampsInDatabase  # noqa: PLC0415
    from repos.stamps import stamps_by  # noqa: PLC0415

    keys = list(Repository.objects.values_list("pk", flat=True)[:_MANY])
    ask = StampsInDatabase()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        django_own = int(cursor.fetchone()[0])
    ask(())
    own = ask._connection.connection.info.backend_pid  # type: ignore[union-attr]  # noqa: SLF001
    for what, question, about, server in (
        ("about one repository", ask, keys[:1], own),
        (f"about {_MANY}", ask, keys, own),
        ("by Django's connection", lambda some: stamps_by(connection, some), keys[:1], django_own),
    ):
        here, there = _times(question, about, server, count)
        busy = there / (LEASE_SECONDS * AHEAD)
        print(
            f"{what}: {here * 1e6:.0f} us here, {there * 1e6:.0f} us of PostgreSQL; "
            f"{busy:.1%} of a core of it for each process"
        )
    ask.close()
    connection.close()


def _times(
    question: Callable[[Collection[int]], object], about: Collection[int], server: int, count: int
) -> tuple[float, float]:
    """Return the processor time of a question, in seconds: ours and the server's."""
    question(about)
    work, here = Work([server]), time.process_time()
    for _ in range(count):
        question(about)
    return (time.process_time() - here) / count, work.milliseconds() / 1000 / count


if __name__ == "__main__":
    sys.exit(main())
