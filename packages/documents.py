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

from base.quick_rows import Question
from packages.filenames import parse_version
from packages.metadata import readable_metadata
from packages.models import Distribution, Document, Project, Property
from packages.words import words_of

# Of a README; what comes after so many different words adds little to find it by.
_WORDS_AT_MOST = 3000
_README_AT_MOST = 200_000
_SUMMARY_AT_MOST = 1000
_WRITTEN = ["repository", "normalized", "name", "version", "summary", "about", "words"]
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


@dataclass(frozen=True, slots=True)
class _File:
    """One of the newest files of a project."""

    pk: int
    version: str
    is_yanked: bool

    @property
    def is_taken(self) -> bool:
        """Say whether installers take it without being asked to."""
        return not self.is_yanked and not parse_version(self.version).is_prerelease


def note_project(project: Project) -> None:
    """Write the document of `project` anew, in the transaction that changed it."""
    newest = _newest(project)
    if newest is None:
        Document.objects.filter(project=project).delete()
        return
    text = _text_of(newest.pk)
    about = words_of(f"{project.name} {text.summary} {text.keywords}")
    document = Document(
        project=project,
        repository_id=project.repository_id,
        normalized=project.normalized,
        name=project.name,
        version=newest.version,
        summary=text.summary[:_SUMMARY_AT_MOST],
        about=_once(about),
        words=_once(about + words_of(text.readme[:_README_AT_MOST])),
    )
    Document.objects.bulk_create(
        [document], update_conflicts=True, unique_fields=["project"], update_fields=_WRITTEN
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


def _newest(project: Project) -> _File | None:
    """Return a file of the version that installers take, a wheel where it has one.

    Where the newest files are all yanked or of pre-releases, it is of the newest version at all.
    """
    rows = _NEWEST.ask(project.pk)
    newest = [_File(pk, version, bool(own or all_)) for pk, version, own, all_ in rows]
    return next((file for file in newest if file.is_taken), newest[0] if newest else None)


def _newest_files(project: int) -> QuerySet[Distribution, tuple[int, str, bool, bool]]:
    files = showable().filter(release__project=project)
    in_order = files.order_by("-release__version_key", "-kind", "filename")
    return in_order.values_list("pk", "release__version", "yanked", "release__yanked")[:_LOOKED_AT]


def _texts(file: int) -> QuerySet[Distribution, tuple[bytes | memoryview, str]]:
    kept = Distribution.objects.filter(pk=file).order_by()
    return kept.values_list("stored_metadata__raw", "reading__readme_html")


def _properties(file: int) -> QuerySet[Property, tuple[str, str]]:
    rows = Property.objects.filter(distribution_id=file, name__in=_SAID).order_by("pk")
    return rows.values_list("name", "value")


_NEWEST, _TEXTS = Question(_newest_files), Question(_texts)
_PROPERTIES = Question(_properties)


def _text_of(file: int) -> _Text:
    """Return what the archive's own metadata says; where there is none, what properties say."""
    ((raw, readme_html),) = _TEXTS.ask(file)
    said = dict.fromkeys(_SAID, "")
    for name, value in _PROPERTIES.ask(file):
        said[name] = f"{said[name]} {value}".strip()
    summary, keywords = said.values()
    if raw is None:
        return _Text(summary, keywords, _plain(readme_html))
    if (metadata := readable_metadata(bytes(raw))) is None:
        return _Text(summary, keywords, readme="")
    readme = metadata.description or _plain(readme_html)
    return _Text(metadata.summary or summary, metadata.keywords or keywords, readme)


def _plain(html: str | None) -> str:
    return _TAG.sub(" ", html or "")


def _once(words: Iterable[str]) -> str:
    return " ".join(islice(dict.fromkeys(words), _WORDS_AT_MOST))
