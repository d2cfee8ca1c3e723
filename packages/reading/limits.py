"""How long an archive is read, in how much memory, and how much of it is kept; and why."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process that reads may take; the tests of a Reader make it less."""

    # Of the processor, for an archive: a machine that is busy elsewhere makes nobody fail. Reading
    # the largest real wheels takes some 5 s.
    seconds: float = 30
    # Of the processor, for a README. Real ones take 0.3 s at the most.
    readme_seconds: float = 2
    # What a process may hold in private memory. 50 MiB are its own; the gate's own bounds leave
    # 90 MiB to the worst archive, what is read of it here is some 100 MiB, and rendering may take
    # a hundred times a README's own size.
    memory: int = 512 * MIB


# A tar can only be read from end to end, and bzip2 yields some 10 MiB of packed bytes a second.
BYTES_PER_FURTHER_SECOND = 8 * MIB
SECONDS_AT_MOST = 120
# Of the clock on the wall, for each second of the processor: three idle or waiting for the disk.
PATIENCE = 4
# After so many archives, or so much memory, a fresh process takes over.
READINGS_PER_PROCESS = 1000
RESIDENT_AT_MOST = 256 * MIB

# The repository's own limit was asked at the upload; here bombs, time and memory are what counts.
LARGEST_FILE = 16 * 1024 * MIB

# One value that is shown in a line; real ones are shorter.
MAX_TEXT = 1000
# Of most lists: enough to see what there is, and how much was left off.
MAX_ITEMS = 200
# Some frameworks have a thousand requirements, and other projects look for themselves among them.
MAX_REQUIREMENTS = 2000
# Names of further files that are shown with their text, of which so many characters.
MAX_TEXTS = 20
MAX_LICENCE = 64 * 1024
MAX_LICENCE_TEXT = 16 * 1024
MAX_PTH = 4096
MAX_WHEEL_FILE = 64 * 1024
MAX_LIST_FILE = MIB  # top_level.txt, requires.txt, entry_points.txt, .pth
MAX_LINES = 10_000
MAX_SBOM = 4 * MIB
MAX_SBOMS = 5
MAX_PROBLEMS = 50
# How much of a file's beginning tells whether it is a native library.
HEAD = 1024
# What is rendered of a README: the longest real ones, with a change log, have 500 KiB.
MAX_README = MIB
MAX_README_HTML = 4 * MIB
# Browsers stop at 512 levels, pages become unreadable long before.
MAX_DEPTH = 100
# Of a folder's names that lead to import names.
MAX_IMPORT_DEPTH = 5


def seconds_for(size: int, limits: Limits) -> float:
    """Return how many seconds of the processor a file of this many bytes may take."""
    return min(
        limits.seconds + size / BYTES_PER_FURTHER_SECOND, max(limits.seconds, SECONDS_AT_MOST)
    )
