"""pypi-simple, a strict reader, reads every page: what HTML and JSON say is what was published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from pypi_simple import (
    ACCEPT_HTML_ONLY,
    ACCEPT_JSON_ONLY,
    DistributionPackage,
    ProjectPage,
    PyPISimple,
)

from tests import dists
from tests.journeys.admin import Admin
from tests.journeys.distributions import distributions, paths
from tests.journeys.larder import ADMIN_PASSWORD, Larder, Repository
from tests.journeys.machine import Machine, digests, twine
from tests.journeys.wire import Content, upload

# Every sort of name, version, tag and archive, beside the real distributions.
MADE = (
    dists.make_wheel("frog", "1.0", requires_python=">=3.8,<4", requires_dist=["six>=1"]),
    dists.make_sdist("frog", "1.0", requires_python=">=3.8,<4"),
    dists.make_wheel("frog", "1!2.0.post1.dev3"),
    dists.make_wheel("frog", "2.0rc1", tag="cp311-abi3-manylinux_2_28_x86_64", build="7"),
    dists.make_wheel("frog", "1.0+acme.1", tag="py2.py3-none-any"),
    dists.make_wheel("pond", "1.0", description="Wet & <green> ünïcode"),
    dists.make_wheel("pond", "1.1"),
    dists.make_wheel("Zope.Interface_x", "1.0"),
    dists.make_sdist("old-toad", "0.1", metadata_version="1.1"),
    dists.make_sdist("toad-dynamic", "0.1", dynamic=["Requires-Dist"]),
    dists.make_wheel("archived-frog", "1.0"),
    dists.make_wheel("deprecated-frog", "1.0"),
    dists.make_wheel("quarantined-frog", "1.0"),
    dists.make_wheel("gone-frog", "1.0"),
)
# What twine no longer takes, as older clients sent it.
OLD = (
    ("oldest", "0.1", "bdist_egg", dists.make_egg("oldest", "0.1", requires_python=">=2.7")),
    ("oldest", "0.1", "sdist", dists.make_sdist("oldest", "0.1", format="zip")),
    ("oldest", "0.2", "sdist", dists.make_sdist("oldest", "0.2", format="tar.bz2")),
)
STATUSES = {
    "archived-frog": ("archived", "It has left <the> pond & will not return"),
    "deprecated-frog": ("deprecated", ""),
    "quarantined-frog": ("quarantined", "It bites"),
}


@dataclass(frozen=True)
class Library:
    """A repository full of files, and the reader that takes JSON or HTML only."""

    repository: Repository
    published: dict[str, tuple[str, int]]  # SHA-256 and size, by file name
    json: PyPISimple
    html: PyPISimple

    def pages(self, project: str) -> tuple[ProjectPage, ProjectPage]:
        """Return both pages of a project."""
        return self.json.get_project_page(project), self.html.get_project_page(project)


@pytest.fixture(scope="module")
def library(production: Larder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library with all of the above, some of it yanked, deleted or closed by an administrator."""
    repository = production.repository()
    machine = Machine(tmp_path_factory.mktemp("librarian"))
    folder, old_folder = machine.folder("dist"), machine.folder("old")
    for name, content in MADE:
        (folder / name).write_bytes(content)
    everything = [*sorted(folder.iterdir()), *paths(distributions())]
    machine.run(*twine(repository.url, everything, token=production.writer))
    for name, version, filetype, (filename, content) in OLD:
        path = old_folder / filename
        path.write_bytes(content)
        sent = upload(
            repository.url,
            production.writer,
            Content.of(path),
            name=name,
            version=version,
            filetype=filetype,
        )
        assert sent == (200, "OK"), filename
        everything.append(path)
    _curate(production, digests(folder))
    published = {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for path in everything
        if not path.name.startswith(("gone_frog", "quarantined_frog"))
    }
    with ExitStack() as stack:
        readers = [
            stack.enter_context(
                PyPISimple(repository.simple, auth=("__token__", production.reader), accept=accept)
            )
            for accept in (ACCEPT_JSON_ONLY, ACCEPT_HTML_ONLY)
        ]
        yield Library(repository, published, *readers)


