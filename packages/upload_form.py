"""What the form of an upload must say beside the file, once all of its fields are there."""

from __future__ import annotations

from collections.abc import Callable

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from base.errors import InvalidInput
from packages.filenames import DistributionName, Kind, shown
from repos.rules import Rules

MAX_SUMMARY = 512
# Of the form and of an archive's metadata: it becomes part of a page.
MAX_REQUIRES_PYTHON = 500
_DIGESTS = ("sha256_digest", "blake2_256_digest", "md5_digest")


class FormRefused(InvalidInput):
    """A field of the form is missing or says something that cannot be."""


def judge_form(value: Callable[[str], str], named: DistributionName, rules: Rules) -> None:
    """Refuse a form that breaks a rule; `value` gives a field's first value, empty if absent."""
    if (protocol := value("protocol_version")) not in ("", "1"):
        raise FormRefused(
            f"{shown(named.filename)} came by version {shown(protocol)} of the upload protocol; "
            "there is version 1 alone."
        )
    if rules == Rules.STRICT:
        _judge_strictly(value, named)


def requires_python_of(value: Callable[[str], str], named: DistributionName) -> str:
    """Return the form's Requires-Python in one line, for archives without metadata."""
    said = value("requires_python")
    # Before anything else: of a text of some megabytes a specifier makes hundreds.
    judge_requires_python(said, named)
    text = " ".join(said.split())
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise FormRefused(
            f"{shown(named.filename)} came with the Requires-Python {shown(text)}, which is none."
        ) from None
    return text


def judge_requires_python(text: str, named: DistributionName) -> None:
    """Refuse a Requires-Python, wherever it is from, that is longer than any real one."""
    if len(text) > MAX_REQUIRES_PYTHON:
        raise FormRefused(
            f"{named.filename} has a Requires-Python of {len(text)} characters; "
            f"{MAX_REQUIRES_PYTHON} is the most."
        )


def _judge_strictly(value: Callable[[str], str], named: DistributionName) -> None:
    """Ask for what every client of today sends."""
    filename = shown(named.filename)
    if not value("filetype"):
        raise FormRefused(f"{filename} came without a filetype; strict rules want one.")
    python = value("pyversion")
    if named.kind is Kind.SDIST and python not in ("", "source"):
        raise FormRefused(
            f"{filename} came with the pyversion {shown(python)}; an sdist's is 'source'."
        )
    if named.kind is Kind.WHEEL and not python:
        raise FormRefused(f"{filename} came without a pyversion; strict rules want a wheel's.")
    if not any(value(name) for name in _DIGESTS):
        raise FormRefused(f"{filename} came without a digest; strict rules want at least one.")
    if len(summary := value("summary")) > MAX_SUMMARY:
        raise FormRefused(
            f"{filename} came with a summary of {len(summary)} characters; "
            f"{MAX_SUMMARY} are the most."
        )
