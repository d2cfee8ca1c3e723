"""The real `pip search` in all three kinds of repository: what it finds, prints and fails with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xmlrpc.client import ServerProxy

import pytest

from tests import dists
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import Machine, signed_in, twine
from tests.journeys.remotes import make_remote
from tests.journeys.test_remote_upstreams import devpi

_INDEXED_WITHIN = 60  # seconds; devpi does it beside its answers
_FOUND_NOTHING = 23  # pip's exit code
_MAKE_VIRTUAL = """
import json, sys
import django
django.setup()
from accounts.models import Tenant
from base.audit import SYSTEM
from repos import configure
from repos.models import Kind, Member, Repository
key, members = json.loads(sys.argv[1])
tenant = Tenant.objects.get(slug="acme")
virtual = Repository(tenant=tenant, key=key, kind=Kind.VIRTUAL)
configure.create_repository(virtual, by=SYSTEM)
places = [
    Member(repository=Repository.objects.get(tenant=tenant, key=each), scope=scope)
    for each, scope in members
]
configure.set_members(virtual, places, by=SYSTEM)
"""


def wheel(name: str, version: str, summary: str) -> tuple[str, bytes]:
    return dists.make_wheel(name, version, extra_headers=[f"Summary: {summary}"])


@pytest.fixture
def shelf(embedded: Larder, machine: Machine) -> Repository:
    """A local with two versions of frog-fu and one of bull-frog."""
    repository = embedded.repository()
    folder = machine.folder("dist")
    for name, version, summary in (
        ("frog-fu", "1.2", "Frogs for functional units"),
        ("frog-fu", "1.10", "Frogs for functional units"),
        ("bull-frog", "2.0", "A large one"),
    ):
        filename, content = wheel(name, version, summary)
        (folder / filename).write_bytes(content)
    machine.run(*twine(repository.url, sorted(folder.iterdir()), token=embedded.writer))
    return repository


def searched(machine: Machine, url: str, token: str | None, *words: str) -> str:
    """Return what pip prints for words that are found."""
    return machine.run("pip", "search", "--index", signed_in(url, token) if token else url, *words)


def test_a_local_is_searched(embedded: Larder, machine: Machine, shelf: Repository) -> None:
    said = searched(machine, shelf.url, embedded.reader, "frog")
    assert said.splitlines() == [
        "frog-fu (1.10)   - Frogs for functional units",
        "bull-frog (2.0)  - A large one",
    ]


def test_pip_says_what_is_installed_and_what_is_the_latest(
    embedded: Larder, machine: Machine, shelf: Repository
) -> None:
    index, folder = signed_in(shelf.simple, embedded.reader), str(machine.folder("installed"))
    machine.run("pip", "install", "--index-url", index, "--target", folder, "frog-fu==1.2")
    machine.variables["PYTHONPATH"] = folder
    lines = searched(machine, shelf.url, embedded.reader, "frog-fu").splitlines()
    assert [line.split() for line in lines[1:]] == [["INSTALLED:", "1.2"], ["LATEST:", "1.10"]]


def test_nothing_found_is_said_by_the_exit_code(
    embedded: Larder, machine: Machine, shelf: Repository
) -> None:
    said, code = tried(machine, signed_in(shelf.url, embedded.reader), "newt")
    assert (said, code) == ("", _FOUND_NOTHING)


def test_who_may_not_read_is_told_so(embedded: Larder, machine: Machine, shelf: Repository) -> None:
    said, code = tried(machine, signed_in(shelf.url, embedded.stranger), "frog")
    assert code == 1
    assert "XMLRPC request failed [code: 403]" in said
    assert f"There is no repository {shelf.name} that you may use." in said
    nowhere = signed_in(f"{embedded.url}/acme/nowhere/", embedded.reader)
    assert "There is no repository acme/nowhere." in tried(machine, nowhere, "frog")[0]
    said, code = tried(machine, shelf.url, "frog")
    assert code != 0
    assert "401" in said or "User for" in said


def tried(machine: Machine, url: str, *words: str) -> tuple[str, int]:
    """Return what pip prints, and its exit code."""
    done = machine.tries("pip", "search", "--index", url, *words)
    return done.stdout, done.returncode


@pytest.fixture(scope="module")
def stage() -> Iterator[dict[str, Any]]:
    """A devpi with frog and toad in root/dev, both of which its own search finds by now."""
    with devpi() as settings:
        until = time.monotonic() + _INDEXED_WITHIN
        with ServerProxy(f"{settings['index_url']}root/dev/") as own:
            while not all(own.search({"name": [name]}, "or") for name in ("frog", "toad")):
                assert time.monotonic() < until
                time.sleep(0.2)
        yield settings


def test_a_remote_is_searched_by_scope_with_its_upstream(
    embedded: Larder, machine: Machine, stage: dict[str, Any]
) -> None:
    remote = make_remote(embedded, "devpi-search", **stage)
    scope = f"{remote.url}root/dev/"
    assert "toad (1.5)" in searched(machine, scope, embedded.reader, "toad")
    said, code = tried(machine, signed_in(f"{remote.url}other/", embedded.reader), "toad")
    assert (code, "There is no repository acme/devpi-search/other." in said) == (1, True)
    # What was installed through it is found in any case.
    index = signed_in(f"{scope}simple/", embedded.reader)
    machine.run("pip", "download", "--no-deps", "--index-url", index, "toad")
    assert "toad (1.5)" in searched(machine, scope, embedded.reader, "toad")


def test_a_virtual_is_searched_and_keeps_our_names(
    embedded: Larder, machine: Machine, shelf: Repository, stage: dict[str, Any]
) -> None:
    make_remote(embedded, "devpi-behind", **stage)
    filename, content = wheel("frog", "0.1", "Ours, and older than theirs")
    path = machine.home / filename
    path.write_bytes(content)
    machine.run(*twine(shelf.url, [path], token=embedded.writer))
    key = urlsplit(shelf.url).path.strip("/").partition("/")[2]
    members = [[key, ""], ["devpi-behind", "root/dev"]]
    embedded.python(_MAKE_VIRTUAL, json.dumps(["search-all", members]))
    virtual = f"{embedded.url}/acme/search-all/"
    assert "toad (1.5)" in searched(machine, virtual, embedded.reader, "toad")
    frogs = searched(machine, virtual, embedded.reader, "frog").splitlines()
    assert frogs[0].startswith("frog (0.1)"), frogs
    assert not any("1.0" in line for line in frogs)