def _curate(production: Larder, sha256: dict[str, str]) -> None:
    with Admin(production.url, "admin", ADMIN_PASSWORD) as admin:

        def file(name: str) -> str:
            return admin.find("packages/distribution", sha256[name])

        admin.save(file("pond-1.0-py3-none-any.whl"), yanked=True, yanked_reason='It "leaks" <&')
        admin.save(file("pond-1.1-py3-none-any.whl"), yanked=True)
        gone = file("gone_frog-1.0-py3-none-any.whl").replace("/change/", "/delete/")
        admin.save(gone, post="yes")
        for name, (status, reason) in STATUSES.items():
            project = admin.find("packages/project", name)
            admin.save(project, status=status, status_reason=reason)


def test_the_root_lists_every_project_alike(library: Library) -> None:
    as_json, as_html = library.json.get_index_page(), library.html.get_index_page()
    assert as_json.projects == as_html.projects
    assert {"gone-frog", "quarantined-frog", "Zope.Interface_x", "six"} <= set(as_json.projects)
    assert as_json.repository_version == as_html.repository_version == "1.4"
    assert as_json.last_serial == as_html.last_serial


def test_every_project_page_says_the_same_in_html_and_json(library: Library) -> None:
    for project in library.json.get_index_page().projects:
        as_json, as_html = library.pages(project)
        assert as_json.project == canonicalize_name(project)
        assert (as_json.status, as_json.status_reason) == (as_html.status, as_html.status_reason)
        assert as_json.last_serial == as_html.last_serial
        assert list(map(said, as_json.packages)) == list(map(said, as_html.packages))


def test_every_file_is_listed_as_it_was_published(library: Library) -> None:
    pages = [library.json.get_project_page(name) for name in library.json.get_index_page().projects]
    listed = {
        package.filename: (package.digests["sha256"], package.size)
        for page in pages
        for package in page.packages
    }
    assert listed == library.published
    for page in pages:
        assert all(package.upload_time is not None for package in page.packages)
        # Local versions and epochs too: each file's own version is among those of the project.
        assert {package.version for package in page.packages} <= set(page.versions or [])


def test_files_and_their_metadata_hold_to_their_digests(library: Library, tmp_path: Path) -> None:
    packages = [
        package
        for name in library.html.get_index_page().projects
        for package in library.html.get_project_page(name).packages
    ]
    for package in packages:
        target = tmp_path / package.filename
        library.html.download_package(package, target, verify=True)
        assert hashlib.sha256(target.read_bytes()).hexdigest() == package.digests["sha256"]
        if package.package_type == "wheel":
            assert package.has_metadata, package.filename
        if package.has_metadata:
            metadata = library.html.get_package_metadata_bytes(package, verify=True)
            assert b"\nName: " in metadata
    told = {package.filename for package in packages if package.has_metadata}
    assert "frog-1.0.tar.gz" in told  # Metadata 2.2, nothing dynamic
    assert not {"old_toad-0.1.tar.gz", "toad_dynamic-0.1.tar.gz"} & told


def test_what_an_administrator_marked_is_on_both_pages(library: Library) -> None:
    for page in library.pages("pond"):
        leaking, silent = page.packages
        assert leaking.is_yanked
        assert leaking.yanked_reason == 'It "leaks" <&'
        assert silent.is_yanked
    for name, marked in STATUSES.items():
        for page in library.pages(name):
            assert (page.status, page.status_reason or "") == marked
            assert bool(page.packages) == (name != "quarantined-frog")
    assert all(page.packages == [] for page in library.pages("gone-frog"))
    for page in library.pages("frog"):
        assert {package.requires_python for package in page.packages} == {None, ">=3.8,<4"}


def said(package: DistributionPackage) -> tuple[object, ...]:
    """Return what both forms of a page say of a file."""
    # An empty reason is not read as a mark everywhere, so HTML says "yanked" then.
    reason = None if package.yanked_reason == "yanked" else package.yanked_reason
    return (
        *(package.filename, package.url, package.project, package.version, package.package_type),
        *(package.digests, package.requires_python, package.is_yanked, reason),
        *(package.has_metadata, package.metadata_digests),
    )
