"""The one way through the gate: opens a file as what its name says, and asks every rule."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.archive.paths import Tree
from packages.archive.sdists import top_folder
from packages.archive.shapes import require_shape
from packages.archive.tars import TarContents
from packages.archive.unpacking import tar_stream
from packages.archive.wheels import dist_info_folder, metadata_in_wheel
from packages.archive.zips import ZipContents
from packages.filenames import DistributionName, Kind, archive_format, shown
from packages.metadata import (
    CoreMetadata,
    LetIn,
    MetadataRefused,
    core_metadata,
    objections,
    read_header,
    version_pair,
)
from repos.rules import Rules

# PEP 639; what older files have under License-File means nothing.
_LICENCE_FILES_SINCE = (2, 4)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What came through: the core metadata, where the kind has any, and what is odd about it."""

    metadata: CoreMetadata | None
    findings: tuple[str, ...]


def inspect(
    path: pathlib.Path, named: DistributionName, *, rules: Rules, file_limit: int
) -> Inspected:
    """Judge the distribution at `path`, whose name was read as `named`.

    Raises ArchiveRefused or MetadataRefused. Memory does not grow with the
    archive beyond its names and its metadata file, and nothing is written.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        judgement = Judgement(named.filename, rules, file_limit, size)
        metadata = _metadata(open_contents(file, judgement), named, judgement)
    return Inspected(metadata, tuple(judgement.findings))


def open_contents(file: IO[bytes], judgement: Judgement) -> ZipContents | TarContents:
    """Return an archive, which every reader of its format sees in the same way.

    The paths of a zip are known then, those of a tar once every byte of it was checked.
    """
    shape = archive_format(judgement.filename)
    require_shape(file, shape, judgement)
    if shape == "zip":
        return ZipContents(file, judgement)
    return TarContents(tar_stream(file, shape, judgement), judgement)


def _metadata(
    contents: ZipContents | TarContents, named: DistributionName, judgement: Judgement
) -> CoreMetadata | None:
    """Return the core metadata, once all bytes and the licence files it names are in order."""
    raw: bytes | None = None  # a dumb archive is an installed tree, and has none
    licences = ""
    match named.kind:
        case Kind.WHEEL if isinstance(contents, ZipContents):
            folder = dist_info_folder(contents.tree, named, judgement)
            raw = metadata_in_wheel(contents, folder, judgement)
            licences = f"{folder}/licenses/"
        case Kind.EGG if isinstance(contents, ZipContents):
            contents.check_every_byte()
            raw = contents.read("EGG-INFO/PKG-INFO", limits.MAX_METADATA)
        case Kind.SDIST:
            passing = _PkgInfo(judgement)
            contents.check_every_byte(passing.take)
            licences = f"{top_folder(contents.tree, judgement)}/"
            raw = passing.read.get(f"{licences}PKG-INFO")
        case _:
            contents.check_every_byte()
    if raw is None:
        return None
    metadata = _judged(raw, judgement)
    if licences and version_pair(metadata.metadata_version) >= _LICENCE_FILES_SINCE:
        _require_licences(metadata, licences, contents.tree, judgement)
    return metadata


class _PkgInfo:
    """Keeps an sdist's PKG-INFO while its files pass by: of a tar they do so only once."""

    def __init__(self, judgement: Judgement) -> None:
        self._judgement = judgement
        self.read: dict[str, bytes] = {}

    def take(self, path: str, size: int, pieces: Iterator[bytes]) -> None:
        """Keep the file if it is `<top folder>/PKG-INFO` (source distribution format)."""
        if path.count("/") == 1 and path.endswith("/PKG-INFO"):
            self._judgement.require_small(path, size, limits.MAX_METADATA)
            self.read = {path: b"".join(pieces)}  # one alone, however many tops there are


def _judged(raw: bytes, judgement: Judgement) -> CoreMetadata:
    """Return what a metadata file says, once the rules of the repository let it in."""
    try:
        header = read_header(raw)
        metadata = core_metadata(raw, header)
    except MetadataRefused as refused:
        raise MetadataRefused(
            f"{shown(judgement.filename)} is refused. {refused.sentence}"
        ) from refused
    for objection in objections(header):
        match objection.let_in:
            case LetIn.NEVER:
                raise MetadataRefused(judgement.refusal(objection.says).sentence)
            case LetIn.COMPATIBLE:
                judgement.only_compatible(objection.says)
            case LetIn.ALWAYS:
                judgement.note(objection.says)
    return metadata


def _require_licences(
    metadata: CoreMetadata, folder: str, tree: Tree, judgement: Judgement
) -> None:
    """PEP 639: every License-File is in the archive, at the place that its kind has for it."""
    for path in metadata.license_files:
        if f"{folder}{path}" not in tree.files:
            raise judgement.refusal(
                f"names the License-File {shown(path)}, but has no {shown(f'{folder}{path}')}"
            )
