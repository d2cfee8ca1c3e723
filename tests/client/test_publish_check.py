"""What is refused before a byte of it is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from larder_client.problems import Problem
from larder_client.publish import check
from tests.dists import make_sdist, make_wheel, zip_of


def test_wheels_and_sdists_go(tmp_path: Path) -> None:
    for name, content in (make_wheel("frog", "1.0"), make_sdist("frog", "1.0")):
        path = tmp_path / name
        path.write_bytes(content)
        check(path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("frog.whl", b"", "is not the name"),
        ("frog-1.0-py3-any.whl", b"", "is not the name"),
        ("README.md", b"", "is not the name"),
        ("frog-1.0.tar.bz2", b"", "is not the name"),
        ("frog-1.0-py3-none-any.whl", b"", "no zip archive"),
        ("frog-1.0.tar.gz", b"no archive", "no tar archive"),
        ("frog-1.0-py3-none-any.whl", zip_of({"frog.py": b""}), "no metadata"),
    ],
)
def test_what_the_server_would_refuse_is_not_sent(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Problem, match=sentence):
        check(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is no file"):
        check(tmp_path)
