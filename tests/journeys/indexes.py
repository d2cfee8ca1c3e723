"""An index of real wheels on loopback: files in folders, as a plain web server gives them out."""

from __future__ import annotations

import re
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.journeys.distributions import File
from tests.journeys.machine import sha256_of
from tests.parts.processes import private_folder, server

_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")


@contextmanager
def static_index(files: Sequence[File]) -> Iterator[str]:
    """Serve wheels until the block ends; yield the URL of their index."""
    with private_folder("index") as folder, private_folder("log") as log:
        write_index(folder, files)
        program = [sys.executable, "-m", "http.server", "--protocol", "HTTP/1.1"]
        where = ["--bind", "127.0.0.1", "--directory", str(folder)]
        with server(log, lambda port: [*program, *where, str(port)]) as running:
            yield f"http://127.0.0.1:{running.port}/simple/"


def write_index(folder: Path, files: Sequence[File]) -> None:
    """Write simple/ and files/ into a folder.

    The pages are HTML with hashes and metadata files (PEP 503, PEP 658).
    """
    lines = defaultdict(list)
    (folder / "files").mkdir()
    for file in files:
        name = file.path.name
        (folder / "files" / name).symlink_to(file.path)
        with zipfile.ZipFile(file.path) as wheel:
            # At the top: flit-core has another wheel's metadata further down.
            inside = next(name for name in wheel.namelist() if _METADATA.fullmatch(name))
            metadata = wheel.read(inside)
        (folder / "files" / f"{name}.metadata").write_bytes(metadata)
        lines[file.name].append(
            f'<a href="../../files/{name}#sha256={file.sha256}" '
            f'data-core-metadata="sha256={sha256_of(metadata)}">{name}</a><br>'
        )
    for project, anchors in lines.items():
        page = folder / "simple" / project / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"<!DOCTYPE html><title>Links for {project}</title>{''.join(anchors)}")
    names = "".join(f'<a href="{name}/">{name}</a><br>' for name in sorted(lines))
    root = f"<!DOCTYPE html><title>Simple index</title>{names}"
    (folder / "simple" / "index.html").write_text(root)
