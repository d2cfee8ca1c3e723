"""Finds the README of a distribution: its description or, where that is missing, a file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from packages.metadata import CoreMetadata
from packages.reading.layout import Layout
from packages.reading.limits import MAX_README
from packages.reading.texts import decoded

_README = re.compile(r"readme(?:\.(md|markdown|rst|txt))?\Z", re.IGNORECASE)
_TYPES = {"md": "text/markdown", "markdown": "text/markdown", "rst": "text/x-rst"}


@dataclass(frozen=True, slots=True)
class Readme:
    """A README before it is rendered; all empty where there is none."""

    text: str = ""
    content_type: str = ""
    source: str = ""  # "Description", or the path of a file


def readme_path(files: Collection[str], layout: Layout) -> str:
    """Return the path of a README at the top; empty where there is none."""
    tops = {path.partition("/")[0] for path in files}
    top = f"{next(iter(tops))}/" if len(tops) == 1 else ""
    folders = {layout.metadata.rpartition("/")[0] + "/" if "/" in layout.metadata else "", top}
    found = (path for path in files if _README.match(path.rpartition("/")[2]))
    beside = (path for path in found if path.removesuffix(path.rpartition("/")[2]) in folders)
    return min(beside, key=len, default="")


def readme_of(
    metadata: CoreMetadata | None,
    files: Collection[str],
    layout: Layout,
    texts: Mapping[str, bytes],
) -> Readme:
    """Return the description, else what a README file says."""
    if metadata and metadata.description.strip():
        return _readme(metadata.description, metadata.description_content_type, "Description")
    path = readme_path(files, layout)
    if not path or path not in texts:
        return Readme()
    suffix = path.rpartition(".")[2].lower() if "." in path else ""
    return _readme(decoded(texts[path]), _TYPES.get(suffix, "text/plain"), path)


def _readme(text: str, content_type: str, source: str) -> Readme:
    # One character more than is rendered tells that there are more.
    return Readme(text[: MAX_README + 1], content_type, source)
