"""Says where what the uploading client sent and what the archive says inside are not the same."""

from __future__ import annotations

from collections.abc import Sequence

from packages.properties import Properties, fitting
from packages.pypi_properties import REQUIRES_NAME

_SHOWN_AT_MOST = 200
_SENTENCES_AT_MOST = 50


def differences(sent: Properties, found: Properties) -> list[str]:
    """Return a sentence for each property that the client sent otherwise than the archive has it.

    What the client did not send is no difference.
    """
    told = []
    for name, values in sorted(sent.items()):
        if name == REQUIRES_NAME:  # made of pypi.requires.dist, which is compared already
            continue
        there = fitting(found.get(name, ()))
        if set(values) != set(there):
            told.append(f"{name}: {_quoted(values)} was sent, the archive says {_quoted(there)}.")
    return told[:_SENTENCES_AT_MOST]


def _quoted(values: Sequence[str]) -> str:
    if not values:
        return "nothing"
    text = "; ".join(values)
    cut = text if len(text) <= _SHOWN_AT_MOST else text[: _SHOWN_AT_MOST - 1] + "…"
    return f"“{cut}”"
