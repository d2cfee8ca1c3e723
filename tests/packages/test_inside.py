"""What is inside a file: its tree page by page, text in windows, members without the rest."""

from __future__ import annotations

import io

import pytest

from packages.archive import ArchiveRefused, limits
from packages.archive.members import TooFarInside, beginning_of_member
from packages.inside.texts import LINES_AT_MOST, lines_of, text_of, window
from packages.inside.tree import NODES_AT_MOST, shelf
from packages.reading import Member
from packages.tags import tags_in_words
from tests.dists import tar_of, zip_of


class Counted(io.BytesIO):
    """A file that counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return bytes, and count them."""
        data = super().read(size)
        self.count += len(data)
        return data


def beginning(name: str, data: bytes, path: str, most: int = 100) -> bytes | None:
    return beginning_of_member(io.BytesIO(data), name, len(data), path, at_most=most)


def test_a_small_archive_is_a_whole_tree() -> None:
    found = shelf([Member("a/b/c.py", 3), Member("a/d.py", 4), Member("e.py", 5)])
    assert found is not None
    assert [(node.path, node.depth, node.size) for node in found.nodes] == [
        ("a/", 0, 7), ("a/b/", 1, 3), ("a/b/c.py", 2, 3), ("a/d.py", 1, 4), ("e.py", 0, 5),
    ]  # fmt: skip


def test_a_large_folder_comes_page_by_page() -> None:
    members = [Member(f"many/{number:05}.txt", 1) for number in range(100_000)]
    seen, after = [], ""
    for _ in range(3):
        found = shelf(members, "many/", after)
        assert found is not None
        assert len(found.nodes) == NODES_AT_MOST
        seen += [node.path for node in found.nodes]
        after = found.after
    assert seen == [member.path for member in members[: 3 * NODES_AT_MOST]]


def test_a_path_of_a_thousand_folders_breaks_nothing() -> None:
    found = shelf([Member("a/" * 2000 + "b", 1)])
    assert found is not None
    assert len(found.nodes) < 20


def test_text_comes_in_windows_of_lines() -> None:
    lines = lines_of("\n".join(map(str, range(4000))))
    first = window(lines)
    assert (len(first.lines), first.before, first.after) == (LINES_AT_MOST, 0, LINES_AT_MOST + 1)
    assert window(lines, 10**9).lines[0][1] == "3999"
    assert window([]).lines == ()


def test_a_cut_character_costs_no_text_and_bytes_are_none() -> None:
    assert text_of("grün".encode()[:3], is_cut=True) == "gr"
    assert text_of("grün".encode()[:3]) is None
    assert text_of(b"a\0b") is None


def test_of_a_zip_only_the_directory_and_the_member_are_read() -> None:
    data = zip_of({"big.bin": bytes(range(256)) * 40_000, "small.txt": b"here"}, compression=0)
    file = Counted(data)
    assert beginning_of_member(file, "a.zip", len(data), "small.txt", at_most=100) == b"here"
    assert file.count < 2_000
    assert beginning("a.zip", data, "nothing") is None


def test_damage_is_told_and_a_bomb_is_cut_short() -> None:
    data = zip_of({"a.txt": b"frog" * 1000})
    at = data.index(b"a.txt") + 10
    broken = data[:at] + b"\xff\xff\xff" + data[at + 3 :]
    with pytest.raises(ArchiveRefused):
        beginning("a.zip", broken, "a.txt", 10_000)
    bomb = zip_of({"a.txt": bytes(50_000_000)})
    assert beginning("a.zip", bomb, "a.txt", 1000) == bytes(1000)


def test_a_tar_is_read_up_to_the_member_and_no_farther_than_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tar_of({"a": b"first", "b": bytes(500_000), "c": b"last"})
    assert beginning("a.tar.gz", data, "a") == b"first"
    assert beginning("a.tar.gz", data, "c") == b"last"
    monkeypatch.setattr(limits, "PASSED_BYTES", 100_000)
    assert beginning("a.tar.gz", data, "a") == b"first"
    with pytest.raises(TooFarInside):
        beginning("a.tar.gz", data, "c")


@pytest.mark.parametrize(
    ("filename", "words"),
    [
        ("a-1-cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
         "Linux, glibc 2.17+, x86-64"),
        ("a-1-cp313-cp313t-macosx_11_0_arm64.whl", "macOS 11.0+, arm64"),
        ("a-1-py3-none-win_amd64.whl", "Windows, x86-64"),
        ("a-1-py3-none-any.whl", "any platform"),
    ],
)  # fmt: skip
def test_tags_are_told_in_words(filename: str, words: str) -> None:
    assert tags_in_words(filename)[2].words == words
    assert tags_in_words("a-1.tar.gz") == []
