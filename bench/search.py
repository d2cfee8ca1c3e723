"""How long a search takes among 200,000 files with 3 million properties, and by which plans.

    python -m tests.parts postgres -- python bench/search.py
    python -m tests.parts postgres -- python bench/search.py --files 20000

Makes the rows in a database of their own beside the one given (LARDER_DATABASE_URL), asks each
question as somebody who may read everything and as somebody who may read one repository of many,
and prints the median of each. A median above 100 ms, or a plan that reads all properties or all
documents through, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.journeys.larder import fresh_database

MEDIAN_AT_MOST = 0.100  # seconds
QUESTIONS: Mapping[str, str] = {
    "rare and common": "pypi.name:acme-sensor-72 and qa.approved:yes",
    "common and common": 'pypi.requires.python:">=3.9" and qa.approved:yes',
    "common, and no file has both": "qa.approved:yes and qa.approved:no",
    "a beginning and common": "pypi.name:acme-* and qa.approved:yes",
    "a beginning that is common": 'pypi.classifier:"Topic :: *" and qa.level:3',
    "versions that are common": "pypi.version>=1.2 and qa.approved:yes",
    "versions that are rare": "pypi.version>=6.4 and team:red",
    "a version, exactly": "pypi.version=2.3.0 and qa.level:5",
    "not": "qa.approved:yes and not team:red",
    "or": "(team:red or team:blue) and qa.level:1",
    "the middle of names": "pypi.name:*sensor* and qa.approved:yes",
    "a name": "acme-sensor-72",
    "the beginning of names": "acme-sen",
    "the middle of a name, as a word": "ensor-72",
    "a word of many summaries": "measures",
    "two words": "sensor pipeline",
    "a word of READMEs alone": "readme40",
    "a word of nearly all READMEs": "readme1",
    "a typing error": "acme-senzor",
    "words and a property": "sensor and qa.approved:yes",
}


def main(arguments: list[str]) -> int:
    """Make the rows, ask, print a table, and return 1 when something is too slow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--explain", action="store_true", help="print every plan")
    options = parser.parse_args(arguments)
    server = os.environ.get("LARDER_DATABASE_URL", "")
    if not server.startswith("postgres"):
        sys.exit("Run it as `python -m tests.parts postgres -- python bench/search.py`.")
    with fresh_database(server) as database:
        os.environ["LARDER_DATABASE_URL"] = database
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        import django  # noqa: PLC0415 - its settings are read now, with the database of our own

        django.setup()
        failed = _measured(options)
        django.db.connections.close_all()
    return 1 if failed else 0


def _measured(options: argparse.Namespace) -> bool:
    from django.core.management import call_command  # noqa: PLC0415 - as above

    from tests import crowds  # noqa: PLC0415 - as above

    call_command("migrate", verbosity=0)
    started = time.monotonic()
    readers = crowds.fill(options.files)
    print(f"{crowds.sizes()} made in {time.monotonic() - started:.0f} s")
    failed = False
    for name, text in QUESTIONS.items():
        for who, by in readers.items():
            plans = crowds.plans(text, by)
            wrong = [line for plan in plans for line in crowds.reads_all_through(plan)]
            seconds = list(crowds.timed(text, by, options.rounds))
            is_slow = statistics.median(seconds) > MEDIAN_AT_MOST
            failed |= is_slow or bool(wrong)
            print(_line(name, who, seconds, crowds.found(text, by), is_slow=is_slow), *wrong)
            if options.explain:
                print(*plans, sep="\n\n")
    return failed


def _line(name: str, who: str, seconds: Sequence[float], found: str, *, is_slow: bool) -> str:
    median, worst = statistics.median(seconds) * 1000, max(seconds) * 1000
    mark = "SLOW" if is_slow else ""
    return f"{name:34} {who:16} {median:7.1f} ms {worst:7.1f} ms at most  {found:>14} {mark}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
