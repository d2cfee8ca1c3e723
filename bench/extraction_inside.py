"""The inside of bench/extraction.py: publishes, extracts, and tells rate and memory."""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

from accounts.models import User
from accounts.principal import Principal
from base import clock
from packages.extraction.extract import extract_in
from packages.extraction.turns import take_turn
from packages.models import Distribution
from packages.publish import publish
from packages.reading import Reader
from packages.uploads import Upload
from repos.models import Repository
from repos.targets import Target
from tests.dists import make_wheel
from tests.journeys.memory import resident

ALLOWANCE = 32 * 1024 * 1024  # bytes that an allocator may keep; a leak makes more of 10,000 files
VERSIONS = 20  # files per project
TENTHS = 10
MIB = 1024 * 1024


def main(files: int) -> None:
    """Do it, and exit with 1 when memory has grown or a file was left."""
    began = time.monotonic()
    _publish(files)
    print(f"published {files} wheels in {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    sizes = _extract(files)
    took = time.monotonic() - began
    done = Distribution.objects.filter(extraction="extracted").count()
    print(
        f"extracted {done} of {files} in {took:.0f} s: {done / took:.0f} a second; "
        f"{sizes[0] / MIB:.0f} MiB at the first tenth, {sizes[-1] / MIB:.0f} MiB at the last"
    )
    sys.exit(1 if done < files or sizes[-1] - sizes[0] > ALLOWANCE else 0)


def _publish(files: int) -> None:
    by = Principal(user=User.objects.get(username="admin"))
    shelf = Repository.objects.select_related("tenant").get(tenant__slug="main", key="pypi-local")
    for number in range(files):
        name, version = f"frog-{number // VERSIONS}", f"1.{number % VERSIONS}"
        filename, content = make_wheel(
            name,
            version,
            requires_dist=["toad>=1"],
            extra_headers=["Summary: A frog", "Description-Content-Type: text/markdown"],
            description=f"# {name}\n\nIt *jumps*, {version} times.\n",
        )
        fields = {"name": [name], "version": [version]}
        upload = Upload(filename, iter([content]), fields)
        publish(target=Target(shelf), upload=upload, by=by)


def _extract(files: int) -> list[int]:
    """Extract everything, and return the memory at each tenth of the way."""
    sizes: list[int] = []
    done = 0
    # The quiet period of what was just published is over an hour from now.
    with closing(Reader()) as reader, clock.use(lambda: datetime.now(UTC) + timedelta(hours=1)):
        while (turn := take_turn()) is not None:
            done += extract_in(turn, reader)
            if done >= files * (len(sizes) + 1) / TENTHS:
                sizes.append(resident(os.getpid()))
                print(f"{done}: {sizes[-1] / MIB:.0f} MiB", flush=True)
    return sizes
