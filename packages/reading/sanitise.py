"""Makes a rendered README fit to stand in a page of ours, whoever wrote it.

The renderer has dropped scripts, styles and forms already. What it leaves in and we do not: images
(each tells a stranger who reads the page, so their words stand there instead), boxes to tick,
links into our own pages, identifiers and classes that mean something to them. The last word has
the sanitiser again: a mistake in the rewriting costs looks, never safety.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import nh3
from pygments.token import STANDARD_TYPES

from packages.reading.limits import MAX_DEPTH, MAX_README_HTML

_PREFIX = "readme-"
_RENDERERS_PREFIX = "user-content-"
_VOID = frozenset(("br", "hr", "col"))
_DROPPED = frozenset(("picture", "nav"))
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TAGS = {
    *("a", "abbr", "acronym", "aside", "b", "blockquote", "br", "caption", "cite", "code", "col"),
    *("colgroup", "dd", "del", "details", "div", "dl", "dt", "em", "figcaption", "figure", "hr"),
    *("i", "kbd", "li", "ol", "p", "pre", "section", "span", "strong", "sub", "summary", "sup"),
    *("table", "tbody", "td", "th", "thead", "tr", "tt", "ul", "var", *_HEADINGS),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "acronym": {"title"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
    **{tag: {"align"} for tag in ("div", "p", *_HEADINGS)},
    "*": {"id"},
}
_NOTES = {"note", "tip", "important", "warning", "caution", "attention", "danger", "error", "hint"}
_ASIDES = _NOTES | {"admonition", "admonition-title", "footnote", "topic"}
# Those of Pygments are one or two letters, and colour code; a page of ours has none so short.
_CODE = set(STANDARD_TYPES.values()) - {""}
_CLASSES = {
    "span": _CODE,
    "pre": {"code", "literal-block", "doctest-block"},
    **dict.fromkeys(("aside", "div", "p"), _ASIDES),
}
_ID = re.compile(r"[\w.:-]{1,200}")
# Browsers draw as many empty cells as they are told.
_SMALL = re.compile(r"[0-9]{1,2}")
_NUMBER = re.compile(r"-?[0-9]{1,9}")


class UnfitForPage(Exception):
    """What was rendered is too deep or too long to be shown; the text is a part of a sentence."""


def sanitised(rendered: str) -> str:
    """Return HTML that runs nothing, loads nothing and leads out of our pages alone."""
    rewriter = _Rewriter()
    rewriter.feed(rendered)
    rewriter.close()
    cleaned = nh3.clean(
        "".join(rewriter.parts),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        # What is scrolled sideways on a phone is scrolled by keys too.
        set_tag_attribute_values={"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
        link_rel="nofollow noopener noreferrer",
        url_schemes={"http", "https", "mailto"},
        strip_comments=True,
    )
    if len(cleaned) > MAX_README_HTML:
        raise UnfitForPage(f"it would be more than {MAX_README_HTML} characters of HTML")
    return cleaned


class _Rewriter(HTMLParser):
    """Rewrites what a sanitiser only keeps or drops. Its input is the output of one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._depth = 0
        self._links = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag."""
        said = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._image(said)
        elif tag == "input":
            self._box(said)
        elif tag not in _DROPPED:
            self._links += tag == "a"
            kept = "".join(
                f' {name}="{html.escape(value)}"' for name, value in _attributes(tag, said)
            )
            self.parts.append(f"<{tag}{kept}>")
            self._depth += tag not in _VOID
            if self._depth > MAX_DEPTH:
                raise UnfitForPage(f"it is nested more than {MAX_DEPTH} levels deep")

    def handle_endtag(self, tag: str) -> None:
        """Take the end of one."""
        if tag not in _VOID and tag not in _DROPPED:
            self._links -= tag == "a"
            self._depth -= 1
            if tag == "a" and self._is_empty_link():
                del self.parts[-1]
            else:
                self.parts.append(f"</{tag}>")

    def _is_empty_link(self) -> bool:
        """Say whether the link that ends has nothing to press: renderers put one at each heading.

        One with an identifier stays, for others may lead to it.
        """
        opened = self.parts[-1] if self.parts else ""
        return opened.startswith(("<a ", "<a>")) and ' id="' not in opened

    def handle_data(self, data: str) -> None:
        """Take text."""
        self.parts.append(html.escape(data, quote=False))

    def _image(self, said: dict[str, str]) -> None:
        """Put an image's words in its place, as a link to it where there is none around it."""
        words = html.escape(said.get("alt", "").strip() or "image", quote=False)
        if self._links or not _is_outside(said.get("src", "")):
            self.parts.append(words)
        else:
            self.parts.append(f'<a href="{html.escape(said["src"])}">{words}</a>')

    def _box(self, said: dict[str, str]) -> None:
        if said.get("type") == "checkbox":
            self.parts.append(
                "\N{BALLOT BOX WITH CHECK}" if "checked" in said else "\N{BALLOT BOX}"
            )


def _attributes(tag: str, said: dict[str, str]) -> list[tuple[str, str]]:
    kept = ((name, _value(tag, name, value)) for name, value in said.items())
    return [(name, value) for name, value in kept if value]


def _value(tag: str, name: str, value: str) -> str:
    """Return what an attribute may say; empty for nothing."""
    match name:
        case "id":
            return _identifier(value)
        case "href":
            return _target(value) if tag == "a" else ""
        case "colspan" | "rowspan":
            return value if _SMALL.fullmatch(value) else ""
        case "start":
            return value if _NUMBER.fullmatch(value) else ""
        case _:
            return value


def _target(href: str) -> str:
    """Return where a link may lead: outside, or to a place in the README; empty for nowhere.

    A relative one would lead into our own pages, where its file is not.
    """
    if href.startswith("#"):
        identifier = _identifier(unquote(href[1:]))
        return f"#{identifier}" if identifier else ""
    return href if _is_outside(href) or href.lower().startswith("mailto:") else ""


def _identifier(text: str) -> str:
    """Return an identifier that is nobody else's in the page."""
    own = text.removeprefix(_RENDERERS_PREFIX)
    return f"{_PREFIX}{own}" if _ID.fullmatch(own) else ""


def _is_outside(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
