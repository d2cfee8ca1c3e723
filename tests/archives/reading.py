"""What an archive holds, as the gate understands it and as the readers of clients do."""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from packages.archive.gate import open_contents
from packages.archive.judgement import Judgement
from packages.filenames import DistributionName
from repos.models import GIB
from repos.rules import Rules

UTF8 = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.environ["PATH"]}
_TAR = shutil.which("gtar") or "tar"


@dataclass
class Members:
    """The paths of an archive, without "./" in front or "/" behind; a hard link is a file."""

    files: dict[str, int] = field(default_factory=dict)  # with their sizes
    folders: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)  # with the paths they lead to

    def add(self, kind: str, name: str, size: int, target: str = "") -> None:
        """Take a member; `kind` is the letter that `tar -tv` has for it."""
        path = name.removeprefix("./").removesuffix("/")
        match kind:
            case "d":
                self.folders |= {path} - {"", "."}
            case "-":
                assert path not in self.files
                self.files[path] = size
            case "h":
                self.files[path] = self.files[target.removeprefix("./")]
            case "l":
                self.links[path] = posixpath.normpath(
                    posixpath.join(posixpath.dirname(path), target)
                )
            case _:
                raise AssertionError(kind)


def seen_by_the_gate(path: Path, named: DistributionName) -> Members:
    """Return what the gate makes of an archive that it lets in."""
    with path.open("rb") as file:
        judgement = Judgement(named.filename, Rules.COMPATIBLE, 4 * GIB, path.stat().st_size)
        contents = open_contents(file, judgement)
        contents.check_every_byte()
        tree = contents.tree
    return Members(tree.files, tree.folders, tree.links)


def seen_by_python(path: Path, *, is_zip: bool) -> Members:
    """Return what zipfile or tarfile makes of an archive."""
    members = Members()
    if is_zip:
        with zipfile.ZipFile(path) as opened:
            assert opened.testzip() is None
            for info in opened.infolist():
                members.add("d" if info.is_dir() else "-", info.filename, info.file_size)
        return members
    kinds = {tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.LNKTYPE: "h"}
    kinds |= {tarfile.REGTYPE: "-", tarfile.AREGTYPE: "-"}
    with tarfile.open(path) as tar:
        for member in tar:
            kind = kinds.get(member.type, "?")
            members.add(kind, member.name, member.size, member.linkname)
    return members


def seen_by_gnu_tar(path: Path) -> Members:
    """Return what GNU tar makes of an archive."""
    verbosely = ("--numeric-owner", "--quoting-style=literal", "-tvf")
    listed = subprocess.run(
        [_TAR, *verbosely, str(path)], capture_output=True, check=True, env=UTF8
    )
    assert listed.stderr == b"" or b"A lone zero block" in listed.stderr
    members = Members()
    for line in listed.stdout.decode().splitlines():
        mode, _, size, _, _, name = line.split(maxsplit=5)
        divider = {"l": " -> ", "h": " link to "}.get(mode[0], "\0")
        name, _, target = name.partition(divider)
        members.add(mode[0], name, int(size), target)
    return members


def seen_by_unzip(unzip: str, path: Path) -> Members:
    """Return what Info-ZIP makes of an archive."""
    listed = subprocess.run([unzip, "-qql", str(path)], capture_output=True, check=True, env=UTF8)
    assert listed.stderr == b""
    members = Members()
    for line in listed.stdout.decode().splitlines():
        size, _, _, name = line.split(maxsplit=3)
        members.add("d" if name.endswith("/") else "-", name, int(size))
    return members
