"""What all contestants are filled with: the same wheels each time, byte for byte."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.dists import make_wheel
from tests.journeys.distributions import File

MIB = 1024 * 1024
LARGE, WEIGHTY = "large", "weighty"  # the project of very many files, and that of one big wheel


@dataclass(frozen=True)
class Sizes:
    """How much there is of everything."""

    projects: int = 1_000  # small ones
    files: int = 10  # of each of them
    large: int = 5_000  # files of the large one
    root: int = 100_000  # projects in the root list
    wheel_mib: int = 50  # of the wheel that is downloaded
    upload_mib: int = 200  # of the one that is uploaded
    uploads: int = 500  # small ones
    into_large: int = 100  # of them into the large project
    few: int = 10_000  # files that there are before growth
    many: int = 1_000_000  # and after it


FULL = Sizes()
SMALL = Sizes(
    projects=20,
    large=200,
    root=300,
    wheel_mib=5,
    upload_mib=10,
    uploads=24,
    into_large=8,
    few=1_000,
    many=20_000,
)


@dataclass(frozen=True)
class Wheel:
    """A wheel on disk."""

    project: str
    version: str
    path: Path

    @property
    def name(self) -> str:
        """Its file name."""
        return self.path.name


class Corpus:
    """The wheels, in one folder for each project, and folders without files for the root list."""

    def __init__(
        self, folder: Path, sizes: Sizes, real: Sequence[File] = (), *, with_root: bool = True
    ) -> None:
        self.sizes = sizes
        # The names of the root list, in order: it is an index of its own, and takes long to fill.
        self.root_names = [root_name(number) for number in range(sizes.root * with_root)]
        self.real_files = real  # distributions of well-known projects, for real clients
        self.packages, self.many, self._made = (
            folder / each for each in ("packages", "many", "made")
        )
        for each in (self.packages, self.many, self._made):
            each.mkdir()
        self.turns = count(1)  # for what must be new each time
        self.small = {
            name: [self._small(name, f"1.{number}") for number in range(sizes.files)]
            for name in map("small-{:04}".format, range(sizes.projects))
        }
        self.large = [self._small(LARGE, f"1.{number}") for number in range(sizes.large)]
        self.weighty = big_wheel(self._folder(self.packages, WEIGHTY), "1.0", sizes.wheel_mib)
        self.real = {each.name: [self._copied(each)] for each in real}

    @property
    def hot(self) -> str:
        """The small project that is asked for again and again."""
        return next(iter(self.small))

    def wheels(self) -> Iterator[Wheel]:
        """Yield all wheels."""
        for wheels in self.small.values():
            yield from wheels
        yield from self.large
        yield self.weighty
        for wheels in self.real.values():
            yield from wheels

    def projects(self) -> dict[str, list[Wheel]]:
        """Return all wheels, by project."""
        return {**self.small, LARGE: self.large, WEIGHTY: [self.weighty], **self.real}

    def make_root_folders(self) -> Path:
        """Make the root list as folders with an empty wheel in each, and return where they are."""
        for name in self.root_names:
            folder = self.many / name
            if not folder.exists():
                folder.mkdir()
                (folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl").touch()
        return self.many

    def to_upload(self, names: Sequence[str]) -> list[Wheel]:
        """Make a small wheel for each name, of a version that nobody has yet."""
        turn = next(self.turns)
        folder = self._folder(self._made, str(turn))
        return [_written(folder, name, f"2.{turn}.{number}") for number, name in enumerate(names)]

    def new_names(self, wheels: int, *, of_one: bool = False) -> list[str]:
        """Return names for so many wheels, of new projects of ten files each, or all `of_one`."""
        turn, files = next(self.turns), wheels if of_one else self.sizes.files
        return [f"new-{turn}-{number // files}" for number in range(wheels)]

    def big_to_upload(self) -> Wheel:
        """Make a big wheel of a version that nobody has yet."""
        turn = next(self.turns)
        return big_wheel(self._folder(self._made, "big"), f"2.{turn}", self.sizes.upload_mib)

    def _small(self, name: str, version: str) -> Wheel:
        return _written(self._folder(self.packages, name), name, version)

    def _copied(self, file: File) -> Wheel:
        path = self._folder(self.packages, file.name) / file.path.name
        shutil.copy(file.path, path)
        return Wheel(file.name, file.version, path)

    def _folder(self, within: Path, name: str) -> Path:
        folder = within / name
        folder.mkdir(exist_ok=True)
        return folder


def root_name(number: int) -> str:
    """Return the name of a project of the root list."""
    return f"many-{number:06}"


def big_wheel(folder: Path, version: str, mebibytes: int) -> Wheel:
    """Write a wheel with that much of noise in it."""
    noise = random.Random(mebibytes).randbytes(mebibytes * MIB)  # noqa: S311 - made-up data
    filename, content = make_wheel(WEIGHTY, version, files={f"{WEIGHTY}_data.bin": noise})
    path = folder / filename
    path.write_bytes(content)
    return Wheel(WEIGHTY, version, path)


def _written(folder: Path, name: str, version: str) -> Wheel:
    filename, content = make_wheel(
        name,
        version,
        requires_python=">=3.9",
        requires_dist=["toad>=1,<3", "newt; extra == 'fast'"],
        extra_headers=["Summary: measures what a frog has", "License: MIT"],
    )
    path = folder / filename
    path.write_bytes(content)
    return Wheel(name, version, path)
