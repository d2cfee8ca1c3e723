"""Shows a README as the text that it is: apart, for whoever needs no renderer."""

from __future__ import annotations

import html

from packages.reading.limits import MAX_README
from packages.reading.texts import plain


def plain_html(text: str) -> str:
    """Return a text as HTML that looks like it; empty for one without words."""
    shown = html.escape(plain(text, MAX_README), quote=False)
    return f"<pre>{shown}</pre>" if shown.strip() else ""
