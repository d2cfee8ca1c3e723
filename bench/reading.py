"""Read many small wheels through one Reader: the rate, and that nobody's memory grows.

    python bench/reading.py --count 10000

Each wheel is another one, with a README, requirements and entry points. Printed are the rate, and
what this process and the reading one hold after each tenth of them; more than 32 MiB of growth
after the first tenth and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from packages.reading import Reader
from packages.reading.limits import MIB
from tests.dists import make_wheel
from tests.journeys.memory import resident

GROWTH_AT_MOST = 32 * MIB
README = """# Frog {number}

Frogs are *green*, and **{number}** of them sing.

| pond | frogs |
|------|-------|
| here | {number} |

```python
import frog
frog.croak({number})
```
"""


def wheel(number: int) -> tuple[str, bytes]:
    """Return another small wheel for each number."""
    info = f"frog_{number}-1.0.dist-info"
    return make_wheel(
        f"frog-{number}",
        "1.0",
        requires_python=">=3.9",
        requires_dist=["toad>=1,<2", "newt; extra == 'fast'"],
        extra_headers=["Summary: Green.", "Description-Content-Type: text/markdown"],
        description=README.format(number=number),
        files={f"{info}/entry_points.txt": b"[console_scripts]\ncroak = frog:croak\n"},
    )


def main() -> int:
    """Read them all, and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    count = parser.parse_args().count
    seconds, memory = 0.0, []
    with tempfile.TemporaryDirectory() as folder, Reader() as reader:
        path = Path(folder) / "spooled"
        for number in range(count):
            filename, content = wheel(number)
            path.write_bytes(content)
            began = time.perf_counter()
            read = reader.read(path, filename)
            seconds += time.perf_counter() - began
            assert read.facts["metadata"]["name"] == f"frog-{number}"  # noqa: S101 - a bench checks itself
            if (number + 1) % max(count // 10, 1) == 0:
                memory.append(resident(os.getpid()))  # with the one that reads, which it started
                print(f"{number + 1:>8} wheels, {memory[-1] / MIB:.0f} MiB held")
    growth = max(memory[1:], default=memory[0]) - memory[0]
    print(f"{count / seconds:.0f} wheels a second; grown by {growth / MIB:.1f} MiB")
    return growth > GROWTH_AT_MOST


if __name__ == "__main__":
    sys.exit(main())
