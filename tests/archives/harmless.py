"""What every reading must be, however hostile the archive: bounded, storable, safe in a page."""

from __future__ import annotations

import json
from typing import Any

from bs4 import BeautifulSoup

from packages.reading import ArchiveFacts, packed_members
from packages.reading.limits import MAX_LICENCE_TEXT, MAX_README_HTML, MAX_REQUIREMENTS, MIB

FACTS = 3 * MIB
PACKED = 16 * MIB
NEVER = {"script", "style", "img", "iframe", "form", "input", "svg", "object", "link", "base"}


def require_harmless(found: ArchiveFacts) -> None:
    """Require facts that every database takes and HTML that runs and loads nothing."""
    said = json.dumps(found.facts, ensure_ascii=False, allow_nan=False)
    assert len(said.encode()) < FACTS
    assert "\\u0000" not in said
    require_bounded(found.facts)
    assert len(packed_members(found.members)) < PACKED
    assert "\0" not in found.readme_html
    found.readme_html.encode()
    require_harmless_html(found.readme_html)


def require_harmless_html(html: str) -> None:
    """Require HTML that runs nothing, loads nothing and leads into none of our pages."""
    # Plain text is escaped, which may take five times its length.
    assert len(html) <= (5 * MIB if html.startswith("<pre>") else MAX_README_HTML) + 100
    for tag in BeautifulSoup(html, "html.parser").find_all(True):
        assert tag.name not in NEVER
        assert not {"src", "srcset", "style", "background", "action"} & set(tag.attrs)
        assert not [name for name in tag.attrs if name.startswith("on")]
        href = tag.attrs.get("href", "#readme-")
        assert str(href).lower().startswith(("http://", "https://", "mailto:", "#readme-"))


def require_bounded(fact: Any) -> None:
    match fact:
        case {"items": items, "left_off": left_off}:
            assert len(items) <= MAX_REQUIREMENTS
            assert left_off >= 0
            require_bounded(items)
        case dict():
            for each in fact.values():
                require_bounded(each)
        case list():
            for each in fact:
                require_bounded(each)
        case str():
            assert len(fact) <= MAX_LICENCE_TEXT
