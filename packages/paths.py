"""What lies at the paths of a repository: files, and the folders over them.

Folders have no rows: one is there as long as a file lies below it. Files are read along the index
of paths, a stretch at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import F, QuerySet, Value
from django.db.models.functions import StrIndex, Substr

from base.errors import InvalidInput
from base.keyset import first_of
from packages.filenames import shown
from packages.models import Distribution
from packages.search.engines import within_seconds
from packages.search.ground import Ground

_STRETCH = 500
_SECONDS = 5.0
_ENTRIES_AT_MOST = 10_000
# Each name in a virtual is a decision of its own.
_NAMES_AT_MOST = 200
# The character after the slash: what begins so comes after everything below a folder.
_AFTER_SLASH = "0"


class FolderTooLarge(InvalidInput):
    """More lies in a folder than is told at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder in a folder."""

    name: str
    file: Distribution | None  # None: a folder


def file_at(ground: Ground, path: str) -> Distribution | None:
    """Return the file at a path, if there is one that is shown."""
    if not path.isprintable():  # PostgreSQL would not even look for a NUL
        return None
    rows = _whole(ground.files().filter(path=path))
    found = rows.order_by(F("release").asc(nulls_first=True), "pk")
    return next((row for row in found if _is_shown(ground, row)), None)


def entries(ground: Ground, folder: str) -> list[Entry]:
    """Return what lies in a folder, the root being "": none if there is no such folder.

    Raises FolderTooLarge, or SearchTooSlow.
    """
    if not folder.isprintable():
        return []
    if ground.virtual is not None:
        return _entries_shown(ground, folder)
    beginning = f"{folder}/" if folder else ""
    below = Substr("path", len(beginning) + 1)
    there = _below(ground.files(), folder, beginning).annotate(
        folder_in_it=Substr(below, 1, StrIndex(below, Value("/")))
    )
    with within_seconds(_SECONDS):
        names = there.exclude(folder_in_it="").values_list("folder_in_it", flat=True)
        found = list(names.order_by().distinct()[: _ENTRIES_AT_MOST + 1])
        files = list(_whole(there.filter(folder_in_it="")).order_by("path")[: _ENTRIES_AT_MOST + 1])
    if len(found) + len(files) > _ENTRIES_AT_MOST:
        raise _too_large(folder)
    folders = [Entry(name.removesuffix("/"), None) for name in found]
    plain = {row.path: Entry(row.path.removeprefix(beginning), row) for row in files}
    return sorted([*folders, *plain.values()], key=lambda each: (each.name, each.file is None))


def _entries_shown(ground: Ground, folder: str) -> list[Entry]:
    """Return what a virtual shows in a folder: of each file below it is decided."""
    beginning = f"{folder}/" if folder else ""
    found: dict[tuple[str, bool], Entry] = {}
    for row in files_below(ground, folder, at_most=_ENTRIES_AT_MOST):
        name, slash, _ = row.path.removeprefix(beginning).partition("/")
        found.setdefault((name, bool(slash)), Entry(name, None if slash else row))
    return [found[each] for each in sorted(found)]


def files_below(ground: Ground, folder: str, *, at_most: int) -> list[Distribution]:
    """Return all files below a folder, in the order of their paths. Raises FolderTooLarge."""
    found: list[Distribution] = []
    if folder.isprintable():
        for row in _all_below(ground, folder):
            if _is_shown(ground, row):
                found.append(row)
            if len(found) > at_most:
                raise _too_large(folder)
    return found


def _all_below(ground: Ground, folder: str) -> Iterator[Distribution]:
    start = f"{folder}/" if folder else ""
    while True:
        stretch = _stretch(ground, folder, start)
        yield from stretch.files
        if not stretch.goes_on_at:
            return
        start = stretch.goes_on_at


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Some files in the order of their paths, and the path of the next; empty: there is none."""

    files: list[Distribution]
    goes_on_at: str


def _stretch(ground: Ground, folder: str, start: str) -> _Stretch:
    """Return the next files below a folder from `start` on."""
    # By the index on the paths of each repository alone; what is not shown goes afterwards.
    arms = [
        _below(Distribution.objects.filter(repository_id=each), folder, start)
        for each in ground.ids
    ]
    if not arms:
        return _Stretch([], "")
    rows = first_of(arms, order=("path", "id"), columns=("id", "path"), limit=_STRETCH)
    # Of the last path there may be more than was read: it comes with the next stretch.
    goes_on_at: str = rows[-1]["path"] if len(rows) == _STRETCH else ""
    there = _whole(ground.files().filter(pk__in=[row["id"] for row in rows]))
    read = sorted(there, key=lambda row: (row.path, row.pk))
    return _Stretch([row for row in read if row.path != goes_on_at], goes_on_at)


def _below(files: QuerySet[Distribution], folder: str, start: str) -> QuerySet[Distribution]:
    """Return those of the files that lie below a folder, from a path on."""
    files = files.filter(path__gte=start)
    return files.filter(path__lt=folder + _AFTER_SLASH) if folder else files


def _whole(rows: QuerySet[Distribution]) -> QuerySet[Distribution]:
    return rows.select_related("release__project", "repository__tenant", "blob")


def _is_shown(ground: Ground, row: Distribution) -> bool:
    virtual = ground.virtual
    if virtual is None:
        return True
    if virtual.decided >= _NAMES_AT_MOST:
        raise FolderTooLarge(
            f"{virtual.tree.virtual} has more than {_NAMES_AT_MOST} projects there. "
            "Ask for the folder of one, or for what its members have."
        )
    return virtual.shows(row)


def _too_large(folder: str) -> FolderTooLarge:
    where = shown(folder) if folder else "The whole repository"
    return FolderTooLarge(
        f"{where} has more in it than is told at once. Ask for a folder below it."
    )
