"""Keeps the document of a project, which text search looks through, as its contents are now.

Whoever changes what a project shows ends with `packages.changes.contents_changed`, which comes
here; extraction comes by itself when it has read more than the page shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from base.errors import LarderError
from packages.filenames import parse_version
from packages.metadata import parse_core_metadata
from packages.models import Distribution, Document, Project, Property, Reading, StoredMetadata
from packages.words import words_of

# Of a README; what comes after so many different words adds little to find it by.
_WORDS_AT_MOST = 3000
_README_AT_MOST = 200_000
_SUMMARY_AT_MOST = 1000
_SAID = ("pypi.summary", "pypi.keywords")
_TAG = re.compile(r"<[^>]*>")
_BATCH = 500
# How many of the newest files are looked through for one that installers take.
_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class _Text:
    """What a release says about its project."""

    summary: str
    keywords: str
    readme: str


def note_project(project: Project) -> None:
    """Write the document of `project` anew, in the transaction that changed it."""
    newest = _newest(project)
    if newest is None or newest.release is None:
        Document.objects.filter(project=project).delete()
        return
    text = _text_of(newest)
    about = words_of(f"{project.name} {text.summary} {text.keywords}")
    Document.objects.update_or_create(
        project=project,
        defaults={
            "repository_id": project.repository_id,
            "normalized": project.normalized,
            "name": project.name,
            "version": newest.release.version,
            "summary": text.summary[:_SUMMARY_AT_MOST],
            "about": _once(about),
            "words": _once(about + words_of(text.readme[:_README_AT_MOST])),
        },
    )


def note_missing() -> int:
    """Write the documents of projects that have files to show and none, and return how many.

    For an installation that held projects before there were documents.
    """
    shown = showable().filter(release__project=OuterRef("pk"))
    due = Project.objects.filter(Exists(shown), document=None).order_by("pk")
    count = last = 0
    while batch := list(due.filter(pk__gt=last)[:_BATCH]):
        for project in batch:
            with transaction.atomic():
                locked = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
                note_project(locked)
        count, last = count + len(batch), batch[-1].pk
    return count


def showable() -> QuerySet[Distribution]:
    """Return the files that are somewhere shown: not deleted and not quarantined, here or there."""
    return Distribution.objects.filter(
        ~Q(upstream_change=Distribution.UpstreamChange.QUARANTINED),
        Q(release=None) | ~Q(release__project__status=Project.Status.QUARANTINED),
        deleted_at__isnull=True,
    )


def _newest(project: Project) -> Distribution | None:
    """Return a file of the version that installers take, a wheel where it has one.

    Where the newest files are all yanked or of pre-releases, it is of the newest version at all.
    """
    files = showable().filter(release__project=project).select_related("release")
    newest = list(files.order_by("-release__version_key", "-kind", "filename")[:_LOOKED_AT])
    return next(filter(_is_taken, newest), newest[0] if newest else None)


def _is_taken(file: Distribution) -> bool:
    release = file.release
    if release is None or file.yanked or release.yanked:
        return False
    return not parse_version(release.version).is_prerelease


def _text_of(file: Distribution) -> _Text:
    """Return what the archive's own metadata says; where there is none, what properties say."""
    said = dict.fromkeys(_SAID, "")
    rows = Property.objects.filter(distribution=file, name__in=_SAID).order_by("pk")
    for name, value in rows.values_list("name", "value"):
        said[name] = f"{said[name]} {value}".strip()
    summary, keywords, readme = *said.values(), ""
    stored = StoredMetadata.objects.filter(distribution=file).first()
    if stored is not None:
        try:
            metadata = parse_core_metadata(bytes(stored.raw))
        except LarderError:  # of an upstream's file: what it says inside is its own affair
            return _Text(summary, keywords, readme)
        summary = metadata.summary or summary
        keywords, readme = metadata.keywords or keywords, metadata.description
    if not readme:
        rendered = Reading.objects.filter(distribution=file).values_list("readme_html", flat=True)
        readme = _TAG.sub(" ", rendered.first() or "")
    return _Text(summary, keywords, readme)


def _once(words: Iterable[str]) -> str:
    return " ".join(islice(dict.fromkeys(words), _WORDS_AT_MOST))
