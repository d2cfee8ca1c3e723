"""The `.pth` files of a distribution: Python runs them at every start, imported or not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from packages.reading.limits import MAX_LIST_FILE, MAX_PTH
from packages.reading.texts import decoded, plain


def pth_paths(paths: Collection[str]) -> list[str]:
    """Return those that are installed where Python looks for them, or might be."""
    return sorted(path for path in paths if path.endswith(".pth"))


def pth_facts(path: str, size: int, raw: bytes | None) -> dict[str, Any]:
    """Return what the facts say of one; the module `site` runs lines that begin with `import`.

    Of what is too large to be read whole the worst is taken.
    """
    text = decoded(raw or b"")
    runs_code = any(line.startswith(("import ", "import\t")) for line in text.splitlines())
    return {
        "path": plain(path),
        "size": size,
        "text": plain(text, MAX_PTH),
        "is_cut": len(text) > MAX_PTH,
        "runs_code": runs_code or size > MAX_LIST_FILE,
    }
