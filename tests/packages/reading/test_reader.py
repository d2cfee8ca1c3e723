"""The process that reads: bounded, replaced when it is lost, and gone with whoever asks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from packages.reading import Limits, Reader, ReadingFailed
from packages.reading.limits import MIB, SECONDS_AT_MOST, seconds_for
from tests.archives.tars import bz, member, sdist_of
from tests.clients import ROOT
from tests.dists import make_sdist, make_wheel
from tests.processes import WITHIN, is_running, wait_until

# Says which process reads, and goes on as its argument says.
PARENT = """
import pathlib, sys, threading, time
from packages.reading import Reader
reader = Reader()
reader.read(pathlib.Path(sys.argv[1]), "frog-1.0-py3-none-any.whl")
busy = threading.Thread(target=reader.read, args=(pathlib.Path(sys.argv[2]), "frog-1.0.tar"))
busy.daemon = True
if sys.argv[3] == "busy":
    busy.start()
print(reader.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A small wheel."""
    path = tmp_path / "wheel"
    path.write_bytes(make_wheel("frog", "1.0")[1])
    return path


@pytest.fixture
def never(tmp_path: Path) -> Path:
    """A file that nobody gets to the end of: a pipe into which nothing is ever written."""
    path = tmp_path / "never"
    os.mkfifo(path)
    return path


def pid_of(reader: Reader) -> int:
    assert reader.pid
    return reader.pid


def read_wheel(reader: Reader, path: Path) -> str:
    metadata = reader.read(path, "frog-1.0-py3-none-any.whl").facts["metadata"]
    return f"{metadata['name']} {metadata['version']}"


def failure(reader: Reader, path: Path, filename: str = "frog-1.0.tar.gz") -> str:
    with pytest.raises(ReadingFailed) as failed:
        reader.read(path, filename)
    return failed.value.sentence


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_one_process_reads_many_archives(wheel: Path) -> None:
    with Reader() as reader:
        assert read_wheel(reader, wheel) == "frog 1.0"
        first = pid_of(reader)
        assert {read_wheel(reader, wheel) for _ in range(20)} == {"frog 1.0"}
        assert pid_of(reader) == first
    assert not is_running(first)


def test_two_readers_have_a_process_each(wheel: Path) -> None:
    with Reader() as one, Reader() as other:
        assert read_wheel(one, wheel) == read_wheel(other, wheel)
        assert pid_of(one) != pid_of(other)


def test_a_refused_archive_costs_no_process(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"<html>Sign in</html>")
    with Reader() as reader:
        read_wheel(reader, wheel)
        first = pid_of(reader)
        assert "it is a web page" in failure(reader, tmp_path / "page")
        assert "must end in one of .whl" in failure(reader, wheel, "setup.exe")
        assert read_wheel(reader, wheel) == "frog 1.0"
        assert pid_of(reader) == first


def test_a_process_that_was_killed_is_replaced(wheel: Path) -> None:
    with Reader() as reader:
        read_wheel(reader, wheel)
        first = pid_of(reader)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: not is_running(first))
        assert read_wheel(reader, wheel) == "frog 1.0"
        assert pid_of(reader) != first


def test_a_process_that_is_killed_while_it_reads_is_one_failure(wheel: Path, never: Path) -> None:
    with Reader() as reader:
        read_wheel(reader, wheel)
        first = pid_of(reader)
        threading.Timer(0.3, os.kill, (first, signal.SIGKILL)).start()
        assert failure(reader, never) == (
            "'frog-1.0.tar.gz' broke the process that reads archives (signal 9)."
        )
        with pytest.raises(ChildProcessError):  # it was waited for: no zombie
            os.waitpid(first, os.WNOHANG)
        assert read_wheel(reader, wheel) == "frog 1.0"


def test_what_waits_too_long_is_one_failure(wheel: Path, never: Path) -> None:
    with Reader(Limits(seconds=0.5)) as reader:
        read_wheel(reader, wheel)
        began = time.monotonic()
        assert failure(reader, never) == "'frog-1.0.tar.gz' takes longer than 0.5 s to read."
        assert time.monotonic() - began < WITHIN
        assert read_wheel(reader, wheel) == "frog 1.0"


def test_what_computes_too_long_is_stopped_by_the_kernel(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    noise = random.Random(7).randbytes(8 * MIB)  # noqa: S311 - the same bytes every time
    slow.write_bytes(bz(sdist_of(member("frog-1.0/noise", noise))))
    with Reader(Limits(seconds=0.1)) as reader:
        monkeypatch.setattr("packages.reading.reader.PATIENCE", 1000)  # the clock on the wall waits
        monkeypatch.setattr("packages.reading.limits.BYTES_PER_FURTHER_SECOND", 1000 * MIB)
        sentence = failure(reader, slow, "frog-1.0.tar.bz2")
        assert sentence == "'frog-1.0.tar.bz2' takes longer than 0.108 s to read."
        assert read_wheel(reader, wheel) == "frog 1.0"


def test_a_larger_file_may_take_longer_up_to_a_bound() -> None:
    assert seconds_for(0, Limits()) == 30
    assert seconds_for(80 * MIB, Limits()) == 40
    assert seconds_for(10**12, Limits()) == SECONDS_AT_MOST


def test_a_large_asker_makes_no_large_process(wheel: Path) -> None:
    held = bytearray(os.urandom(300 * MIB))
    with Reader() as reader:
        readme = wheel.with_name("readme")
        readme.write_bytes(make_wheel("frog", "1.0", description="x")[1])
        reader.read(readme, "frog-1.0-py3-none-any.whl")
        first = reader.pid
        assert first
        reader.read(readme, "frog-1.0-py3-none-any.whl")
        assert reader.pid == first
    assert held


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not bound private memory")
def test_what_takes_too_much_memory_is_one_failure(wheel: Path, tmp_path: Path) -> None:
    hungry = tmp_path / "hungry"
    hungry.write_bytes(make_sdist("frog", "1.0", description="green frogs\n" * 600_000)[1])
    with Reader(Limits(memory=64 * MIB)) as reader:
        assert read_wheel(reader, wheel) == "frog 1.0"
        first = pid_of(reader)
        assert failure(reader, hungry) == (
            "'frog-1.0.tar.gz' takes more than 64 MiB of memory to read."
        )
        assert read_wheel(reader, wheel) == "frog 1.0"
        assert pid_of(reader) != first


def test_a_readme_that_takes_too_long_is_shown_as_it_stands(tmp_path: Path, wheel: Path) -> None:
    rows = "".join(f"\n{'=' * 9} {'=' * 9}\n{n:<9} <b>\n{'=' * 9} {'=' * 9}\n" for n in range(900))
    path = tmp_path / "tables"
    path.write_bytes(make_wheel("frog", "1.0", description=rows)[1])
    with Reader(Limits(readme_seconds=0.1)) as reader:
        read = reader.read(path, "frog-1.0-py3-none-any.whl")
        assert read.facts["readme"] == {
            "source": "Description",
            "format": "plain",
            "reason": "Rendering takes more than 0.1 s.",
        }
        assert read.readme_html.startswith("<pre>")
        assert "&lt;b&gt;" in read.readme_html
        assert read_wheel(reader, wheel) == "frog 1.0"


def test_a_mistake_of_ours_costs_one_archive(wheel: Path, tmp_path: Path) -> None:
    with Reader() as reader:
        assert "cannot be read (Is a directory)" in failure(reader, tmp_path)
        assert read_wheel(reader, wheel) == "frog 1.0"


def test_no_descriptor_is_left_open(wheel: Path, never: Path) -> None:
    with Reader() as reader:
        read_wheel(reader, wheel)
    before = descriptors()
    for _ in range(3):
        with Reader(Limits(seconds=0.2)) as reader:
            read_wheel(reader, wheel)
            failure(reader, never)
            read_wheel(reader, wheel)
            os.kill(pid_of(reader), signal.SIGKILL)
            failure(reader, never)
    assert descriptors() == before


@pytest.mark.parametrize("does", ["idle", "busy"])
def test_the_process_ends_with_whoever_asks_even_by_kill_9(
    wheel: Path, never: Path, does: str
) -> None:
    asking = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(wheel), str(never), does],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asking.stdout
    with asking, asking.stdout:
        reading = int(asking.stdout.readline())
        assert is_running(reading)
        asking.kill()
    try:
        wait_until(lambda: not is_running(reading))
    finally:
        with suppress(ProcessLookupError):
            os.kill(reading, signal.SIGKILL)


def test_it_imports_no_django_and_is_told_no_secret(wheel: Path) -> None:
    imported = (
        "import sys, packages.reading.child\n"
        "assert 'docutils' in sys.modules\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'django']\n"
    )
    subprocess.run([sys.executable, "-c", imported], cwd=ROOT, check=True)
    if not Path("/proc").is_dir():
        return
    os.environ["LARDER_CANARY"] = "a secret"
    with Reader() as reader:
        read_wheel(reader, wheel)
        environment = Path(f"/proc/{pid_of(reader)}/environ").read_bytes()
    del os.environ["LARDER_CANARY"]
    assert b"LARDER" not in environment
