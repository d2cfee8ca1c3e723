"""What the page that explains says pip takes is what pip takes: it is asked for each machine."""

from __future__ import annotations

import pytest

from packages.index.base import PageFile
from packages.pip_choice import PLATFORMS, PYTHONS, choose
from tests import dists
from tests.journeys.larder import Larder
from tests.journeys.machine import Machine, signed_in, twine

# Each release settles another question.
TAGS = {
    "1.0": ["py3-none-any"],
    "1.1": ["cp310-cp310-manylinux_2_17_x86_64", "cp312-cp312-win_amd64", "py3-none-any"],
    "1.2": ["cp312-abi3-manylinux_2_28_aarch64", "cp39-abi3-macosx_11_0_arm64"],
    "1.3": ["cp313-cp313-musllinux_1_2_x86_64", "cp311-cp311-macosx_10_9_universal2"],
    "1.4": ["cp314-cp314-manylinux_2_34_x86_64", "py314-none-any"],
    "2.0rc1": ["py3-none-any"],
}
REQUIRES = {"1.1": ">=3.10", "1.3": "!=3.13.0"}


@pytest.mark.parametrize("python", PYTHONS)
def test_pip_takes_the_same(python: str, embedded: Larder, machine: Machine) -> None:
    repository = embedded.repository()
    folder = machine.folder("dist")
    page = []
    for version, tags in TAGS.items():
        requires = REQUIRES.get(version, "")
        headers = [f"Requires-Python: {requires}"] if requires else []
        for tag in tags:
            name, content = dists.make_wheel("frog", version, tag=tag, extra_headers=headers)
            (folder / name).write_bytes(content)
            page.append(
                PageFile(
                    filename=name,
                    version=version,
                    sha256="",
                    size=None,
                    uploaded_at=None,
                    requires_python=requires,
                    metadata_sha256="",
                    yanked_reason=None,
                    kind="wheel",
                    python_tag="",
                )
            )
    machine.run(*twine(repository.url, sorted(folder.iterdir()), token=embedded.writer))
    index = signed_in(repository.simple, embedded.reader)
    for slug, platform in PLATFORMS.items():
        taken = machine.folder(f"taken-{slug}")
        options = [option for tag in platform.tags for option in ("--platform", tag)]
        machine.run(
            *("pip", "download", "--no-deps", "-i", index, "--dest", str(taken)),
            *("--python-version", python, "--implementation", "cp", *options, "frog"),
        )
        (file,) = taken.iterdir()
        choice = choose(page, python=python, platform=slug)
        assert choice.taken is not None
        assert file.name == choice.taken.filename, (slug, choice.why)
