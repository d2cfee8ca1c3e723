"""Publishing files: all are looked at before the first is sent."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from larder_client.accounts import signed_in
from larder_client.api import Api, Json
from larder_client.output import bar, note, show
from larder_client.problems import Problem

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
# PEP 427: name, version, an optional build tag that begins with a digit, three tags.
_WHEEL = re.compile(rf"{_NAME}-[^-]+(-[0-9][^-]*)?-[^-]+-[^-]+-[^-]+\.whl", re.ASCII)
_SDIST = re.compile(rf"{_NAME}-[^-]+\.(tar\.gz|zip)", re.ASCII)
_SHOWN = ("filename", "repository", "size", "result")


class _Watched(io.BufferedReader):
    """A file that tells how much of it has been read."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(io.FileIO(path))
        self._tell_read = tell

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and tell."""
        data = super().read(size)
        self._tell_read(self.tell())
        return data


def publish(asked: Namespace) -> None:
    """Publish wheels and sdists."""
    paths = [Path(name) for name in asked.files]
    for path in paths:
        check(path)
    api = signed_in(asked)
    tenant, key = asked.to
    api.get("repositories", tenant, key)  # better refused now than after a long upload
    rows = []
    for path in paths:
        answer = _send(api, (tenant, key), path)
        rows.append(_row(answer))
        for sentence in answer["notes"]:
            note(sentence)
    show(rows, _SHOWN, as_json=asked.json)


def check(path: Path) -> None:
    """Refuse what the server would refuse for its name or its kind. Raises Problem."""
    if not path.is_file():
        raise Problem(f"There is no file {path}.")
    is_wheel = _WHEEL.fullmatch(path.name)
    if not is_wheel and not _SDIST.fullmatch(path.name):
        raise Problem(f"{path.name} is not the name of a wheel or of an sdist.")
    is_zip = path.suffix in {".whl", ".zip"}
    if not (zipfile.is_zipfile(path) if is_zip else tarfile.is_tarfile(path)):
        raise Problem(f"{path.name} is no {'zip' if is_zip else 'tar'} archive, or is broken.")
    if is_wheel:
        with zipfile.ZipFile(path) as wheel:
            if not any(name.endswith(".dist-info/METADATA") for name in wheel.namelist()):
                raise Problem(f"{path.name} has no metadata: it is no wheel.")


def _send(api: Api, repository: tuple[str, str], path: Path) -> Json:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    size = path.stat().st_size
    where = ("repositories", *repository, "upload", path.name)
    with _Watched(path, lambda sent: bar(path.name, sent, size)) as body:
        return api.upload(where, body, size, digest.hexdigest())


def _row(answer: Json) -> Json:
    result = "published" if answer["created"] else "was there already"
    return {**answer["file"], "result": result}
