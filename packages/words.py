"""Cuts text into the words that are searched for: the same ones on every database.

Databases have cutters of their own, each with other words. Ours are handed to them one by one.
"""

from __future__ import annotations

import re
import unicodedata

# Longer ones are digests and the like, which nobody types.
LONGEST = 60

_RUNS = re.compile(r"[^\W_]+")
_SEPARATORS = re.compile(r"[-_.\s]+")


def words_of(text: str) -> list[str]:
    """Return the words of a text in order: runs of letters and digits, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return [run[:LONGEST] for run in _RUNS.findall(plain.casefold())]


def name_form(text: str) -> str:
    """Return a text as it would stand in a normalised project name (PEP 503)."""
    return _SEPARATORS.sub("-", text.strip()).lower().strip("-")
