"""`{% icon "copy" "small" %}`: an icon of the one set, drawn once and then remembered.

A page of fifty rows has more than a hundred icons; each would be drawn from its source anew.
"""

from __future__ import annotations

from functools import cache

from django import template
from lucide.templatetags.lucide import lucide

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, looks: str = "") -> str:
    """Return the SVG of an icon, of further classes `looks`; it says nothing to a screen reader."""
    return lucide(name, size=None, **{"class": f"icon {looks}".rstrip(), "aria_hidden": "true"})
