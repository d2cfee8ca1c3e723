"""Publishes a file that comes without the form of a publishing client, with people's properties.

It comes from a page, by REST, out of a folder, or by promotion. A page and REST can have it tried
first: the file is sent for the trial and for the publishing. Kept in between, it would lie on one
machine of several, or in storage, for people who never come back; so nothing is kept, and nothing
has to be cleared away. The publishing names the SHA-256 that the trial saw: what was checked is
what is published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from accounts.authentication import again
from accounts.principal import Principal
from base.errors import InvalidInput
from packages.describe import PropertyRefused, judge_properties, set_by_person
from packages.filenames import Kind, guess, parse_filename, require_archive_name, shown
from packages.models import Distribution
from packages.places import place_of
from packages.properties import Properties
from packages.publish import Also, Published, judged, publish
from packages.pypi_properties import PREFIX, properties_of
from packages.rows import Accepted
from packages.uploads import Upload, UploadRefused
from repos.models import Repository
from repos.targets import Target

# The kinds as the form of the upload protocol calls them.
_FILETYPES = {
    Kind.WHEEL: "bdist_wheel",
    Kind.SDIST: "sdist",
    Kind.EGG: "bdist_egg",
    Kind.DUMB: "bdist_dumb",
}


class PropertiesUnreadable(InvalidInput):
    """What was typed as properties is no list of them."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A file and what a person says of it; what they do not say, its file name is asked for."""

    filename: str
    chunks: Iterable[bytes]
    name: str = ""
    version: str = ""
    sha256: str = ""  # of what was checked
    properties: Properties = field(default_factory=dict)
    declared_size: int | None = None
    attestations: str = ""  # as clients send them (PEP 740)


@dataclass(frozen=True, slots=True)
class Checked:
    """What publishing a file would come to."""

    filename: str
    kind: str
    name: str
    version: str
    size: int
    sha256: str
    requires_python: str
    names_itself: bool  # the archive has metadata; else somebody has to say what it is
    is_there: bool  # the same bytes, already
    overwrites: bool
    findings: tuple[str, ...]
    properties: Properties


def check(given: ByHand, *, repository: Repository, by: Principal) -> Checked:
    """Judge a file as `publish` does, write nothing, and return what publishing would come to.

    Raises as `publish` does, and PropertyRefused.
    """
    _judge_own(given.properties)
    with judged(repository=repository, upload=_as_a_client_sends(given), by=by) as found:
        if isinstance(found, Distribution):
            return _there_already(found, given.properties)
        return _accepted(found, given.properties)


def publish_by_hand(
    given: ByHand, *, target: Target, by: Principal, also: Also | None = None
) -> Published:
    """Publish a file as a client would, and give it the properties that the person said.

    `also` is as for `publish`. Raises as `check`.
    """
    _judge_own(given.properties)
    done = publish(target=target, upload=_as_a_client_sends(given), by=by, also=also)
    if given.properties:
        present = again(by)
        target.again(present)
        set_by_person(done.distribution, given.properties, by=present.actor)
    return done


def properties_in_lines(text: str) -> dict[str, list[str]]:
    """Return what lines of `name=value` say; a name given again has another value.

    Raises PropertiesUnreadable or PropertyRefused.
    """
    properties: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            raise PropertiesUnreadable(
                f"{shown(line)} is no property: write name=value, for example qa.approved=yes."
            )
        properties.setdefault(name, []).append(value)
    _judge_own(properties)
    return properties


def _judge_own(properties: Properties) -> None:
    """Refuse properties that a file which has its name cannot be given by people."""
    for name in properties:
        if name.startswith(PREFIX):
            raise PropertyRefused(
                f"{shown(name)} is what the archive says of itself. Properties of your own have "
                "another beginning."
            )
    judge_properties(properties)


def _as_a_client_sends(given: ByHand) -> Upload:
    """Return the upload with the fields that a client fills in: none of them is the person's."""
    require_archive_name(given.filename)
    name, version = guess(given.filename)
    name, version = given.name or name, given.version or version
    if not name or not version:
        raise UploadRefused(
            f"{shown(given.filename)} does not say of which project and version it is. "
            "Rename it as <project>-<version>, or deploy it to a path without a name."
        )
    named = parse_filename(given.filename, name=name, version=version)
    fields = {
        "name": name,
        "version": version,
        "filetype": _FILETYPES[named.kind],
        "pyversion": named.python_tag,
        "sha256_digest": given.sha256,
        "attestations": given.attestations,
    }
    sent = {field: [value] for field, value in fields.items()}
    chunks = given.chunks if given.sha256 else _hashed(given.chunks, sent)
    return Upload(given.filename, chunks, sent, given.declared_size)


def _hashed(chunks: Iterable[bytes], fields: dict[str, list[str]]) -> Iterator[bytes]:
    """Yield `chunks`, and name their digest in the end: strict rules want one, and pages have none.

    Browsers hash nothing for a page that came over plain http.
    """
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    fields["sha256_digest"] = [digest.hexdigest()]


def _accepted(found: Accepted, own: Properties) -> Checked:
    named, metadata = found.named, found.metadata
    said = properties_of(metadata, named.normalized) if metadata is not None else found.properties
    return Checked(
        filename=named.filename,
        kind=named.kind,
        name=metadata.name if metadata is not None else named.name,
        version=str(named.version),
        size=found.spool.size,
        sha256=found.spool.sha256,
        requires_python=found.requires_python,
        names_itself=metadata is not None,
        is_there=False,
        overwrites=place_of(found.repository, named).distribution is not None,
        findings=found.findings,
        properties={**said, **own},
    )


def _there_already(row: Distribution, own: Properties) -> Checked:
    release = row.release
    said: dict[str, list[str]] = {}
    for name, value in row.properties.order_by("pk").values_list("name", "value"):
        said.setdefault(name, []).append(value)
    return Checked(
        filename=row.filename,
        kind=row.kind,
        name=release.project.name if release else "",
        version=release.version if release else "",
        size=row.size,
        sha256=row.sha256,
        requires_python=row.requires_python,
        names_itself=True,
        is_there=True,
        overwrites=False,
        findings=tuple(row.findings),
        properties={**said, **own},
    )
