"""Extracts many small wheels in one worker, and looks whether its memory stays as it was.

    python bench/extraction.py --files 10000
    python -m tests.parts postgres -- python bench/extraction.py --files 10000 --database postgres

The files are published by the use case and extracted as a worker does it, within an installation of
their own (bench/extraction_inside.py). A line is printed for every tenth of the way, and one in the
end: the rate, and the memory of the worker and its reader at the first tenth and at the last.
The exit code is 1 when it has grown by more than the allowance, or a file is not extracted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.clients import ROOT
from tests.journeys import larder as larders
from tests.journeys.larder import under

INSIDE = "import django; django.setup(); from bench.extraction_inside import main; main({files})"


def main(arguments: list[str]) -> int:
    """Run it and return the exit code."""
    options = _parse(arguments)
    with larders.on_either(options.database) as larder:
        program = [sys.executable, "-c", INSIDE.format(files=options.files)]
        done = subprocess.run(under(larder.environment, program), cwd=ROOT, check=False)
    return done.returncode


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
