"""The one way through the gate: opens a file as what its name says, and asks every rule."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass
from typing import IO

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.archive.paths import Tree
from packages.archive.sdists import top_folder
from packages.archive.shapes import require_shape, shape_of
from packages.archive.tars import TarContents, read_tar
from packages.archive.unpacking import tar_stream
from packages.archive.wheels import dist_info_folder, metadata_in_wheel
from packages.archive.zips import ZipContents
from packages.filenames import DistributionName, Kind, shown
from packages.metadata import (
    CoreMetadata,
    LetIn,
    MetadataRefused,
    core_metadata,
    objections,
    read_header,
    version_pair,
)
from repos.models import Rules

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
        judgement = Judgement(named, rules, file_limit, size)
        metadata = _metadata(read_contents(file, judgement), judgement)
    return Inspected(metadata, tuple(judgement.findings))


def read_contents(file: IO[bytes], judgement: Judgement) -> ZipContents | TarContents:
    """Return what an archive holds, which every reader of its format sees in the same way."""
    shape = shape_of(judgement.named)
    require_shape(file, shape, judgement)
    contents = _contents(file, shape, judgement)
    if contents.tree.is_empty:
        raise judgement.refusal("holds no files")
    return contents


def _contents(file: IO[bytes], shape: str, judgement: Judgement) -> ZipContents | TarContents:
    if shape != "zip":
        return read_tar(tar_stream(file, shape, judgement), judgement)
    contents = ZipContents(file, judgement)
    if judgement.named.kind is not Kind.WHEEL:  # a wheel's bytes are compared with its RECORD
        contents.check_every_byte()
    return contents


def _metadata(contents: ZipContents | TarContents, judgement: Judgement) -> CoreMetadata | None:
    """Return the core metadata, once it and the licence files that it names are in order."""
    raw: bytes | None = None  # a dumb archive is an installed tree, and has none
    licences = ""
    match judgement.named.kind:
        case Kind.WHEEL if isinstance(contents, ZipContents):
            folder = dist_info_folder(contents.tree, judgement)
            raw = metadata_in_wheel(contents, folder, judgement)
            licences = f"{folder}/licenses/"
        case Kind.SDIST:
            top = top_folder(contents.tree, judgement)
            raw = contents.read(f"{top}/PKG-INFO", limits.MAX_METADATA)
            licences = f"{top}/"
        case Kind.EGG:
            raw = contents.read("EGG-INFO/PKG-INFO", limits.MAX_METADATA)
    if raw is None:
        return None
    metadata = _judged(raw, judgement)
    if licences and version_pair(metadata.metadata_version) >= _LICENCE_FILES_SINCE:
        _require_licences(metadata, licences, contents.tree, judgement)
    return metadata


def _judged(raw: bytes, judgement: Judgement) -> CoreMetadata:
    """Return what a metadata file says, once the rules of the repository let it in."""
    try:
        header = read_header(raw)
        metadata = core_metadata(raw, header)
    except MetadataRefused as refused:
        raise MetadataRefused(
            f"{shown(judgement.named.filename)} is refused. {refused.sentence}"
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
