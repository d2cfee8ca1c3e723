"""The tree of a repository: its projects, their versions and files, a branch at a time.

The left side is a tree, the right side shows what is selected. Each node has a URL of its own;
without scripts the tree is a list to drill down. `static/js/tree.js` asks for parts of the page:
`?part=tree` for the branches below a node, `?part=node` for the right side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.authentication import caller_of
from accounts.principal import Principal
from accounts.roles import Role
from packages import shelves
from packages.filenames import NameRefused, NormalizedName, parse_name
from packages.index.base import FileNotFound, PageFile, ProjectNotFound
from packages.index.held import decided
from packages.index.opening import open_kept
from packages.index.virtual import entered, page_order, version_order
from packages.models import Distribution, Document, Project
from packages.pages.frame import frame, heading
from packages.shelves import Wanted
from repos.access import admitted
from repos.models import Kind, Repository
from repos.virtuals import Source, itself

_PROJECTS_AT_ONCE = 100
_BRANCHES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of the tree with the nodes below it, as far as they are shown."""

    kind: str  # project, version, file; more: leads to the next nodes of its level
    label: str
    url: str
    note: str = ""  # what is to be said beside the label
    is_selected: bool = False
    # None: not looked at yet; a file has none.
    below: Sequence[Branch] | None = None

    @property
    def is_leaf(self) -> bool:
        """Say whether nothing can be below it."""
        return self.kind in {"file", "more"}


@dataclass(frozen=True, slots=True)
class File:
    """A file of a project as the tree shows it."""

    file: PageFile
    source: Source | None  # in a virtual: where it comes from
    is_held: bool  # else: known of upstream, not fetched yet


