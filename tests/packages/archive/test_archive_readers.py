"""Whatever the gate lets in has the members that the gate sees in every reader of clients."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from packages.filenames import DistributionName, Kind, parse_filename
from repos.rules import Rules
from tests.archives.cases import Case, slugs
from tests.archives.good import GOOD
from tests.archives.hostile import ARCHIVES
from tests.archives.reading import (
    seen_by_gnu_tar,
    seen_by_python,
    seen_by_the_gate,
    seen_by_unzip,
)
from tests.clients import client_environment
from tests.parts.missing import installed_by_apt, missing

# What goes in somewhere.
ACCEPTED = (*GOOD, *(case for case in ARCHIVES if not case.is_refused_by(Rules.COMPATIBLE)))


def kind_of(case: Case) -> Kind:
    return parse_filename(case.filename, name=case.name, version=case.version).kind


ZIPS = tuple(
    case
    for case in ACCEPTED
    if kind_of(case) is Kind.WHEEL or case.filename.endswith((".zip", ".egg"))
)
TARS = tuple(case for case in ACCEPTED if case not in ZIPS)
# One requires a file that is not there, which uv wants to see even without dependencies; of the
# other's metadata it reads no more than it must, but that.
NOT_FOR_UV = {
    "metadata-requires-dist-file",
    "metadata-old-and-requires-python-of-2000-clauses",
}
WHEELS = tuple(case for case in ZIPS if kind_of(case) is Kind.WHEEL and case.slug not in NOT_FOR_UV)
UV = Path(sys.executable).parent / "uv"
WRITTEN_BY_UV = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def spooled(case: Case, folder: Path) -> tuple[Path, DistributionName]:
    """Return an upload as a file, and what its name says."""
    path = folder / case.filename
    path.write_bytes(case.content())
    return path, parse_filename(case.filename, name=case.name, version=case.version)


@pytest.fixture(scope="session")
def unzip() -> str:
    """The path of Info-ZIP's unzip."""
    if shutil.which("unzip") is None:
        installed_by_apt("unzip")
    return shutil.which("unzip") or missing("unzip", "install it with `apt install unzip`")


@pytest.mark.parametrize("case", ACCEPTED, ids=slugs(ACCEPTED))
def test_python_sees_what_the_gate_sees(tmp_path: Path, case: Case) -> None:
    path, named = spooled(case, tmp_path)
    assert seen_by_python(path, is_zip=case in ZIPS) == seen_by_the_gate(path, named)


@pytest.mark.parts
@pytest.mark.parametrize("case", ZIPS, ids=slugs(ZIPS))
def test_unzip_sees_what_the_gate_sees(unzip: str, tmp_path: Path, case: Case) -> None:
    path, named = spooled(case, tmp_path)
    assert seen_by_unzip(unzip, path) == seen_by_the_gate(path, named)
    subprocess.run([unzip, "-tqq", str(path)], check=True)


@pytest.mark.parametrize("case", WHEELS, ids=slugs(WHEELS))
def test_uv_installs_what_zipfile_lists(tmp_path: Path, case: Case) -> None:
    # By another tag, because uv refuses what is for other machines.
    stem = "-".join(case.filename.split("-")[:2])
    wheel, target = tmp_path / f"{stem}-py3-none-any.whl", tmp_path / "target"
    wheel.write_bytes(case.content())
    done = subprocess.run(
        [
            *(str(UV), "pip", "install", "--offline", "--no-deps", "--no-cache"),
            *("--target", str(target), str(wheel)),
        ],
        env=client_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    installed = {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file() and not path.name.startswith(".lock")
    }
    for name, data in members_of(wheel.read_bytes()).items():
        if not name.endswith(("/", "/RECORD")) and ".data/" not in name:
            assert installed.pop(name) == data
    added = {name for name in installed if ".dist-info/" not in name}
    assert added <= {"bin/Green", "bin/frog", "bin/frog-fu.x"}
    assert {name.rpartition("/")[2] for name in installed.keys() - added} <= WRITTEN_BY_UV


@pytest.mark.parametrize("case", TARS, ids=slugs(TARS))
def test_gnu_tar_sees_what_the_gate_sees(tmp_path: Path, case: Case) -> None:
    path, named = spooled(case, tmp_path)
    assert seen_by_gnu_tar(path) == seen_by_the_gate(path, named)
