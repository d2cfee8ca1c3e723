"""Large pages as files: each is there as long as it is held, and no longer."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pypi import large_pages
from pypi.large_pages import LargePages
from tests.clients import ROOT

BODY = b"x" * 100_000
PREFIX = "/-/pages"
_LIVE = """
import sys
from pathlib import Path
from pypi.large_pages import LargePages
held = LargePages(Path(sys.argv[1]), "/p").lay_down(b"x" * 100_000)
print(held.location, flush=True)
sys.stdin.read()
"""


def files_in(folder: Path) -> list[str]:
    """Return all files there, as nginx is told of them."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return [f"{PREFIX}/{path.relative_to(folder)}" for path in found]


def test_a_page_is_there_as_long_as_it_is_held(tmp_path: Path) -> None:
    pages = LargePages(tmp_path / "pages", PREFIX)
    first, second = pages.lay_down(BODY), pages.lay_down(BODY)
    assert first is not None
    assert second is not None
    assert first.location != second.location
    assert sorted(files_in(tmp_path / "pages")) == sorted([first.location, second.location])
    assert first.size == len(BODY)
    assert (tmp_path / first.location.removeprefix("/-/")).read_bytes() == BODY
    del first
    assert files_in(tmp_path / "pages") == [second.location]


def test_a_small_page_is_none(tmp_path: Path) -> None:
    pages = LargePages(tmp_path, PREFIX)
    assert pages.lay_down(b"x" * 1000) is None
    assert files_in(tmp_path) == []


def test_what_cannot_be_written_is_none(tmp_path: Path) -> None:
    pages = LargePages(tmp_path, PREFIX)
    next(tmp_path.iterdir()).rmdir()
    assert pages.lay_down(BODY) is None


def test_who_moves_in_removes_what_the_dead_have_left_and_nothing_of_the_living(
    tmp_path: Path,
) -> None:
    (tmp_path / "no folder").write_text("somebody's")
    living = _another(tmp_path)
    dead = _another(tmp_path)
    locations = [_location_of(each) for each in (living, dead)]
    assert len(files_in(tmp_path)) == 3
    dead.kill()
    dead.communicate()
    LargePages(tmp_path, PREFIX)
    assert sorted(files_in(tmp_path)) == sorted([locations[0], f"{PREFIX}/no folder"])
    living.communicate("")
    LargePages(tmp_path, PREFIX)
    assert files_in(tmp_path) == [f"{PREFIX}/no folder"]


def _another(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds a page in `folder`."""
    return subprocess.Popen(
        [sys.executable, "-c", _LIVE, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _location_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip().replace("/p/", f"{PREFIX}/")


def test_nginx_is_told_of_what_it_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Whatever the umask is; and nobody else finds out what there is."""
    monkeypatch.setattr(large_pages, "_LARGE", 1)
    before = os.umask(0o077)
    request.addfinalizer(lambda: os.umask(before))
    page = LargePages(tmp_path / "pages", PREFIX).lay_down(b"x")
    assert page is not None
    path = tmp_path / page.location.removeprefix("/-/")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o711
