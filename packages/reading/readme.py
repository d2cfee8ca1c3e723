"""Renders a README as the public index does: by its content type, and as plain text if it fails."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from readme_renderer import markdown, rst

from packages.reading.limits import MAX_README
from packages.reading.plain_readme import plain_html
from packages.reading.sanitise import UnfitForPage, sanitised
from packages.reading.texts import plain

_VARIANTS = {"gfm": "GFM", "commonmark": "CommonMark"}
# docutils: "<string>:3: (ERROR/3) Unknown directive type "frog".", and more lines that quote it.
_COMPLAINT = re.compile(r"<string>:([0-9]*): \([A-Z]+/[0-9]\) (.*)")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A README as HTML, the format that it was read as, and why not as what it says."""

    html: str
    format: str  # markdown, rst or plain
    reason: str = ""


class _Refused(Exception):
    """A renderer does not take a text; says why, as a part of a sentence."""


def render(text: str, content_type: str) -> Rendered:
    """Return a README as HTML that is safe in a page of ours."""
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if len(text) > MAX_README:
        said = f"It has more than {MAX_README} characters, of which these are shown as they stand."
        return Rendered(plain_html(text), "plain", said)
    try:
        match kind:
            case "text/markdown":
                return Rendered(_markdown(text, parameters), "markdown")
            case "text/x-rst" | "":
                return Rendered(_rst(text), "rst")
            case "text/plain":
                return Rendered(plain_html(text), "plain")
        reason = f"Its content type {plain(kind, 80)!a} is not one that is rendered."
    except (_Refused, UnfitForPage) as refused:
        said = "reStructuredText" if kind != "text/markdown" else "Markdown"
        reason = f"It is not shown as {said}: {refused}."
    return Rendered(plain_html(text), "plain", reason)


def _markdown(text: str, parameters: str) -> str:
    found = re.search(r"variant\s*=\s*\"?([A-Za-z]+)", parameters)
    variant = _VARIANTS.get(found[1].lower(), "GFM") if found else "GFM"
    rendered = markdown.render(text, variant=variant)
    if rendered is None:
        raise _Refused("nothing in it can be rendered")
    return sanitised(rendered)


def _rst(text: str) -> str:
    complaints = io.StringIO()
    try:
        rendered = rst.render(text, stream=complaints)
    except RecursionError:
        raise _Refused("it is nested too deep") from None
    except MemoryError:
        raise  # the process's, not the text's
    except Exception as error:  # docutils of others' text; whatever it raises, the text is odd
        raise _Refused(f"its reader stumbles ({type(error).__name__})") from error
    if rendered is None:
        raise _Refused(_complaint(complaints.getvalue()))
    return sanitised(rendered)


def _complaint(said: str) -> str:
    """Return the first complaint of docutils as a part of a sentence."""
    found = _COMPLAINT.search(said)
    if not found:
        return "nothing in it can be rendered"
    where = f"in line {found[1]}, " if found[1] else ""
    return where + plain(found[2], 200).rstrip(".")
