"""Projects in the place of real ones that cannot be fetched: of their names, sizes and needs."""

from __future__ import annotations

import random
from pathlib import Path

from tests.dists import make_wheel
from tests.journeys.distributions import File
from tests.journeys.machine import sha256_of

# Name, size in KiB, and what it requires: as of November 2026, on Linux.
_SHAPES = """
annotated-types 13
anyio 131 idna typing-extensions
asgiref 26
attrs 65
blinker 8
certifi 130
cffi 212 pycparser
charset-normalizer 263
click 123
cryptography 4641 cffi
django 8124 asgiref sqlparse
docutils 619
flask 101 blinker click itsdangerous jinja2 markupsafe werkzeug
greenlet 609
h11 36
httpcore 76 certifi h11
httpx 71 anyio certifi httpcore idna
idna 67
importlib-metadata 33 lazy-importer zipp
iniconfig 7
itsdangerous 15
jinja2 131 markupsafe
lazy-importer 12
lxml 5089
markdown-it-py 94 mdurl
markupsafe 22
mdurl 9
numpy 16521
packaging 126
pillow 6973
pluggy 26
psutil 151
pycparser 61
pydantic 482 annotated-types pydantic-core typing-extensions typing-inspection
pydantic-core 2200 typing-extensions
pygments 1220
pytest 402 iniconfig packaging pluggy pygments
pytz 494
pyyaml 787
requests 71 certifi charset-normalizer idna urllib3
rich 303 markdown-it-py pygments
sqlalchemy 4569 typing-extensions
sqlparse 50
tomli 269
typing-extensions 44
typing-inspection 14 typing-extensions
urllib3 132
uvicorn 85 click h11
werkzeug 223 markupsafe
zipp 10
"""


def wheels(folder: Path, *, kib: int = 1024) -> list[File]:
    """Write them into a new folder; `kib` is how many bytes a KiB is to have."""
    folder.mkdir()
    shapes = [line.split() for line in _SHAPES.split("\n") if line]
    return [_wheel(folder, name, int(size) * kib, requires) for name, size, *requires in shapes]


def _wheel(folder: Path, name: str, size: int, requires: list[str]) -> File:
    noise = random.Random(name).randbytes(size)  # noqa: S311 - made-up data
    data = {f"{name.replace('-', '_')}_data.bin": noise}
    filename, content = make_wheel(name, "1.0", requires_dist=requires, files=data)
    (folder / filename).write_bytes(content)
    return File(folder / filename, name, "1.0", sha256_of(content))
