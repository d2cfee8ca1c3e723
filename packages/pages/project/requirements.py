"""What a release requires: always or with which extra, and which of it can be had here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from packages.index.by_name import in_sources
from packages.metadata import requirement_in
from packages.models import Project, UpstreamPage
from packages.pages.project.subject import Contents
from repos.virtuals import Source

_SHOWN_AT_MOST = 500
# As packaging writes a marker; with "or" about it, the whole marker has to be read.
_OF_EXTRA = re.compile(r' and extra == "([^"]+)"\Z|\Aextra == "([^"]+)"(?: and )?')


@dataclass(frozen=True, slots=True)
class Needed:
    """One requirement."""

    text: str
    name: str
    # Empty where it is no requirement that anybody can read.
    normalized: str
    extras: tuple[str, ...]
    specifier: str
    marker: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Group:
    """What is required together: always (no extra), or with one extra."""

    extra: str
    needed: tuple[Needed, ...]


@dataclass(frozen=True, slots=True)
class Requirements:
    """All that a release requires."""

    groups: tuple[Group, ...]
    count: int
    left_off: int
    # Who says so: Requires-Dist, or requires.txt of old setuptools.
    source: str


def requirements_of(contents: Contents, sources: Iterable[Source]) -> Requirements:
    """Return what a release requires, linked to what `sources` have of it."""
    texts, source = _said_by(contents)
    parsed = [(text, requirement_in(text)) for text in texts[:_SHOWN_AT_MOST]]
    names = {canonicalize_name(each.name) for _, each in parsed if each is not None}
    here = _here(names, list(sources))
    groups: dict[str, list[Needed]] = {"": []}
    extras = contents.metadata.provides_extra if contents.metadata else ()
    groups |= {canonicalize_name(extra): [] for extra in extras}
    for text, requirement in parsed:
        extra, marker = _split(str(requirement.marker or "")) if requirement else ("", "")
        needed = _needed(text, requirement, marker, here)
        groups.setdefault(canonicalize_name(extra), []).append(needed)
    return Requirements(
        groups=tuple(Group(extra, tuple(needed)) for extra, needed in groups.items() if needed),
        count=len(texts),
        left_off=max(0, len(texts) - _SHOWN_AT_MOST),
        source=source,
    )


def _said_by(contents: Contents) -> tuple[Sequence[str], str]:
    """Return the requirements as texts: the metadata's, else what was read beside it."""
    if contents.metadata is not None and contents.metadata.requires_dist:
        return contents.metadata.requires_dist, "Requires-Dist"
    facts = contents.reading.facts if contents.reading else {}
    read = facts.get("requirements", {})
    return [each["text"] for each in read.get("items", ())], read.get("source", "Requires-Dist")


def _needed(
    text: str, requirement: Requirement | None, marker: str, here: Mapping[str, object]
) -> Needed:
    if requirement is None:
        return Needed(text, text, "", (), "", "", is_here=False)
    normalized = canonicalize_name(requirement.name)
    return Needed(
        text=text,
        name=requirement.name,
        normalized=normalized,
        extras=tuple(sorted(requirement.extras)),
        specifier=requirement.url or str(requirement.specifier),
        marker=marker,
        is_here=normalized in here,
    )


def _split(marker: str) -> tuple[str, str]:
    """Return the extra that a requirement belongs to, and what else its marker says."""
    if " or " in marker and not marker.startswith("("):
        return "", marker
    found = _OF_EXTRA.search(marker)
    if found is None:
        return "", marker
    rest = (marker[: found.start()] + marker[found.end() :]).strip()
    is_whole = rest.startswith("(") and rest.endswith(")") and rest.count("(") == 1
    return found[1] or found[2], rest[1:-1] if is_whole else rest


def _here(names: Collection[str], sources: Sequence[Source]) -> dict[str, None]:
    """Return those of `names` that one of `sources` has, or whose upstream is known to have it."""
    if not names:
        return {}
    there = in_sources(names, [source.id for source in sources])
    ours = Project.objects.filter(there)
    theirs = UpstreamPage.objects.filter(there, is_served=True)
    found = ours.order_by().values_list("normalized").union(theirs.values_list("normalized"))
    return dict.fromkeys(name for (name,) in found)
