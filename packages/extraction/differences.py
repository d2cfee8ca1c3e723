"""Says where what the uploading client sent and what the archive says inside are not the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from packaging.utils import canonicalize_name, canonicalize_version

from packages.properties import Properties, fitting
from packages.pypi_properties import NAME, REQUIRES_NAME, VERSION

# Spelled otherwise, these mean the same: PEP 503 and PEP 440 say when.
_MEANINGS: dict[str, Callable[[str], str]] = {
    NAME: canonicalize_name,
    VERSION: canonicalize_version,
}
_SHOWN_AT_MOST = 200
_SENTENCES_AT_MOST = 50
_SENTENCE = re.compile(
    r"(\S+): (nothing|“.*?”) was sent, the archive says (nothing|“.*”)\.", re.DOTALL
)


def differences(sent: Properties, found: Properties) -> list[str]:
    """Return a sentence for each property that the client sent otherwise than the archive has it.

    What the client did not send is no difference.
    """
    told = []
    for name, values in sorted(sent.items()):
        if name == REQUIRES_NAME:  # made of pypi.requires.dist, which is compared already
            continue
        there = fitting(found.get(name, ()))
        meaning = _MEANINGS.get(name, str)
        if set(map(meaning, values)) != set(map(meaning, there)):
            told.append(f"{name}: {_quoted(values)} was sent, the archive says {_quoted(there)}.")
    return told[:_SENTENCES_AT_MOST]


def sides_of(sentence: str) -> tuple[str, str, str] | None:
    """Return property, what was sent and what the archive says, to be shown side by side.

    None for a sentence of another kind.
    """
    found = _SENTENCE.fullmatch(sentence)
    return (found[1], _unquoted(found[2]), _unquoted(found[3])) if found else None


def _quoted(values: Sequence[str]) -> str:
    if not values:
        return "nothing"
    text = "; ".join(values)
    cut = text if len(text) <= _SHOWN_AT_MOST else text[: _SHOWN_AT_MOST - 1] + "…"
    return f"“{cut}”"


def _unquoted(text: str) -> str:
    return "" if text == "nothing" else text[1:-1]
