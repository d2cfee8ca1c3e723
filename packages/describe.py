"""People's own properties of files: `qa.approved=yes`, many values, set and removed; audited.

Extraction never touches them. What begins with `pypi.` is the archive's to say; of a file that
nobody has named yet, people may say `pypi.name` and `pypi.version`, and it is read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from django.db import transaction

from accounts.principal import Principal
from accounts.roles import Role
from base import audit
from base.audit import Actor
from base.errors import InvalidInput
from packages.changes import file_waits
from packages.filenames import parse_name, parse_version, shown
from packages.models import Distribution, Property
from packages.properties import (
    MAX_BYTES,
    MAX_VALUE,
    Properties,
    fitting,
    said_by,
    write_properties,
)
from packages.pypi_properties import NAME, PREFIX, VERSION
from repos.access import RoleMissing, require

_VALUES_AT_MOST = 200  # of all properties of one file that people set
_PROPERTY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}")
_NAMES_IT = frozenset({NAME, VERSION})


class PropertyRefused(InvalidInput):
    """A property has a name or value that it cannot have, or is not people's to change."""


def set_properties(distribution: Distribution, properties: Properties, *, by: Principal) -> None:
    """Give a file properties; each replaces all values that people gave the same name before."""
    _require_writer(distribution, properties, by)
    set_by_person(distribution, properties, by=by.actor)


def remove_properties(distribution: Distribution, names: Iterable[str], *, by: Principal) -> None:
    """Take properties of these names away that people set."""
    gone: Properties = dict.fromkeys(names, ())
    _require_writer(distribution, gone, by)
    remove_by_person(distribution, gone, by=by.actor)


def set_by_person(distribution: Distribution, properties: Properties, *, by: Actor) -> None:
    """Set properties for whoever may: the rights have been asked for."""
    judge_properties(properties)
    _refuse_what_archives_say(distribution, properties)
    _write(distribution, {name: fitting(values) for name, values in properties.items()}, by)


def remove_by_person(distribution: Distribution, names: Iterable[str], *, by: Actor) -> None:
    """Remove properties for whoever may: the rights have been asked for."""
    there = said_by(distribution, Property.Origin.PERSON)
    gone = list(names)
    for name in gone:
        if name not in there:
            raise PropertyRefused(
                f"{distribution.filename} has no property {shown(name)} that people set."
            )
    _write(distribution, dict.fromkeys(gone, ()), by)


def judge_properties(properties: Properties) -> None:
    """Refuse names and values that no property can have. Raises PropertyRefused."""
    if sum(map(len, properties.values())) > _VALUES_AT_MOST:
        raise PropertyRefused(f"No file has more than {_VALUES_AT_MOST} values that people set.")
    for name, values in properties.items():
        if not _PROPERTY_NAME.fullmatch(name):
            raise PropertyRefused(
                f"{shown(name)} is no name of a property: use at most 100 letters, digits and "
                ". _ -, a letter first."
            )
        if not values:
            raise PropertyRefused(f"The property {name} has no value.")
        if name in _NAMES_IT:
            _judge_identity(name, list(values))
        elif name.startswith(PREFIX):
            raise PropertyRefused(
                f"{name} is what the archive says of itself, and cannot be set. "
                "Properties of your own have another beginning."
            )
        for value in values:
            _judge_value(name, value)


def judge_token(distribution: Distribution | None, wanted: Properties, by: Principal) -> None:
    """Refuse a token for certain projects where the file is of another, or of none yet.

    `wanted` are properties that are about to be set; None for a file that is about to be made.
    """
    if by.token is None or not by.token.project_patterns:
        return
    if distribution is not None and distribution.release is not None:
        name = distribution.release.project.normalized
    else:
        said = said_by(distribution, Property.Origin.PERSON) if distribution is not None else {}
        name = next(iter({**said, **wanted}.get(NAME, ())), "")
    if not name:
        raise RoleMissing(
            f"This token is for certain projects: say with {NAME} which one the file is of."
        )
    if not by.token.allows_project(parse_name(name)):
        raise RoleMissing(f"This token may not change files of {shown(name)}.")


def _require_writer(distribution: Distribution, wanted: Properties, by: Principal) -> None:
    repository = distribution.repository
    require(by, repository.tenant.slug, repository.key, Role.WRITER)
    judge_token(distribution, {}, by)
    judge_token(distribution, wanted, by)


def _refuse_what_archives_say(distribution: Distribution, properties: Properties) -> None:
    if distribution.release is None:
        return
    for name in sorted(_NAMES_IT & properties.keys()):
        raise PropertyRefused(
            f"{distribution.filename} has its name: {name} cannot be set any more."
        )


def _judge_identity(name: str, values: list[str]) -> None:
    if len(values) != 1:
        raise PropertyRefused(f"The property {name} has one value.")
    parse = parse_name if name == NAME else parse_version
    parse(values[0])


def _judge_value(name: str, value: str) -> None:
    if not value.strip() or not value.isprintable():
        raise PropertyRefused(f"The property {name} has a value that is empty or no plain text.")
    if len(value) > MAX_VALUE or len(value.encode()) > MAX_BYTES:
        raise PropertyRefused(
            f"The property {name} has a value that is too long; {MAX_VALUE} characters, "
            f"{MAX_BYTES} bytes in UTF-8, are the most."
        )


def _write(distribution: Distribution, wanted: Mapping[str, Iterable[str]], by: Actor) -> None:
    """Replace the values of the names in `wanted`, and record what changed."""
    repository = distribution.repository
    after = {name: list(values) for name, values in wanted.items()}
    with transaction.atomic():
        row = Distribution.objects.select_for_update(of=("self",)).get(pk=distribution.pk)
        # Asked again: it may have got its name since.
        _refuse_what_archives_say(row, {name: values for name, values in after.items() if values})
        there = said_by(row, Property.Origin.PERSON)
        before = {name: there.get(name, []) for name in wanted}
        if before == after:
            return
        if sum(map(len, {**there, **after}.values())) > _VALUES_AT_MOST:
            raise PropertyRefused(
                f"{row.filename} would have more than {_VALUES_AT_MOST} values that people set."
            )
        people = Property.objects.filter(distribution=row, origin=Property.Origin.PERSON)
        people.filter(name__in=wanted).delete()
        write_properties(row, after, origin=Property.Origin.PERSON)
        audit.record(
            by=by,
            action="properties.change",
            tenant=repository.tenant.slug,
            repository=str(repository),
            subject=f"{repository}/{row.filename}",
            before=before,
            after=after,
        )
        if _NAMES_IT & wanted.keys() and _can_be_named(row):
            wait_again(row)
            file_waits(repository)


def _can_be_named(row: Distribution) -> bool:
    is_settled = row.extraction in {
        Distribution.Extraction.FAILED,
        Distribution.Extraction.UNLISTED,
    }
    return row.release_id is None and is_settled and row.deleted_at is None


def wait_again(row: Distribution) -> None:
    """Let a locked row wait to be extracted as if it had never been tried."""
    row.extraction, row.extraction_reason = Distribution.Extraction.PENDING, ""
    row.extraction_attempts = 0
    row.save(update_fields=["extraction", "extraction_reason", "extraction_attempts"])
