"""Answers `api/storage`: what a file or folder is, what lies in it, and its properties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Sum

from accounts.roles import Role
from artifactory import properties
from artifactory.bodies import object_of
from artifactory.errors import ItemMissing, NoProperties, RequestUnreadable
from artifactory.shapes import (
    Json,
    answered,
    done,
    file_info,
    folder_info,
    listed_file,
    moment,
    storage_uri,
)
from packages.filenames import shown
from packages.models import Distribution, FileDownloads
from packages.paths import Entry, entries, file_at, files_below
from packages.search.ground import Ground, within
from pypi.answer import Answer, Ask
from repos.access import admitted, require
from repos.models import Kind, Repository

_LISTED_AT_MOST = 10_000
# As many files are changed by one request for a folder.
CHANGED_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """A file or folder that is there."""

    repository: Repository
    ground: Ground
    path: str
    file: Distribution | None  # None: a folder
    children: list[Entry]  # of a folder

    def files(self, *, at_most: int) -> list[Distribution]:
        """Return the file itself, or all files below the folder."""
        if self.file is not None:
            return [self.file]
        return files_below(self.ground, self.path, at_most=at_most)


def item_of(ask: Ask, path: str, role: Role) -> Item:
    """Return what is at a path, to who has a role there. Raises ItemMissing, or as `require`.

    Whoever reads a virtual gets that far; what holds a file decides who changes it.
    """
    found = admitted(ask.principal, ask.tenant, ask.key, Role.READER)
    repository = found.repository
    if found.role < role and repository.kind != Kind.VIRTUAL:
        require(ask.principal, ask.tenant, ask.key, role)
    ground = within(repository, ask.principal)
    plain = path.strip("/")
    file = file_at(ground, plain) if plain else None
    children = entries(ground, plain) if file is None else []
    if plain and file is None and not children:
        raise ItemMissing(f"there is no {shown(plain)} in {repository}.")
    return Item(repository, ground, plain, file, children)


def show(ask: Ask, path: str = "") -> Answer:
    """Answer what is at a path, or that of it which the query names."""
    item = item_of(ask, path, Role.READER)
    for name, function in _PARTS.items():
        if name in ask.query:
            return answered(ask, function(ask, item))
    if item.file is not None:
        return answered(ask, file_info(ask, item.repository.key, item.file))
    return answered(ask, folder_info(ask, item.repository, item.path, item.children))


def set_properties(ask: Ask, path: str = "") -> Answer:
    """Set the properties that the query names on a file, or on all files below a folder."""
    item = item_of(ask, path, Role.WRITER)
    wanted = properties.properties_in(_asked_properties(ask))
    properties.change(_changed(ask, item), wanted, (), by=ask.principal)
    return done()


def remove_properties(ask: Ask, path: str = "") -> Answer:
    """Remove properties that people set from a file, or from all files below a folder."""
    item = item_of(ask, path, Role.WRITER)
    gone = properties.names_in(_asked_properties(ask))
    properties.change(_changed(ask, item), {}, gone, by=ask.principal)
    return done()


def patch_properties(ask: Ask, path: str = "") -> Answer:
    """Set and remove properties as a JSON body says."""
    item = item_of(ask, path, Role.WRITER)
    wanted, gone = properties.changes_in(object_of(ask))
    properties.change(_changed(ask, item), wanted, gone, by=ask.principal)
    return done()


def _asked_properties(ask: Ask) -> str:
    found = ask.query.get("properties", "")
    if not found:
        raise RequestUnreadable("Say which properties: ?properties=name=value.")
    return found


def _changed(ask: Ask, item: Item) -> list[Distribution]:
    """Return the files whose properties are changed: a folder has none of its own."""
    if item.file is None and "0" in {
        ask.query.get("recursive"),
        ask.query.get("recursiveProperties"),
    }:
        raise RequestUnreadable("A folder has no properties of its own, only its files have.")
    return item.files(at_most=CHANGED_AT_MOST)


def _properties(ask: Ask, item: Item) -> Json:
    found = properties.of_file(item.file) if item.file is not None else {}
    if names := properties.names_in(ask.query["properties"]):
        found = {name: values for name, values in found.items() if name in names}
    if not found:
        raise NoProperties(f"No such properties are set on {shown(item.path)}.")
    return {"properties": found, "uri": storage_uri(ask, item.repository.key, item.path)}


def _list(ask: Ask, item: Item) -> Json:
    """Return the files in a folder; with `deep`, those in its folders too."""
    if item.file is not None:
        raise RequestUnreadable(f"{shown(item.path)} is a file. List the folder that it is in.")
    depth = _depth(ask)
    files = (
        item.files(at_most=_LISTED_AT_MOST)
        if depth != 1
        else [each.file for each in item.children if each.file is not None]
    )
    lines = [listed_file(row, item.path) for row in files]
    if ask.query.get("listFolders") == "1":
        at = moment(item.repository.created_at)
        folders = {
            "/".join(parts[:upto])
            for parts in ([*line["uri"].split("/")] for line in lines)
            for upto in range(2, len(parts))
        } | {f"/{each.name}" for each in item.children if each.file is None}
        lines += [
            {"uri": uri, "size": -1, "lastModified": at, "folder": True} for uri in sorted(folders)
        ]
    return {
        "uri": storage_uri(ask, item.repository.key, item.path),
        "created": moment(item.repository.created_at),
        "files": [line for line in lines if depth is None or line["uri"].count("/") <= depth],
    }


def _depth(ask: Ask) -> int | None:
    """Return how many levels are listed; None: all."""
    if ask.query.get("deep", "0") != "1":
        return 1
    asked = ask.query.get("depth", "")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdecimal() and 0 < len(asked) < 4):  # noqa: PLR2004 - no path is so deep
        raise RequestUnreadable("depth is a small whole number.")
    return int(asked)


def _stats(ask: Ask, item: Item) -> Json:
    """Return how often a file was downloaded, as far as that is counted by now."""
    if item.file is None:
        raise RequestUnreadable("Downloads are counted of files, not of folders.")
    days = FileDownloads.objects.filter(distribution=item.file)
    last = days.order_by("-last_at").first()
    return {
        "uri": storage_uri(ask, item.repository.key, item.path),
        "downloadCount": days.aggregate(sum=Sum("count"))["sum"] or 0,
        "lastDownloaded": round(last.last_at.timestamp() * 1000) if last else 0,
        "lastDownloadedBy": last.last_by if last else "",
        "remoteDownloadCount": 0,
        "remoteLastDownloaded": 0,
    }


def _last_modified(ask: Ask, item: Item) -> Json:
    """Return when the newest file there came."""
    files = item.files(at_most=_LISTED_AT_MOST)
    newest = max(files, key=lambda row: row.uploaded_at, default=None)
    path = newest.path if newest is not None else item.path
    at = newest.uploaded_at if newest is not None else item.repository.created_at
    return {"uri": storage_uri(ask, item.repository.key, path), "lastModified": moment(at)}


_PARTS: dict[str, Callable[[Ask, Item], Json]] = {
    "properties": _properties,
    "list": _list,
    "stats": _stats,
    "lastModified": _last_modified,
}
