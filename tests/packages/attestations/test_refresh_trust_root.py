"""The command that fetches a trust root: what is signed is written, and over its like alone."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from packages.attestations.sigstore_checks import Checks
from tests.sigstores import Sigstore, the_sigstore
from tests.tuf_repositories import TufRepository
from tests.upstreams import Reply, Server, serving

OURS = json.dumps(the_sigstore().trust_root()).encode()
NAME = "trusted_root.json"


@pytest.fixture(scope="module")
def repository() -> TufRepository:
    """A repository; what it hands out, each test says."""
    return TufRepository()


@pytest.fixture
def server() -> Iterator[Server]:
    """Where it is."""
    with serving() as server:
        yield server


@pytest.fixture
def first(repository: TufRepository, tmp_path: Path) -> Path:
    """What it is trusted by at first."""
    path = tmp_path / "root.json"
    path.write_bytes(repository.root)
    return path


def refresh(server: Server, *arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command("refresh_trust_root", *arguments, url=server.url, stdout=out, **options)
    return out.getvalue().strip()


def refusal(server: Server, *arguments: Any, **options: Any) -> str:
    with pytest.raises(CommandError) as refused:
        refresh(server, *arguments, **options)
    return str(refused.value)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_fetched_and_verifies(
    repository: TufRepository, server: Server, first: Path, tmp_path: Path, settings: Any
) -> None:
    repository.serve(server, {NAME: OURS})
    settings.SIGSTORE_TRUST_ROOT = path = tmp_path / "larder.json"
    url = server.url.rstrip("/")
    assert refresh(server, root=first) == f"{path} is the newest trust root of {url} now."
    assert path.read_bytes() == OURS
    assert Checks(str(path))
    assert refresh(server, root=first) == f"{path} is the newest trust root of {url} already."
    assert names_in(tmp_path) == ["larder.json", "larder.json.tuf", "root.json"]


def test_an_older_one_is_replaced_but_not_that_of_another_sigstore(
    repository: TufRepository, server: Server, first: Path, tmp_path: Path
) -> None:
    repository.serve(server, {NAME: OURS})
    path = tmp_path / "larder.json"
    path.write_text(json.dumps(the_sigstore().trust_root() | {"tlogs": []}))
    refresh(server, path, root=first)
    assert path.read_bytes() == OURS
    other = Sigstore().write_trust_root(path).read_bytes()
    assert refusal(server, path, root=first) == (
        f"{path} is of another Sigstore. Move it away to replace it."
    )
    assert path.read_bytes() == other
    path.write_text("my notes")
    assert "another Sigstore" in refusal(server, path, root=first)
    assert names_in(tmp_path) == ["larder.json", "larder.json.tuf", "root.json"]


def test_what_is_not_signed_is_not_written(
    repository: TufRepository, server: Server, first: Path, tmp_path: Path
) -> None:
    path, url = tmp_path / "larder.json", server.url.rstrip("/")
    TufRepository().serve(server, {NAME: OURS})
    assert refusal(server, path, root=first).startswith(f"What {url} has is not to be trusted: ")
    repository.serve(server, {NAME: OURS}, expires=datetime(2026, 1, 1, tzinfo=UTC))
    assert "is not to be trusted: timestamp.json is expired" in refusal(server, path, root=first)
    repository.serve(server, {NAME: OURS})
    for name in server.replies:
        if name.startswith("/targets/"):
            server.replies[name] = Reply(OURS.replace(b"acme", b"emca"))
    assert "is not to be trusted: " in refusal(server, path, root=first)
    repository.serve(server, {NAME: b"{}"})
    assert refusal(server, path, root=first) == "What came is no trust root of a Sigstore."
    repository.serve(server, {"other.json": OURS})
    assert refusal(server, path, root=first) == f"{url} has no trusted_root.json."
    assert not path.exists()


def test_what_was_taken_back_is_not_trusted_again(
    repository: TufRepository, server: Server, first: Path, tmp_path: Path
) -> None:
    path, url = tmp_path / "larder.json", server.url.rstrip("/")
    older = json.dumps(the_sigstore().trust_root(), indent=1).encode()
    repository.serve(server, {NAME: older})
    before = dict(server.replies)
    refresh(server, path, root=first)
    repository.serve(server, {NAME: OURS})
    refresh(server, path, root=first)
    server.replies |= before
    assert refusal(server, path, root=first).startswith(f"What {url} has is not to be trusted: ")
    assert path.read_bytes() == OURS


@pytest.mark.parametrize(("before", "after"), [(None, 0o644), (0o600, 0o644), (0o664, 0o664)])
def test_who_serves_may_read_it_whoever_fetches_it(
    repository: TufRepository,
    server: Server,
    first: Path,
    tmp_path: Path,
    before: int | None,
    after: int,
) -> None:
    repository.serve(server, {NAME: OURS})
    path = tmp_path / "larder.json"
    if before is not None:
        path.write_text(json.dumps(the_sigstore().trust_root() | {"tlogs": []}))
        path.chmod(before)
    others = os.umask(0o077)
    try:
        refresh(server, path, root=first)
    finally:
        os.umask(others)
    assert stat.S_IMODE(path.stat().st_mode) == after


def test_what_cannot_be_reached_or_written_is_said(
    repository: TufRepository, server: Server, first: Path, tmp_path: Path, settings: Any
) -> None:
    path, url = tmp_path / "larder.json", server.url.rstrip("/")
    settings.SIGSTORE_TRUST_ROOT = None
    assert refusal(server, root=first) == (
        "Name a file to write it to, or set LARDER_SIGSTORE_TRUST_ROOT."
    )
    assert refusal(server, path) == f"Say with --root what {url} is trusted by at first."
    assert refusal(server, path, root=tmp_path / "none") == (
        f"{tmp_path / 'none'}: No such file or directory."
    )
    assert refusal(server, path, root=first).startswith(f"{url} cannot be reached: ")
    repository.serve(server, {NAME: OURS})
    missing = tmp_path / "none" / "larder.json"
    assert refusal(server, missing, root=first).endswith(": No such file or directory.")
    assert names_in(tmp_path) == ["larder.json.tuf", "root.json"]
