"""Virtual repositories over real locals and remotes that say what a test lets them say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from accounts.principal import Principal
from base import clock
from base.audit import SYSTEM
from packages.changes import contents_changed
from packages.filenames import NormalizedName, parse_filename, parse_name
from packages.index.base import (
    FileNotFound,
    IndexUnavailable,
    PageFile,
    ProjectList,
    ProjectNotFound,
    ProjectPage,
    SourceIndex,
    Stored,
)
from packages.index.opening import open_source
from packages.index.virtual import VirtualIndex
from packages.models import Blob, Distribution, Project, Release, UpstreamPage
from packages.versions import version_key
from repos import configure
from repos.models import Kind, Member, Repository, Upstream
from repos.virtuals import Source
from tests.cast import House, make_repository


@dataclass
class Upstreams:
    """What stands behind the remotes of a test, by repository key and scope."""

    files: dict[tuple[str, str], dict[str, list[PageFile]]] = field(default_factory=dict)
    down: set[tuple[str, str]] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)  # key and project, in order

    def has(self, key: str, project: str, *filenames: str, scope: str = "", by: str = "") -> None:
        """Let upstream have files of `project`; `by` makes the bytes somebody's own."""
        there = self.files.setdefault((key, scope), {}).setdefault(project, [])
        there += [page_file(filename, by=by or f"upstream of {key}") for filename in filenames]

    def open(self, source: Source) -> SourceIndex:
        """Open a source: a local as it is, a remote as scripted."""
        if source.is_local:
            return open_source(source)
        return ScriptedRemote(self, source)

    def index(self, virtual: Repository, by: Principal) -> VirtualIndex:
        """Return what the virtual is to `by`."""
        return VirtualIndex(virtual, by, self.open)


@dataclass
class ScriptedRemote:
    """A remote that answers as its upstream is scripted, and notes what it has had."""

    upstreams: Upstreams
    source: Source
    ground: None = None  # a virtual's own is what counts
    until: datetime = field(default_factory=lambda: clock.now() + timedelta(seconds=2))

    @property
    def _id(self) -> tuple[str, str]:
        return self.source.repository.key, self.source.scope

    def projects(self) -> ProjectList:
        """Return what upstream lists."""
        return ProjectList(names=tuple(self.upstreams.files.get(self._id, {})), serial=0)

    def page(self, project: NormalizedName) -> ProjectPage:
        """Ask upstream, and note that it was asked and had the name."""
        self.upstreams.asked.append((self._id[0], project))
        if self._id in self.upstreams.down:
            raise IndexUnavailable(f"The index behind {self.source} cannot be reached.")
        found = self.upstreams.files.get(self._id, {}).get(project)
        if found is None:
            raise ProjectNotFound(f"There is no project {project} in {self.source}.")
        ever_had(self.source.repository, project, scope=self.source.scope)
        return ProjectPage(
            name=project,
            versions=tuple(dict.fromkeys(file.version for file in found)),
            files=tuple(found),
            status="active",
            status_reason="",
            serial=1,
        )

    def open(self, project: NormalizedName, filename: str, sha256: str = "") -> Stored:
        """Return a file that upstream lists."""
        for file in self.page(project).files:
            if file.filename == filename and sha256 in {"", file.sha256}:
                return Stored(
                    filename=filename,
                    repository_id=self.source.repository.pk,
                    storage_key=str(self.source),
                    size=1,
                    sha256=file.sha256,
                    uploaded_at=clock.now(),
                    row=Distribution(filename=filename),
                )
        raise FileNotFound(f"There is no file {filename} in {self.source}.")

    def metadata(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return a text that names the remote."""
        self.open(project, filename, sha256)
        return f"metadata from {self.source}".encode()

    def provenance(self, project: NormalizedName, filename: str, sha256: str = "") -> bytes:
        """Return a text that names the remote."""
        self.open(project, filename, sha256)
        return f"provenance from {self.source}".encode()


def page_file(filename: str, *, by: str) -> PageFile:
    """Return the line of a wheel or sdist whose bytes are `by`'s own."""
    is_wheel = filename.endswith(".whl")
    version = filename.split("-")[1].removesuffix(".tar.gz")
    return PageFile(
        filename=filename,
        version=version,
        sha256=hashlib.sha256(f"{filename} by {by}".encode()).hexdigest(),
        size=1,
        uploaded_at=None,
        requires_python="",
        metadata_sha256="",
        yanked_reason=None,
        kind="wheel" if is_wheel else "sdist",
        python_tag="py3" if is_wheel else "source",
    )


def make_remote(house: House, key: str, *, keeps_names: bool = False, **upstream) -> Repository:
    """Make a remote of the house; nothing stands behind its URL."""
    remote = make_repository(house.tenant, key, Kind.REMOTE)
    configure.save_upstream(
        Upstream(
            repository=remote,
            index_url="https://upstream.example/",
            names_are_kept=keeps_names,
            **upstream,
        ),
        by=SYSTEM,
    )
    return Repository.objects.select_related("tenant", "upstream").get(pk=remote.pk)


def make_virtual(house: House, key: str, members: Sequence[Repository | Member] = ()) -> Repository:
    """Make a virtual of the house over `members`."""
    virtual = make_repository(house.tenant, key, Kind.VIRTUAL)
    if members:
        configure.set_members(virtual, members, by=SYSTEM)
    return virtual


def ever_had(remote: Repository, project: str, *, scope: str = "") -> None:
    """Note that the upstream of a remote has once served a project."""
    UpstreamPage.objects.get_or_create(
        repository=remote, scope=scope, normalized=project, defaults={"was_ever_served": True}
    )


def files_of(index: VirtualIndex, project: str) -> list[str]:
    """Return the names of the files that the page of a project shows."""
    return [file.filename for file in index.page(parse_name(project)).files]


def put_file(local: Repository, name: str, version: str) -> Distribution:
    """Write the rows of a wheel whose bytes are the local's own, without any bytes."""
    line = page_file(f"{name.replace('-', '_')}-{version}-py3-none-any.whl", by=str(local))
    now = clock.now()
    with transaction.atomic():
        project, _ = Project.objects.get_or_create(
            repository=local, normalized=name, defaults={"name": name, "created_at": now}
        )
        project.let_go_at = None
        project.save()
        parsed = parse_filename(line.filename, name=name, version=version)
        release = Release.objects.create(
            project=project,
            version=version,
            canonical=version,
            version_key=version_key(parsed.version),
            created_at=now,
        )
        blob = Blob.objects.create(
            tenant=local.tenant,
            sha256=line.sha256,
            size=1,
            storage_key=line.sha256,
            named_at=now,
        )
        row = Distribution.objects.create(
            repository=local,
            release=release,
            blob=blob,
            path=line.filename,
            filename=line.filename,
            identity=parsed.identity,
            kind=parsed.kind,
            size=1,
            sha256=line.sha256,
            uploaded_at=now,
        )
        contents_changed(project)
    return row
