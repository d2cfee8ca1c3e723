"""Files with properties, written as rows without bytes, and the model of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from base import clock
from packages.documents import note_project
from packages.models import Distribution, Property, Reading
from packages.properties import write_properties
from repos.models import Repository
from tests.packages.search.model import File
from tests.virtuals import put_file

Properties = Mapping[str, Sequence[str]]


def put(
    repository: Repository,
    name: str,
    version: str,
    properties: Properties | None = None,
    *,
    readme: str = "",
    state: str = "pending",
    kind: str = "wheel",
) -> Distribution:
    """Put a file with properties into a repository; its summary and README can be searched."""
    file = put_file(repository, name, version)
    Distribution.objects.filter(pk=file.pk).update(extraction=state, kind=kind)
    said = {"pypi.name": [name], "pypi.version": [version], **(properties or {})}
    write_properties(file, said, origin=Property.Origin.CLIENT)
    if readme:
        Reading.objects.create(
            distribution=file,
            sha256=file.sha256,
            readme_html=readme,
            contents=b"",
            read_at=clock.now(),
        )
    assert file.release is not None
    with transaction.atomic():
        note_project(file.release.project)
    file.refresh_from_db()
    return file


def model_of(file: Distribution) -> File:
    """Return a file as the model knows it."""
    assert file.release is not None
    properties: dict[str, list[str]] = {}
    for name, value in file.properties.values_list("name", "value"):
        properties.setdefault(name, []).append(value)
    project = file.release.project
    said = Property.objects.filter(
        distribution__release__project=project, name__in=("pypi.summary", "pypi.keywords")
    )
    reading = Reading.objects.filter(distribution__release__project=project).first()
    return File(
        tenant=file.repository.tenant.slug,
        key=file.repository.key,
        kind_of_repository=file.repository.kind,
        project=project.normalized,
        kind=file.kind,
        state=file.extraction,
        attested="yes" if file.is_attested else "no",
        properties=properties,
        about=" ".join(said.values_list("value", flat=True)),
        readme=reading.readme_html if reading else "",
    )
