"""The files of a release as the page lists them, and the properties that they have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from django.urls import reverse

from packages.filenames import Kind
from packages.index.base import PageFile
from packages.models import Distribution, Property
from packages.pages.project.subject import Subject
from packages.tags import in_words
from repos.models import Repository

_FILES_AT_ONCE = 100
_PROPERTIES_READ = 10_000
_PROPERTIES_SHOWN = 400
_FILES_NAMED = 3


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file."""

    file: PageFile
    # None: only upstream has its bytes so far.
    row: Distribution | None
    words: str
    # Of a virtual's file: the member that has it.
    origin: Repository | None
    download: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Some files of a release: those that are installed as they are, and sources."""

    built: tuple[FileLine, ...]
    sources: tuple[FileLine, ...]
    # The place of the last one, where there are more.
    after: str


@dataclass(frozen=True, slots=True)
class PropertyLine:
    """A property and a value of it, and which files have it."""

    name: str
    value: str
    # "archive", "client" or "person".
    origin: str
    files: tuple[str, ...]
    more: int
    is_of_all: bool


def lines_of(subject: Subject, after: str = "") -> Lines:
    """Return the files of the release behind a place, be a file there or not."""
    release = subject.release
    files = sorted(release.files, key=_place) if release else []
    left = [file for file in files if _place(file) > after]
    shown = left[:_FILES_AT_ONCE]
    return Lines(
        built=tuple(_line(subject, file) for file in shown if file.kind != Kind.SDIST),
        sources=tuple(_line(subject, file) for file in shown if file.kind == Kind.SDIST),
        after=_place(shown[-1]) if len(left) > len(shown) else "",
    )


def _place(file: PageFile) -> str:
    """Return where a file stands in the list, by name: built ones come before sources."""
    return f"{'source' if file.kind == Kind.SDIST else 'built'}/{file.filename}"


def _line(subject: Subject, file: PageFile) -> FileLine:
    where = [subject.repository.tenant.slug, subject.repository.key, subject.name]
    digest = [file.sha256] if file.sha256 else []
    view = "file" if digest else "present-file"
    return FileLine(
        file=file,
        row=subject.held.get(file.filename),
        words=in_words(file.kind, file.filename, file.python_tag),
        origin=subject.origins.get(file.filename),
        download=reverse(view, args=[*where, *digest, file.filename]),
    )


def properties_of_files(held: Mapping[str, Distribution]) -> tuple[list[PropertyLine], bool]:
    """Return the properties of files, people's own first, and whether there are more of them."""
    names = {row.pk: filename for filename, row in held.items()}
    rows = Property.objects.filter(distribution__in=list(names)).order_by("name", "pk")
    read = rows.values_list("name", "value", "origin", "distribution")[: _PROPERTIES_READ + 1]
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name, value, origin, file in islice(read, _PROPERTIES_READ):
        found[name, value, origin].append(names[file])
    lines = [_property(key, files, len(names)) for key, files in found.items()]
    lines.sort(key=lambda each: each.origin != Property.Origin.PERSON)
    return lines[:_PROPERTIES_SHOWN], len(lines) > _PROPERTIES_SHOWN


def _property(key: tuple[str, str, str], files: Sequence[str], of: int) -> PropertyLine:
    shown: Iterable[str] = sorted(files)[:_FILES_NAMED]
    is_of_all = len(files) == of and of > 1
    return PropertyLine(*key, tuple(shown), max(0, len(files) - _FILES_NAMED), is_of_all)
