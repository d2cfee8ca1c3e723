"""What pages are made of, as tags: `{% icon "copy" "small" %}`, `{% moment file.uploaded_at %}`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from django import template
from django.utils.html import format_html
from django.utils.timesince import timesince
from lucide.templatetags.lucide import lucide

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, looks: str = "") -> str:
    """Return the SVG of an icon, of further classes `looks`; it says nothing to a screen reader.

    Remembered: a page of fifty rows has more than a hundred, each of which would be drawn anew.
    """
    return lucide(name, size=None, **{"class": f"icon {looks}".rstrip(), "aria_hidden": "true"})


@register.simple_tag
def moment(at: datetime) -> str:
    """Return a moment that has passed, as the time since then, with the exact one on hover."""
    since = timesince(at)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        at.isoformat(),
        f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "just now" if since.startswith("0") else f"{since} ago",
    )
