"""The tabs of a project's page, and what each of them shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import Http404, QueryDict

from accounts.roles import Role
from base import clock
from packages.extraction.waiting import Waiting, waiting_of
from packages.file_history import events_about
from packages.index.opening import sources_of
from packages.models import Distribution
from packages.needed_by import needed_by
from packages.pages.deeds import COLUMNS, deed_of
from packages.pages.pictures import columns
from packages.pages.project.changing import forms_of
from packages.pages.project.facts import (
    archive_facts,
    classifiers_by_topic,
    licences_in,
    people_of,
    told_of,
)
from packages.pages.project.lines import lines_of, properties_of_files
from packages.pages.project.releases import ReleaseFiles, behind
from packages.pages.project.requirements import requirements_of
from packages.pages.project.subject import Contents, Subject
from packages.pages.project.timeline import timeline
from packages.pages.vouched import claimed_by, vouching_for
from packages.shown_file import withheld_in
from packages.statistics import downloads_of
from repos.access import may_read_audit
from repos.models import Kind

_RELEASES_AT_ONCE = 100
_SPANS = (30, 90, 365)
_UPLOADS_SHOWN = 25
_ACTS_SHOWN = 20
_NAMES_AT_MOST = 1000
_WITHHELD_AT_ONCE = 100

Context = dict[str, object]


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its name in the URL and on the page, and what fills it."""

    slug: str
    name: str
    fill: Callable[[Subject, Contents, QueryDict], Context]

    @property
    def template(self) -> str:
        """Return the template that shows it."""
        return f"packages/project/{self.slug.replace('-', '_')}.html"


def tabs_of(subject: Subject) -> list[Tab]:
    """Return the tabs that there are for this reader."""
    return [*_TABS, _MANAGE] if may_manage(subject) else list(_TABS)


def chosen(subject: Subject, slug: str) -> Tab:
    """Return the tab that a URL names; the first where it names none."""
    tabs = tabs_of(subject)
    found = next((tab for tab in tabs if tab.slug == slug), None) if slug else tabs[0]
    if found is None:
        raise Http404
    return found


def may_manage(subject: Subject) -> bool:
    """Say whether the reader may change something here, where it can be changed at all.

    Of a remote's project that is what its administrators may give out again.
    """
    match Kind(subject.repository.kind):
        case Kind.LOCAL:
            return subject.role >= Role.WRITER
        case Kind.REMOTE:
            return subject.role >= Role.ADMIN
        case Kind.VIRTUAL:
            return False


def _readme(subject: Subject, contents: Contents, _query: QueryDict) -> Context:
    metadata = contents.metadata
    origins = {subject.origins[name].pk: subject.origins[name] for name in _origins(subject)}
    files = subject.release.files if subject.release else ()
    context: Context = {
        "origins": list(origins.values()),
        "has_metadata": any(file.metadata_sha256 for file in files),
    }
    vouching = vouching_for(list(subject.held.values()), subject.by)
    context |= {"vouching": vouching, "claimed": claimed_by(metadata, vouching)}
    if metadata is None:
        return context
    return context | {
        "waiting": _waiting(contents),
        "authors": people_of(metadata.author, metadata.author_email),
        "maintainers": people_of(metadata.maintainer, metadata.maintainer_email),
        "topics": classifiers_by_topic(metadata),
        "licences": licences_in(metadata),
        "keywords": _keywords(metadata.keywords),
        "facts": archive_facts(contents),
    }


def _waiting(contents: Contents) -> Waiting | None:
    """Return how long it is until the README is rendered, where that has not been done yet."""
    file = contents.file
    if file is None or file.extraction != Distribution.Extraction.PENDING:
        return None
    return waiting_of(file.repository, getattr(file.repository, "state", None))


def _origins(subject: Subject) -> list[str]:
    """Return the names of the release's files of which a member of a virtual is known."""
    files = subject.release.files if subject.release else ()
    return [file.filename for file in files if file.filename in subject.origins]


def _keywords(text: str) -> list[str]:
    """Return single keywords: divided by commas, or in old files by spaces."""
    parts = text.split(",") if "," in text else text.split()
    return [part.strip() for part in parts if part.strip()]


def _info(subject: Subject, contents: Contents, _query: QueryDict) -> Context:
    return {"told": told_of(subject, contents), "facts": archive_facts(contents)}


def _files(subject: Subject, _contents: Contents, query: QueryDict) -> Context:
    return {"lines": lines_of(subject, query.get("after", ""))}


