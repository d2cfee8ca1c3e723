"""Imports of folders: what is taken, what is told, and going on after a break."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from packages.imports import Import
from packages.long_work import lately_in, state_of
from packages.models import Distribution, FolderImport
from tests.cast import Cast
from tests.conftest import MovableClock
from tests.dists import make_sdist, make_wheel


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good archives, one of them deeper, a broken one, and what is no archive."""
    for below, (name, content) in (
        ("", make_wheel("frog", "1.0")),
        ("old/deep", make_sdist("toad", "2.0")),
        ("old", ("newt-1.0-py3-none-any.whl", b"PK")),
        ("", ("notes.txt", b"x")),
        ("", (".frog-2.0.tar.gz", b"half of it")),
    ):
        place = tmp_path / below
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return tmp_path


def run(folder: Path, *more: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_folder", "acme/local", str(folder), *more, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_every_archive_is_published_and_what_is_wrong_is_listed_at_the_end(
    cast: Cast, folder: Path
) -> None:
    said, failed = run(folder, "team=red", "--as", cast.acme.writer.user.username)
    assert "2 published, 0 there already, 1 refused, in acme/local." in said
    assert "old/newt-1.0-py3-none-any.whl: 'newt-1.0-py3-none-any.whl'" in said
    assert failed == "1 of 3 files were not published."
    rows = Distribution.objects.order_by("filename")
    assert [(str(row.release), row.uploaded_by) for row in rows] == [
        ("frog 1.0", "wes"),
        ("toad 2.0", "wes"),
    ]
    for row in rows:
        assert row.properties.filter(name="team", value="red", origin="person").exists()


def test_an_import_that_was_broken_off_goes_on_where_it_was(cast: Cast, folder: Path) -> None:
    (folder / "old" / "newt-1.0-py3-none-any.whl").unlink()
    files = sorted(folder.rglob("*-*.*"))[-2:]
    work = Import(cast.acme.repository, files, {}, by=cast.acme.writer.principal)
    steps = work.steps()
    next(steps)
    steps.close()  # its process ends
    row = FolderImport.objects.get()
    assert (row.files_done, row.published, state_of(row)) == (1, 1, "broken off")
    said, failed = run(folder, "--as", "wes")
    assert not failed
    assert "1 published, 1 there already, 0 refused" in said
    assert Distribution.objects.count() == 2


def test_the_page_shows_how_far_it_is(
    cast: Cast, folder: Path, client: Client, time: MovableClock
) -> None:
    run(folder, "--as", "wes")
    client.force_login(cast.acme.writer.user)
    page = client.get("/acme/local/-/extraction/").content.decode()
    assert "Imports of folders" in page
    assert "3 of 3" in page
    assert "ended" in page
    FolderImport.objects.update(ended_at=None)
    assert state_of(FolderImport.objects.get()) == "running"
    time.move(seconds=3600)
    assert state_of(FolderImport.objects.get()) == "stopped"
    time.move(seconds=24 * 3600)
    assert not lately_in(cast.acme.repository, FolderImport).exists()


def test_what_cannot_be_imported_is_said_in_a_sentence(cast: Cast, tmp_path: Path) -> None:
    assert "There is no archive" in run(tmp_path, "--as", "wes")[0]
    assert "is no folder" in run(tmp_path / "no", "--as", "wes")[1]
    assert "There is no user nobody" in run(tmp_path, "--as", "nobody")[1]
    name, content = make_wheel("frog", "1.0")
    (tmp_path / name).write_bytes(content)
    refused = run(tmp_path, "--as", cast.acme.reader.user.username)[1]
    assert "You may read acme/local but not publish to it" in refused
    assert not Distribution.objects.exists()
