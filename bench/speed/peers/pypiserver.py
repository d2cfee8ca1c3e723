"""pypiserver over a folder, under gunicorn with two processes, as its manual advises.

It has passwords and no tokens. They come from a file of hashes, each of which takes longer than a
page; here it is told one password, which flatters it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.speed.corpus import Corpus
from bench.speed.peers.running import Ground, Peer, Running, basic, timed_server
from tests.clients import client
from tests.parts.processes import Server, private_folder

_PASSWORD = "pypiserver's"  # noqa: S105 - of this bench alone
_APPLICATION = """
import pathlib, pypiserver
application = pypiserver.app(
    roots=[pathlib.Path({folder!r})],
    authenticate=["download", "list", "update"],
    auther=lambda user, password: password == {password!r},  # codespell:ignore auther
    disable_fallback=True,
)
"""


@contextmanager
def start(ground: Ground) -> Iterator[Sequence[Running]]:
    """Run one over the wheels, and one over the many projects of the root list."""
    password = basic("bench", _PASSWORD)
    with private_folder("pypiserver") as folder:
        files = _in_one_folder(ground.corpus, folder / "files")
        many = ground.corpus.make_root_folders()
        page = f"/simple/{ground.corpus.hot}/"
        with (
            _over(files, folder / "one.py", page, password) as (one, seconds),
            _over(many, folder / "other.py", "/", password) as (other, _),
        ):
            url = f"http://127.0.0.1:{one.port}/"
            yield [
                Running(
                    "pypiserver",
                    pids=(one.pid,),
                    start_seconds=seconds,
                    index=f"{url}simple/",
                    root=f"http://127.0.0.1:{other.port}/simple/",
                    upload=url,
                    reader=password,
                    writer=password,
                    notes=("a password instead of a token",),
                )
            ]


def _in_one_folder(corpus: Corpus, folder: Path) -> Path:
    """Let all wheels appear in a folder, by hard links; return the folder.

    In one: it watches each that it has, and while it begins to watch several it can stand still.
    """
    folder.mkdir()
    for wheel in corpus.wheels():
        (folder / wheel.name).hardlink_to(wheel.path)
    return folder


@contextmanager
def _over(
    files: Path, application: Path, page: str, password: str
) -> Iterator[tuple[Server, float]]:
    application.write_text(_APPLICATION.format(folder=str(files), password=_PASSWORD))
    program = client("pypiserver", "upstreams").with_name("gunicorn")
    options = ["--no-control-socket", "--worker-class", "gthread", "--workers", "2"]
    options += ["--threads", "8", "--timeout", "300", "--chdir", str(application.parent)]

    def command(port: int) -> list[str]:
        bound = ["--bind", f"127.0.0.1:{port}"]
        return [str(program), *options, *bound, f"{application.stem}:application"]

    with timed_server("pypiserver-log", command, page, password) as running:
        yield running


PEER = Peer(("pypiserver",), start, pinned="pypiserver")
