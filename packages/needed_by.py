"""Says who needs a project: those among what a reader may read whose newest files require it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F
from packaging.utils import canonicalize_name

from accounts.principal import Principal
from packages.documents import showable
from packages.filenames import NormalizedName
from packages.metadata import requirement_in
from packages.models import Property
from packages.pypi_properties import REQUIRES_NAME
from repos.access import readable_by
from repos.virtuals import Source

# So many files that require a project are looked at, the latest first: of what everybody requires
# nobody reads the whole list.
_LOOKED_AT = 1000
_SHOWN_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class NeedingProject:
    """A project whose newest version requires another one."""

    tenant: str
    key: str
    normalized: str
    name: str
    version: str
    # As its metadata says it; more than one where markers or extras differ.
    requirements: tuple[str, ...]

    @property
    def repository(self) -> str:
        """Return the name of the repository that has it."""
        return f"{self.tenant}/{self.key}"


@dataclass(frozen=True, slots=True)
class NeededBy:
    """Who needs a project."""

    found: tuple[NeedingProject, ...]
    # More files require it than were looked at, or more projects than are shown.
    is_cut: bool


def needed_by(name: NormalizedName, *, by: Principal, beneath: Iterable[Source] = ()) -> NeededBy:
    """Return the projects that need `name`, as far as `by` may read them.

    `beneath` are the sources of the page that is looked at: a token that is limited to a virtual
    reads them through it.
    """
    files, is_cut = _requiring(name, by, beneath)
    texts: dict[int, list[str]] = {pk: [] for pk in files}
    said = Property.objects.filter(distribution__in=list(files), name="pypi.requires.dist")
    for pk, text in said.order_by("pk").values_list("distribution", "value"):
        requirement = requirement_in(text)
        if requirement is not None and canonicalize_name(requirement.name) == name:
            texts[pk].append(text)
    found = (
        NeedingProject(*identity, requirements=tuple(texts[pk])) for pk, identity in files.items()
    )
    by_name = sorted(found, key=lambda each: (each.normalized, each.repository))
    return NeededBy(tuple(by_name[:_SHOWN_AT_MOST]), is_cut or len(by_name) > _SHOWN_AT_MOST)


def _requiring(
    name: NormalizedName, by: Principal, beneath: Iterable[Source]
) -> tuple[dict[int, tuple[str, str, str, str, str]], bool]:
    """Return one file of each project's newest version that requires `name`, and who it is of."""
    readable = readable_by(by).values("pk")
    through = [source.repository.pk for source in beneath]
    shown = showable().exclude(release=None)
    shown = shown.filter(repository__in=readable) | shown.filter(repository__in=through)
    latest = (
        Property.objects.filter(name=REQUIRES_NAME, value=name, distribution__in=shown)
        .order_by("-distribution")
        .values_list("distribution", flat=True)[:_LOOKED_AT]
    )
    looked_at = list(latest)
    # What is newest stands in the project's document, whichever files that are.
    rows = (
        showable()
        .filter(pk__in=looked_at, release__version=F("release__project__document__version"))
        .exclude(release__project__normalized=name)
        .order_by("kind", "pk")  # of several files of a project, its wheel is the last
        .values_list(
            "pk",
            "release__project",
            "repository__tenant__slug",
            "repository__key",
            "release__project__normalized",
            "release__project__name",
            "release__version",
        )
    )
    chosen = {row[1]: (row[0], row[2:]) for row in rows}
    return dict(chosen.values()), len(looked_at) == _LOOKED_AT
