"""What a wheel's WHEEL file says of how it was built, and whether its file name agrees."""

from __future__ import annotations

from typing import Any

from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from packages.reading.limits import MAX_LINES, MAX_TEXT
from packages.reading.texts import lines, listed, plain

# A compressed tag set is a full product; there can be tens of thousands.
_TAGS_AT_MOST = 1000


def wheel_facts(raw: bytes, filename: str) -> tuple[dict[str, Any], str]:
    """Return what the facts say of it, and what is odd (the end of a sentence, or empty)."""
    fields: dict[str, list[str]] = {}
    for line in lines(raw, MAX_LINES):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), []).append(value.strip())
    tags = fields.get("tag", [])

    def first(name: str) -> str:
        return plain(next(iter(fields.get(name, ())), ""))

    facts = {
        "version": first("wheel-version"),
        "generator": first("generator"),
        "root_is_purelib": first("root-is-purelib").lower() == "true",
        "build": first("build"),
        "tags": listed(tags),
    }
    return facts, _disagreement(tags, filename)


def _disagreement(said: list[str], filename: str) -> str:
    """PEP 427: the tags in WHEEL are those of the file's name, each spelled out."""
    try:
        _, _, _, named = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return ""  # a raw deploy may be called anything
    if len(said) > _TAGS_AT_MOST or len(named) > _TAGS_AT_MOST:
        return ""
    inside = frozenset[Tag]().union(*(_tags(text) for text in said))
    return "" if inside == named else "has other tags in its WHEEL than in its name"


def _tags(text: str) -> frozenset[Tag]:
    is_tag = text.count("-") == 2 and len(text) <= MAX_TEXT and text.count(".") <= 16  # noqa: PLR2004 - python-abi-platform
    return parse_tag(text) if is_tag else frozenset()