def _versions(subject: Subject, _contents: Contents, query: QueryDict) -> Context:
    left = behind(subject.releases, query.get("after", ""))
    shown = left[:_RELEASES_AT_ONCE]
    return {
        "shown": shown,
        "after": shown[-1].version if len(left) > len(shown) else "",
        "timeline": timeline(subject.releases, clock.now()),
    }


def _requirements(subject: Subject, contents: Contents, _query: QueryDict) -> Context:
    sources = sources_of(subject.repository, subject.by)
    return {"requirements": requirements_of(contents, sources)}


def _needed_by(subject: Subject, _contents: Contents, _query: QueryDict) -> Context:
    beneath = sources_of(subject.repository, subject.by)
    return {"needed_by": needed_by(subject.name, by=subject.by, beneath=beneath)}


def _properties(subject: Subject, _contents: Contents, _query: QueryDict) -> Context:
    properties, is_cut = properties_of_files(subject.held)
    return {"properties": properties, "is_cut": is_cut}


def _activity(subject: Subject, _contents: Contents, query: QueryDict) -> Context:
    span = next((each for each in _SPANS if str(each) == query.get("days")), _SPANS[0])
    held = subject.all_held()
    days = downloads_of(held, days=span)
    total = sum(day.count for day in days)
    return _acts(subject) | {
        "spans": _SPANS,
        "span": span,
        "picture": columns("Downloads", f"{total} in {span} days", days),
        "total": total,
        "uploads": held.select_related("release").order_by("-uploaded_at", "-pk")[:_UPLOADS_SHOWN],
        # Who reads what anyone may read is not told who works here.
        "tells_who": subject.by.hears_names,
    }


def _acts(subject: Subject) -> Context:
    """Return what was done to it and its files lately, for those who administer the repository."""
    repository, user = subject.repository, subject.by.user
    if not subject.is_curated_here or subject.role < Role.ADMIN or user is None:
        return {}
    release = subject.release if subject.is_of_release else None
    rows = events_about(
        repository,
        subject.name,
        version=release.version if release is not None else "",
        filenames=_filenames(subject, release),
        columns=COLUMNS,
        limit=_ACTS_SHOWN,
    )
    is_auditor = subject.by.token is None and may_read_audit(user, repository.tenant.slug)
    return {
        "deeds": [deed_of(row, str(repository)) for row in rows],
        "audited": f"{repository}/{subject.name}" if is_auditor else "",
    }


def _filenames(subject: Subject, release: ReleaseFiles | None) -> list[str]:
    """Return the names of the files here, also while the project is quarantined and shows none."""
    if files := (release or subject.page).files:
        return [each.filename for each in files]
    rows = withheld_in(subject.repository, subject.name).filter(deleted_at__isnull=True)
    return list(rows.values_list("filename", flat=True)[:_NAMES_AT_MOST])


def _manage(subject: Subject, _contents: Contents, query: QueryDict) -> Context:
    is_admin = subject.role >= Role.ADMIN
    context: Context = {
        "forms": forms_of(subject) if subject.is_curated_here else {},
        "is_admin": is_admin,
    }
    return context | (_withheld(subject, query.get("after", "")) if is_admin else {})


def _withheld(subject: Subject, after: str) -> Context:
    """Return a page of what is held and given to nobody, in the order of the files' names."""
    rows = withheld_in(subject.repository, subject.name).order_by("filename")
    if after.isprintable():
        rows = rows.filter(filename__gt=after)
    found = list(rows[: _WITHHELD_AT_ONCE + 1])
    shown = found[:_WITHHELD_AT_ONCE]
    return {
        "withheld": shown,
        "withheld_after": shown[-1].filename if len(found) > len(shown) else "",
    }


_TABS = (
    Tab("readme", "README", _readme),
    Tab("info", "Info", _info),
    Tab("files", "Files", _files),
    Tab("versions", "Versions", _versions),
    Tab("requirements", "Requirements", _requirements),
    Tab("needed-by", "Needed by", _needed_by),
    Tab("properties", "Properties", _properties),
    Tab("activity", "Activity", _activity),
)
_MANAGE = Tab("manage", "Manage", _manage)


def counts_of(subject: Subject, contents: Contents) -> Mapping[str, int]:
    """Return how much is behind those tabs of which that is known without asking."""
    metadata = contents.metadata
    return {
        "files": len(subject.release.files) if subject.release else 0,
        "versions": len(subject.releases),
        "requirements": len(metadata.requires_dist) if metadata else 0,
    }
