"""Names a file that was put at a path by hand: from then on it is listed, as if published.

Its name is what its archive says or, where that says nothing, what people said. Every rule of
publishing holds: the gate, the project's status, claims, names served upstream, one file of a name.
"""

from __future__ import annotations

from accounts.principal import Principal
from base import audit
from base.audit import SYSTEM
from base.errors import LarderError
from packages.acceptance import accept, judge_spelling
from packages.blobs import RACES_AT_MOST, RaceLost, writing_rows
from packages.changes import contents_changed
from packages.extraction.results import (
    Read,
    requires_python_in,
    still_waiting,
    write_details,
)
from packages.extraction.turns import Turn
from packages.filenames import (
    DistributionName,
    parse_filename,
    parse_name,
    parse_version,
    shown,
)
from packages.metadata import CoreMetadata
from packages.models import Distribution, Property
from packages.places import Place, judge_place, locked_place, place_of, same_file
from packages.properties import said_by
from packages.pypi_properties import NAME, VERSION
from packages.rows import Accepted, name_row, project_row, release_row
from packages.storage import Spooled
from packages.uploads import UploadRefused

# A worker asks, and whoever may read the repository reads the refusal: it names nothing else.
_BY = Principal()


class Unnamed(LarderError):
    """The file stays without a name, and so unlisted, until somebody does something about it."""


def name_and_write(turn: Turn, file: Distribution, spool: Spooled, read: Read) -> None:
    """Name the file and write what was read of it. Raises Unnamed, or as `publish` refuses."""
    named = _name_of(file, read.metadata)
    place = place_of(file.repository, named)
    judge_place(place, _BY)
    _refuse_taken(place, spool)
    judge_spelling(place)
    with turn.kept_meanwhile():  # the gate unpacks the whole archive once more
        accepted = accept(
            file.repository,
            named,
            spool,
            properties={},
            requires_python=lambda: requires_python_in(read.metadata),
        )
    for _ in range(RACES_AT_MOST):
        try:
            with writing_rows():
                _write(turn, file, accepted, read)
        except RaceLost:
            continue
        return
    raise RaceLost


def _name_of(file: Distribution, metadata: CoreMetadata | None) -> DistributionName:
    """Return what the file is called: by its archive, else by people; both must agree."""
    said = {
        name: values[0] for name, values in said_by(file, Property.Origin.PERSON).items() if values
    }
    if metadata is not None:
        named = parse_filename(file.filename, name=metadata.name, version=metadata.version)
        _refuse_other_names(said, named)
        return named
    if missing := [name for name in (NAME, VERSION) if name not in said]:
        what = " and ".join(missing)
        raise Unnamed(f"Its archive carries no metadata. Say its {what}, and it is listed.")
    return parse_filename(file.filename, name=said[NAME], version=said[VERSION])


def _refuse_other_names(said: dict[str, str], named: DistributionName) -> None:
    is_other = {
        NAME: NAME in said and parse_name(said[NAME]) != named.normalized,
        VERSION: VERSION in said and parse_version(said[VERSION]) != named.version,
    }
    for name, inside in ((NAME, named.name), (VERSION, str(named.version))):
        if is_other[name]:
            raise UploadRefused(
                f"{named.filename} says inside {shown(inside)}, and its property {name} says "
                f"{shown(said[name])}. Correct or remove the property, then try again."
            )


def _refuse_taken(place: Place, spool: Spooled) -> None:
    """Refuse a second file of one name: an overwriting upload says so, a path does not."""
    there = place.distribution
    if there is None:
        return
    if there.sha256 == spool.sha256:
        raise Unnamed(f"The same file is listed already; it is at {there.path}.")
    same_file(place, spool)  # raises FileExists, unless files may be overwritten
    raise UploadRefused(
        f"{there.filename} is in {place.repository} with other contents, at {there.path}. "
        "Deploy to that path to overwrite it."
    )


def _write(turn: Turn, file: Distribution, accepted: Accepted, read: Read) -> None:
    place = locked_place(file.repository, accepted.named, _BY)
    _refuse_taken(place, accepted.spool)
    row = still_waiting(file)
    if row is None or row.release_id is not None:
        return
    project = project_row(place, accepted)
    release = release_row(place, project)
    row.extraction, row.extraction_reason = Distribution.Extraction.EXTRACTED, ""
    name_row(row, release, accepted)
    write_details(row, project, release, read)
    audit.record(
        by=SYSTEM,
        action="distribution.name",
        tenant=file.repository.tenant.slug,
        repository=str(file.repository),
        subject=f"{file.repository}/{row.filename}",
        after={"project": project.normalized, "version": release.version, "path": row.path},
    )
    contents_changed(project)
    turn.keep()