@dataclass(frozen=True, slots=True)
class Named:
    """One project of the repository: what its index says of it, newest version first."""

    name: NormalizedName
    status: str
    status_reason: str
    versions: dict[str, list[File]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the URL selects."""

    repository: Repository
    named: Named | None
    version: str = ""
    filename: str = ""
    is_known: bool = False  # among what is known of upstream

    def url(self, *path: str, **query: str) -> str:
        """Return the URL of another node of this tree."""
        there = [self.repository.tenant.slug, self.repository.key, *path]
        query = query | ({"known": "1"} if self.is_known else {})
        found = reverse("browse", args=there)
        return f"{found}?{urlencode(query)}" if query else found


@require_safe
def browse_page(
    request: HttpRequest, tenant: str, key: str, project: str = "", version: str = ""
) -> HttpResponse:
    """Show the tree with what the URL selects; or a part of it, to the script of the page."""
    principal = caller_of(request)
    come_in = admitted(principal, tenant, key, Role.READER)
    chosen = _chosen(request, principal, come_in.repository, project, version)
    part = request.GET.get("part", "")
    around = frame(come_in) if part else heading(come_in)
    context = around | {"chosen": chosen, "contains": _contains(request)}
    if part != "node":
        context["branches"] = _branches(request, principal, chosen, is_part=part == "tree")
    if part == "tree":
        return render(request, "packages/browse_branches.html", context)
    context |= _selected(chosen)
    return render(
        request, "packages/browse_node.html" if part == "node" else "packages/browse.html", context
    )


def _contains(request: HttpRequest) -> str:
    return request.GET.get("filter", "").strip()[:200]


def _chosen(
    request: HttpRequest, by: Principal, repository: Repository, project: str, version: str
) -> Chosen:
    """Return what the URL selects. Raises ProjectNotFound, FileNotFound."""
    is_known = repository.kind == Kind.REMOTE and request.GET.get("known") == "1"
    if not project:
        return Chosen(repository, None, is_known=is_known)
    named = _named(repository, project, by)
    filename = request.GET.get("file", "")
    if version and version not in named.versions:
        raise FileNotFound(f"There is no version {version} of {named.name} in {repository}.")
    if filename and filename not in [
        each.file.filename for each in named.versions.get(version, ())
    ]:
        raise FileNotFound(f"There is no such file of {named.name} {version} in {repository}.")
    return Chosen(repository, named, version, filename, is_known=is_known)


def _named(repository: Repository, project: str, by: Principal) -> Named:
    """Return one project as the index has it; no upstream is asked."""
    missing = ProjectNotFound(f"There is no such project in {repository}.")
    try:
        name = parse_name(project)
    except NameRefused:
        raise missing from None
    if repository.kind == Kind.VIRTUAL:
        where, readable = entered(repository, by)
        decision = decided(
            where,
            name,
            readable,
            open_kept,
            holds=False,
        ).decision
        if not decision.shown and not decision.is_ours:
            raise missing
        lines: list[tuple[PageFile, Source | None]] = [
            (line.file, line.source) for line in decision.shown
        ]
        marked = next((page for page in decision.pages if page.files), None)
        status = (marked.status, marked.status_reason) if marked else (Project.Status.ACTIVE, "")
        held: set[str] | None = None
    else:
        source = itself(repository)
        page = open_kept(source).page(name)
        lines = [(file, None) for file in page.files]
        status = page.status, page.status_reason
        held = _held(repository, name) if repository.kind == Kind.REMOTE else None
    versions: dict[str, list[File]] = defaultdict(list)
    for file, origin in sorted(lines, key=lambda line: page_order(line[0]), reverse=True):
        is_held = held is None or file.filename in held
        versions[file.version].append(File(file, origin, is_held))
    in_order = sorted(versions, key=version_order, reverse=True)
    return Named(name, *status, {version: versions[version] for version in in_order})


def _held(repository: Repository, name: NormalizedName) -> set[str]:
    rows = Distribution.objects.filter(
        repository=repository,
        release__project__scope="",
        release__project__normalized=name,
        deleted_at__isnull=True,
    )
    return set(rows.values_list("filename", flat=True))


def _branches(
    request: HttpRequest, by: Principal, chosen: Chosen, *, is_part: bool
) -> Sequence[Branch]:
    """Return the nodes that the tree shows: of the whole of it, or below the selected one."""
    named, after = chosen.named, request.GET.get("after", "")
    if is_part and named is not None:
        if chosen.version:
            return _files(chosen, chosen.version)
        return _versions(chosen, after)
    before = Branch("more", "All projects", chosen.url())
    if named is not None and chosen.repository.kind == Kind.VIRTUAL:
        # What it shows of one name is decided in many questions already.
        return [before, _opened(_project(chosen, named.name, named.status), chosen)]
    wanted = Wanted(contains=_contains(request), after=after)
    first = _projects(chosen, by, wanted)
    if named is None or any(each.label == named.name for each in first):
        return [_opened(each, chosen) for each in first]
    # It stands further on in the list: what comes before it is a step away.
    own = _opened(_project(chosen, named.name, named.status), chosen)
    return [before, own, *_projects(chosen, by, Wanted(after=named.name))]


def _projects(chosen: Chosen, by: Principal, wanted: Wanted) -> list[Branch]:
    """Return a page of projects, and a node that leads to the next ones."""
    repository = chosen.repository
    if chosen.is_known:
        page = shelves.known_upstream(repository, wanted, limit=_PROJECTS_AT_ONCE)
    elif repository.kind == Kind.VIRTUAL:
        where, readable = entered(repository, by)
        page = shelves.in_virtual(where.tree, readable, wanted, limit=_PROJECTS_AT_ONCE)
    else:
        page = shelves.in_repository(repository, wanted, limit=_PROJECTS_AT_ONCE)
    found = [
        _project(chosen, item.normalized, item.status, str(item.source or ""))
        for item in page.items
        if not item.scope or item.source is not None
    ]
    if page.after:
        asked = {"filter": wanted.contains} if wanted.contains else {}
        found.append(Branch("more", "More projects", chosen.url(**asked, after=page.after)))
    return found


def _project(chosen: Chosen, name: str, status: str, source: str = "") -> Branch:
    said = source if status == Project.Status.ACTIVE else status
    return Branch("project", name, chosen.url(name), note=said)


def _opened(branch: Branch, chosen: Chosen) -> Branch:
    """Return a project with what is below it, where it is the one selected."""
    if chosen.named is None or branch.label != chosen.named.name:
        return branch
    return Branch(
        branch.kind,
        branch.label,
        branch.url,
        branch.note,
        is_selected=not chosen.version,
        below=_versions(chosen, ""),
    )


def _versions(chosen: Chosen, after: str) -> list[Branch]:
    assert chosen.named is not None  # noqa: S101 - a project is selected
    name, versions = chosen.named.name, list(chosen.named.versions)
    if after:  # where it stands, or would
        versions = [each for each in versions if version_order(each) < version_order(after)]
    end = _BRANCHES_AT_ONCE
    if chosen.version in versions[end:] and not after:
        end = versions.index(chosen.version) + 1
    found = [
        Branch(
            "version",
            version,
            chosen.url(name, version),
            note="yanked" if _is_yanked(chosen.named.versions[version]) else "",
            is_selected=version == chosen.version and not chosen.filename,
            below=_files(chosen, version) if version == chosen.version else None,
        )
        for version in versions[:end]
    ]
    if len(versions) > end:
        found.append(Branch("more", "More versions", chosen.url(name, after=versions[end - 1])))
    return found


def _is_yanked(files: Sequence[File]) -> bool:
    return all(each.file.yanked_reason is not None for each in files)


def _files(chosen: Chosen, version: str) -> list[Branch]:
    assert chosen.named is not None  # noqa: S101 - a project is selected
    name = chosen.named.name
    return [
        Branch(
            "file",
            each.file.filename,
            chosen.url(name, version, file=each.file.filename),
            note=_said_of(each),
            is_selected=each.file.filename == chosen.filename and version == chosen.version,
        )
        for each in sorted(chosen.named.versions[version], key=lambda each: each.file.filename)
    ]


def _said_of(file: File) -> str:
    if not file.is_held:
        return "not fetched yet"
    return "yanked" if file.file.yanked_reason is not None else ""


def _selected(chosen: Chosen) -> dict[str, object]:
    """Return what the right side shows of the selected node."""
    named = chosen.named
    if named is None:
        return {"kind": "repository"}
    versions = named.versions
    files = versions.get(chosen.version, [])
    if chosen.filename:
        file = next(each for each in files if each.file.filename == chosen.filename)
        return {"kind": "file", "selected": file} | _trail(chosen)
    if chosen.version:
        sizes = [each.file.size or 0 for each in files]
        return {"kind": "version", "files": files, "size": sum(sizes)} | _trail(chosen)
    return {
        "kind": "project",
        "count": sum(map(len, versions.values())),
        "newest": next(iter(versions), ""),
        "document": _document(chosen, named),
    } | _trail(chosen)


def _trail(chosen: Chosen) -> dict[str, object]:
    """Return where the selected node is, for the breadcrumb."""
    assert chosen.named is not None  # noqa: S101 - a project is selected
    steps = [("browse", chosen.url()), (chosen.named.name, chosen.url(chosen.named.name))]
    if chosen.version:
        steps.append((chosen.version, chosen.url(chosen.named.name, chosen.version)))
    if chosen.filename:
        steps.append((chosen.filename, ""))
    return {"trail": steps[:-1], "here": steps[-1][0]}


def _document(chosen: Chosen, named: Named) -> Document | None:
    """Return what is said of a project; of one in a virtual its own repository's page says it."""
    if chosen.repository.kind == Kind.VIRTUAL:
        return None
    rows = Document.objects.defer("about", "words").filter(
        project__repository=chosen.repository, project__scope="", project__normalized=named.name
    )
    return rows.first()
