"""The bills of materials in a wheel (PEP 770): which format, and what they say is inside."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from packages.reading.limits import MAX_SBOM
from packages.reading.texts import listed, plain


def sbom_paths(paths: Collection[str], info: str | None) -> list[str]:
    """Return the files below `.dist-info/sboms/`."""
    return sorted(path for path in paths if info and path.startswith(f"{info}sboms/"))


def sbom_facts(path: str, size: int, raw: bytes | None) -> dict[str, Any]:
    """Return what the facts say of one; of what is no JSON, or too large, only that it is there."""
    document: Any = None
    if raw is not None and size <= MAX_SBOM:
        try:
            document = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            document = None
    said = document if isinstance(document, dict) else {}
    return {
        "path": plain(path),
        "size": size,
        "format": _format(said),
        "components": listed(filter(None, map(_component, _components(said)))),
    }


def _format(said: dict[str, Any]) -> str:
    if said.get("bomFormat") == "CycloneDX":
        return plain(f"CycloneDX {said.get('specVersion', '')}".strip(), 40)
    spdx = said.get("spdxVersion")
    return plain(spdx, 40) if isinstance(spdx, str) else ""


def _components(said: dict[str, Any]) -> list[Any]:
    for keyword in ("components", "packages"):  # CycloneDX, SPDX
        if isinstance(found := said.get(keyword), list):
            return found
    return []


def _component(said: object) -> dict[str, str] | None:
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        return None
    version = next(
        (v for key in ("version", "versionInfo") if isinstance(v := said.get(key), str)), ""
    )
    return {"name": plain(said["name"]), "version": plain(version)}
