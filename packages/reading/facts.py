"""Reads an archive: the list of what is told of it, each thing by a module of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from packages.archive import limits
from packages.filenames import (
    FilenameRefused,
    Kind,
    NameRefused,
    VersionRefused,
    parse_filename,
    shown,
)
from packages.metadata import CoreMetadata, version_pair
from packages.reading.archives import Archive
from packages.reading.entry_points import (
    entry_point_facts,
    entry_points_in,
    odd_entry_points,
    script_facts,
    script_files,
)
from packages.reading.fields import metadata_facts, understood
from packages.reading.licences import licence_facts, licence_files, likely_licences
from packages.reading.limits import (
    MAX_LICENCE,
    MAX_LIST_FILE,
    MAX_PROBLEMS,
    MAX_README,
    MAX_SBOM,
    MAX_SBOMS,
    MAX_TEXTS,
    MAX_WHEEL_FILE,
)
from packages.reading.names import import_facts, import_names, top_level_facts
from packages.reading.pth import pth_facts, pth_paths
from packages.reading.readme_text import Readme, readme_of, readme_path
from packages.reading.requirements import (
    Requirements,
    requirement_facts,
    requirements_of_setuptools,
)
from packages.reading.sboms import sbom_facts, sbom_paths
from packages.reading.texts import listed, plain
from packages.reading.values import Member, MemberKind
from packages.reading.wheel_file import wheel_facts

# PEP 639; what older files have under License-File means nothing.
_LICENCE_FILES_SINCE = (2, 4)
# Beside the metadata, and how much of each is read.
_BESIDE = {
    "WHEEL": MAX_WHEEL_FILE,
    "entry_points.txt": MAX_LIST_FILE,
    "top_level.txt": MAX_LIST_FILE,
    "requires.txt": MAX_LIST_FILE,
}


@dataclass(frozen=True, slots=True)
class Read:
    """What one archive says of itself; the README is not rendered yet."""

    metadata: bytes | None
    readme: Readme
    facts: dict[str, Any]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class _Subject:
    """An archive, those of its files that were fetched, and what its metadata says."""

    archive: Archive
    filename: str
    texts: dict[str, bytes]
    metadata: CoreMetadata | None

    def beside(self, name: str) -> bytes | None:
        """Return a file that stands beside the metadata."""
        folder = self.archive.layout.info
        return None if folder is None else self.texts.get(f"{folder}{name}")


def read_archive(file: IO[bytes], filename: str) -> Read:
    """Read an open archive. Raises ArchiveRefused."""
    archive = Archive(file, filename)
    if archive.layout.problem:
        archive.problem(archive.layout.problem)
    texts = archive.fetch(_wanted(archive))
    raw = texts.get(archive.layout.metadata)
    if raw is None and archive.layout.metadata in archive.files:
        archive.problem(
            f"has no readable {shown(archive.layout.metadata)}: it is a link or too large"
        )
    known = understood(raw, archive) if raw is not None else None
    subject = _Subject(archive, filename, texts, known[0] if known else None)
    _compare_with_name(subject)
    readme = readme_of(subject.metadata, archive.files, archive.layout, texts)
    facts = {
        "kind": archive.layout.kind.value,
        "metadata": metadata_facts(archive.layout.metadata, *known) if known else None,
        "readme": {"source": plain(readme.source)},
        **_requirements(subject),
        **_entry_points(subject),
        **_names(subject),
        "licences": _licences(subject),
        "wheel": _wheel(subject),
        "record": _record(archive),
        "native": archive.natives,
        "pth": _pth(subject),
        "sboms": _sboms(archive),
        "contents": _contents(archive.members),
        "problems": listed(archive.problems, MAX_PROBLEMS),
    }
    return Read(raw, readme, facts, archive.members)


def _wanted(archive: Archive) -> dict[str, int]:
    """Return all that is fetched at one go: of a tar that means to read it once more."""
    layout, files = archive.layout, archive.files
    wanted = dict.fromkeys(pth_paths(files)[:MAX_TEXTS], MAX_LIST_FILE)
    wanted |= dict.fromkeys(likely_licences(files, layout)[:MAX_TEXTS], MAX_LICENCE)
    wanted[readme_path(files, layout)] = MAX_README
    wanted |= _small(archive, {layout.metadata: limits.MAX_METADATA})
    if layout.info is not None:
        beside = {f"{layout.info}{name}": most for name, most in _BESIDE.items()}
        wanted |= _small(archive, beside)
    wanted.pop("", None)  # a place that there is not
    return wanted


def _small(archive: Archive, wanted: dict[str, int]) -> dict[str, int]:
    """Return those files that are not too large to be read whole, as they must be."""
    sizes = {path: archive.files.get(path, 0) for path in wanted}
    for path, size in sizes.items():
        if size > wanted[path]:
            archive.problem(f"has {shown(path)} of {size} bytes; at most {wanted[path]} are read")
    return {path: most for path, most in wanted.items() if sizes[path] <= most}


def _compare_with_name(subject: _Subject) -> None:
    """Note a file name that says something else than the metadata."""
    metadata, kind = subject.metadata, subject.archive.layout.kind
    if metadata is None or kind is Kind.DUMB:
        return
    try:
        named = parse_filename(subject.filename, name=metadata.name, version=metadata.version)
        subject.archive.compare_folder(named)
    except (NameRefused, VersionRefused):
        return  # of which the metadata was told already
    except FilenameRefused:
        says = f"holds version {shown(metadata.version)} of {shown(metadata.name)}"
        subject.archive.problem(f"{says}, which its file name does not say")


def _requirements(subject: _Subject) -> dict[str, Any]:
    metadata = subject.metadata
    raw = subject.beside("requires.txt")
    said = Requirements((), "Requires-Dist", ())
    if metadata:
        said = Requirements(metadata.requires_dist, "Requires-Dist", metadata.provides_extra)
    if raw is not None and not said.texts:
        said = requirements_of_setuptools(raw)
    facts, odd = requirement_facts(said)
    if odd and said.source == "requires.txt":  # of Requires-Dist the metadata's rules tell
        subject.archive.problem(f"has {shown(odd[0])} in its requires.txt, which is no requirement")
    return {"requirements": facts, "extras": listed(said.extras)}


def _entry_points(subject: _Subject) -> dict[str, Any]:
    raw = subject.beside("entry_points.txt") or b""
    if odd := odd_entry_points(raw, subject.filename):
        subject.archive.problems.append(odd)
    entries = entry_points_in(raw)
    files = script_files(subject.archive.files, subject.archive.layout.kind)
    return {"entry_points": entry_point_facts(entries), "scripts": script_facts(entries, files)}


def _names(subject: _Subject) -> dict[str, Any]:
    layout = subject.archive.layout
    names = import_names(subject.archive.files, layout.root, is_source=layout.kind is Kind.SDIST)
    metadata = subject.metadata
    return {
        "top_level": top_level_facts(names, subject.beside("top_level.txt")),
        "import_names": import_facts(names, metadata),
        "import_namespaces": listed(metadata.import_namespaces if metadata else ()),
    }


def _licences(subject: _Subject) -> dict[str, Any]:
    archive, metadata, texts = subject.archive, subject.metadata, subject.texts
    found, missing = licence_files(archive.files, archive.layout, metadata)
    if missing and metadata and version_pair(metadata.metadata_version) >= _LICENCE_FILES_SINCE:
        archive.problem(f"names the License-File {shown(missing[0])}, which is not in its place")
    further = archive.fetch(dict.fromkeys(set(found[:MAX_TEXTS]) - texts.keys(), MAX_LICENCE))
    return licence_facts(metadata, found, archive.files, texts | further)


def _wheel(subject: _Subject) -> dict[str, Any] | None:
    raw = subject.beside("WHEEL")
    if raw is None:
        return None
    facts, odd = wheel_facts(raw, subject.filename)
    if odd:
        subject.archive.problem(odd)
    return facts


def _record(archive: Archive) -> dict[str, Any] | None:
    """Return what differs between a wheel's RECORD and its contents; None where none was read."""
    record = archive.record
    if record is None:
        return None
    items = listed(record.differences)["items"]
    return {"items": items, "left_off": record.count - len(items)}


def _pth(subject: _Subject) -> dict[str, Any]:
    files = subject.archive.files
    paths = pth_paths(files)
    facts = listed(
        (pth_facts(path, files[path], subject.texts.get(path)) for path in paths[:MAX_TEXTS]),
    )
    return {**facts, "left_off": len(paths[MAX_TEXTS:])}


def _sboms(archive: Archive) -> dict[str, Any]:
    paths = sbom_paths(archive.files, archive.layout.info)

    def each(some: Iterable[str]) -> Iterator[dict[str, Any]]:
        for path in some:
            raw = archive.fetch({path: MAX_SBOM}).get(path)
            yield sbom_facts(path, archive.files[path], raw)

    return {**listed(each(paths[:MAX_SBOMS])), "left_off": len(paths[MAX_SBOMS:])}


def _contents(members: tuple[Member, ...]) -> dict[str, int]:
    files = [member.size for member in members if member.kind is MemberKind.FILE]
    return {"files": len(files), "links": len(members) - len(files), "size": sum(files)}
