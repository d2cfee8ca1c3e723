"""What every archive must pass before it is listed, whichever way it came and whoever named it."""

from __future__ import annotations

from collections.abc import Callable

from packages.archive import inspect
from packages.filename_rules import require_public_name
from packages.filenames import DistributionName, parse_name, parse_version
from packages.metadata import CoreMetadata
from packages.places import Place
from packages.properties import Properties
from packages.rows import Accepted
from packages.storage import Spooled
from packages.upload_form import judge_requires_python
from packages.uploads import UploadRefused
from repos.models import Repository
from repos.rules import Rules


def accept(
    repository: Repository,
    named: DistributionName,
    spool: Spooled,
    *,
    properties: Properties,
    requires_python: Callable[[], str],
) -> Accepted:
    """Pass the archive gate; refuse metadata inside whose name or version is another.

    `requires_python` is asked where the archive has no metadata to say it.
    """
    rules = Rules(repository.rules)
    inspected = inspect(spool.path, named, rules=rules, file_limit=repository.max_file_bytes)
    metadata = inspected.metadata
    if metadata is not None:
        refuse_other_identity(metadata, named)
        judge_requires_python(metadata.requires_python, named)
    return Accepted(
        repository=repository,
        named=named,
        spool=spool,
        metadata=metadata,
        properties=properties,
        requires_python=metadata.requires_python if metadata is not None else requires_python(),
        findings=inspected.findings,
    )


def judge_spelling(place: Place) -> None:
    """Refuse a file name that strict rules do not take."""
    if place.repository.rules == Rules.STRICT:
        require_public_name(place.named)


def refuse_other_identity(metadata: CoreMetadata, named: DistributionName) -> None:
    """Refuse an archive that says inside that it is another project or version than its name."""
    if parse_name(metadata.name) != named.normalized:
        raise UploadRefused(
            f"{named.filename} says inside that its name is {metadata.name}, not {named.name}."
        )
    if parse_version(metadata.version) != named.version:
        raise UploadRefused(
            f"{named.filename} says inside that its version is {metadata.version}, "
            f"not {named.version}."
        )
