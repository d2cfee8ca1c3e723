"""Chooses the representation that a client asked for (PEP 691, RFC 9110)."""

from __future__ import annotations

from collections.abc import Sequence

JSON_V1 = "application/vnd.pypi.simple.v1+json"
HTML_V1 = "application/vnd.pypi.simple.v1+html"
HTML = "text/html"

# PEP 691: `latest` is an alias; the answer names the version that it stands for.
_SIMPLE_TYPES = {
    JSON_V1: JSON_V1,
    "application/vnd.pypi.simple.latest+json": JSON_V1,
    HTML_V1: HTML_V1,
    "application/vnd.pypi.simple.latest+html": HTML_V1,
    HTML: HTML,
}


def simple_type(accept: str, wanted: str = "") -> str:
    """Return which of the three types a simple page is to have.

    `wanted` is the `?format=` parameter, which wins over the Accept header. Without a match the
    answer is HTML, never 406: hatch, curl and browsers send what they like.
    """
    if wanted in _SIMPLE_TYPES:
        return _SIMPLE_TYPES[wanted]
    best = best_match(accept, list(_SIMPLE_TYPES))
    return _SIMPLE_TYPES[best] if best else HTML


def best_match(accept: str, offered: Sequence[str]) -> str:
    """Return the offered type that `accept` likes best; empty when it takes none.

    Of equally liked types, an exact one wins over a range and then the one the client named
    first. A wildcard alone takes the last offered type: no client that means JSON leaves it to
    a wildcard.
    """
    ranges = [_parsed(part, place) for place, part in enumerate(accept.split(",")) if part.strip()]
    best: tuple[float, int, int] | None = None
    chosen = ""
    for kind in reversed(offered):
        matching = [entry for entry in ranges if _covers(entry[0], kind)]
        if not matching:
            continue
        # RFC 9110: the most specific range decides the quality of a type.
        pattern, quality, place = max(matching, key=lambda entry: _precision(entry[0]))
        rank = (quality, _precision(pattern), -place)
        if quality > 0 and (best is None or rank > best):
            best, chosen = rank, kind
    return chosen


def takes_gzip(accept_encoding: str) -> bool:
    """Say whether the client takes a gzip body."""
    for place, part in enumerate(accept_encoding.split(",")):
        name, quality, _ = _parsed(part, place)
        if name in {"gzip", "x-gzip", "*"}:
            return quality > 0
    return False


def _parsed(part: str, place: int) -> tuple[str, float, int]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.lower().startswith("q="):
            try:
                quality = min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return name.lower(), quality, place


def _covers(pattern: str, kind: str) -> bool:
    if pattern == "*/*":
        return True
    return pattern == kind or (pattern.endswith("/*") and kind.startswith(pattern[:-1]))


def _precision(pattern: str) -> int:
    return 0 if pattern == "*/*" else 1 if pattern.endswith("/*") else 2
