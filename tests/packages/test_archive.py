"""Which bytes are read out of an archive, and which archives are refused unread."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import os
import pathlib
import random
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, cast

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from packages.archive import ArchiveRefused, limits, read_core_metadata
from packages.filenames import DistributionName, parse_filename
from packages.metadata import parse_core_metadata
from tests.dists import make_dumb, make_egg, make_metadata, make_sdist, make_wheel, tar_of, zip_of

INFO = "foo-1.0.dist-info"
WHEEL = "foo-1.0-py3-none-any.whl"
METADATA = make_metadata("foo", "1.0")
WHEEL_MEMBERS = {
    f"{INFO}/METADATA": METADATA,
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\n",
    f"{INFO}/RECORD": b"",
}
TARS = ("tar.gz", "tgz", "tar.bz2", "tar")
# What these archives have in common is no compression worth the name.
NOISE = random.Random(7).randbytes(300_000)  # noqa: S311 - the same bytes every time

Read = Callable[..., bytes | None]


@pytest.fixture
def read(tmp_path: pathlib.Path) -> Read:
    """Read a distribution's metadata from a spool file without any name of its own."""

    def read(
        filename: str, content: bytes, name: str = "foo", version: str = "1.0"
    ) -> bytes | None:
        path = tmp_path / "spool"
        path.write_bytes(content)
        return read_core_metadata(path, parse_filename(filename, name=name, version=version))

    return read


@pytest.fixture
def refusal(read: Read) -> Callable[..., str]:
    """Return the sentence with which a distribution is refused."""

    def refusal(filename: str, content: bytes, name: str = "foo", version: str = "1.0") -> str:
        with pytest.raises(ArchiveRefused) as refused:
            read(filename, content, name, version)
        sentence = refused.value.sentence
        assert filename in sentence
        assert sentence.isascii()
        assert sentence.isprintable()
        return sentence

    return refusal


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_wheels_metadata_is_returned_byte_by_byte(read: Read) -> None:
    raw = b"Metadata-Version: 2.1\r\nName: Foo.Bar\r\nVersion: 1.0\r\n\r\n\xff\0 odd\r"
    filename, content = make_wheel("Foo.Bar", "1.0", files={"foo_bar-1.0.dist-info/METADATA": raw})
    assert read(filename, content, "foo-bar") == raw


@pytest.mark.parametrize("format", [*TARS, "zip"])
def test_an_sdists_metadata_is_that_of_its_top_folder(read: Read, format: str) -> None:  # noqa: A002 - what setuptools calls it
    deeper = {"a.egg-info/PKG-INFO": b"Name: bar\n", "src/foo/PKG-INFO": b"Name: baz\n"}
    filename, content = make_sdist("foo", "1.0", format=format, files=deeper)
    raw = read(filename, content)
    assert raw is not None
    assert parse_core_metadata(raw).name == "foo"


@pytest.mark.parametrize("format", [*TARS, "zip"])
def test_an_old_sdist_may_lack_its_metadata(read: Read, format: str) -> None:  # noqa: A002 - as above
    filename, content = make_sdist("foo", "1.0", format=format, pkg_info=False)
    assert read(filename, content) is None


def test_an_egg_may_have_its_metadata_or_lack_it(read: Read) -> None:
    filename, content = make_egg("foo", "1.0", requires_python=">=2.7")
    assert read(filename, content) == members_of(content)["EGG-INFO/PKG-INFO"]
    assert read(*make_egg("foo", "1.0", pkg_info=False)) is None


@pytest.mark.parametrize("format", ["tar.gz", "zip"])
def test_a_dumb_archive_has_no_metadata(read: Read, format: str) -> None:  # noqa: A002 - as above
    assert read(*make_dumb("foo", "1.0", format=format)) is None


@pytest.mark.parametrize(
    "folder", ["Foo-1.0.dist-info", "FOO-1.0.0.dist-info", "foo-01.0.dist-info"]
)
def test_a_wheels_folder_may_be_spelled_otherwise(read: Read, folder: str) -> None:
    members = {path.replace(INFO, folder): text for path, text in WHEEL_MEMBERS.items()}
    assert read(WHEEL, zip_of(members)) == METADATA


def test_a_pax_archive_with_a_long_folder_name_is_read(tmp_path: pathlib.Path) -> None:
    for style in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        name = "f" * 150
        path = tmp_path / "spool"
        with tarfile.open(path, "w:gz", format=style, pax_headers={"comment": "x"}) as opened:
            add(opened, f"./{name}-1.0/{'d' * 120}/PKG-INFO", b"Name: bar\n")
            add(opened, f"./{name}-1.0/PKG-INFO", METADATA)
        named = parse_filename(f"{name}-1.0.tar.gz", name=name, version="1.0")
        assert read_core_metadata(path, named) == METADATA


def add(opened: tarfile.TarFile, path: str, content: bytes = b"", **fields: object) -> None:
    info = tarfile.TarInfo(path)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    opened.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL", "RECORD"])
def test_a_wheel_without_one_of_its_three_files_is_refused(
    refusal: Callable[..., str], missing: str
) -> None:
    members = {path: text for path, text in WHEEL_MEMBERS.items() if not path.endswith(missing)}
    assert f"lacks '{INFO}/{missing}'" in refusal(WHEEL, zip_of(members))


@pytest.mark.parametrize(
    ("folders", "says"),
    [
        ([], "0 .dist-info folders"),
        ([INFO, "bar-1.0.dist-info"], "2 .dist-info folders"),
        ([INFO, "Foo-1.0.dist-info"], "2 .dist-info folders"),
        (["bar-1.0.dist-info"], "not the one of version '1.0' of 'foo'"),
        (["foo-1.1.dist-info"], "not the one of version '1.0' of 'foo'"),
        (["vendored/foo-1.0.dist-info"], "0 .dist-info folders"),
    ],
)
def test_a_wheel_has_exactly_its_own_folder(
    refusal: Callable[..., str], folders: list[str], says: str
) -> None:
    members = {f"{folder}/{name}": METADATA for folder in folders for name in ("METADATA", "WHEEL")}
    assert says in refusal(WHEEL, zip_of({"foo.py": b"", **members}))


def test_a_member_given_twice_is_refused(refusal: Callable[..., str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for path, text in WHEEL_MEMBERS.items():
            opened.writestr(path, text)
        with pytest.warns(UserWarning, match="Duplicate"):
            opened.writestr(f"{INFO}/METADATA", b"Name: bar\n")
    assert "more than once" in refusal(WHEEL, packed.getvalue())


@pytest.mark.parametrize(
    ("filename", "content", "says"),
    [
        (WHEEL, b"", "is empty"),
        (WHEEL, b"\n<!DOCTYPE html><title>Sign in</title>", "it is a web page"),
        ("foo-1.0.tar", b"\xef\xbb\xbf<html>", "it is a web page"),
        (WHEEL, b"MZ\x90\0", "begins like no archive"),
        (WHEEL, tar_of({"a": b""}), "it begins like a gzip-compressed tar archive"),
        (WHEEL, tar_of({"a": b""}, format="tar"), "it begins like a tar archive"),
        ("foo-1.0.tar.gz", zip_of({"a": b""}), "it begins like a zip archive"),
        ("foo-1.0.tar.gz", tar_of({"a": b""}, format="tar.bz2"), "bzip2-compressed tar archive"),
        ("foo-1.0.tar.gz", tar_of({"a": b""}, format="tar"), "it begins like a tar archive"),
        ("foo-1.0.tar", tar_of({"a": b""}), "it begins like a gzip-compressed tar archive"),
        ("foo-1.0.zip", tar_of({"a": b""}), "is not a zip archive"),
        ("foo-1.0-py3.8.egg", tar_of({"a": b""}), "is not a zip archive"),
        ("foo-1.0.tar", b"just text\n" * 100, "damaged or cut short"),
        ("foo-1.0.tar.gz", gzip.compress(b"just text\n" * 100, mtime=0), "damaged or cut short"),
        ("foo-1.0.tar.bz2", bz2.compress(b"just text\n" * 100), "damaged or cut short"),
        ("foo-1.0.zip", zip_of({}), "holds no files"),
        ("foo-1.0.tar.gz", tar_of({}), "holds no files"),
        ("foo-1.0.linux-x86_64.tar.gz", b"MZ\x90\0", "begins like no archive"),
    ],
)
def test_what_is_not_the_archive_that_its_name_says_is_refused(
    refusal: Callable[..., str], filename: str, content: bytes, says: str
) -> None:
    assert says in refusal(filename, content)


@pytest.mark.parametrize("format", [*TARS, "zip"])
def test_an_archive_that_is_cut_short_is_refused(
    refusal: Callable[..., str],
    format: str,  # noqa: A002 - as above
) -> None:
    _, content = make_sdist("foo", "1.0", format=format, pkg_info=False, files={"n": NOISE})
    for end in (len(content) // 2, len(content) - 9000, len(content) - 10_240):
        assert "damaged or cut short" in refusal(f"foo-1.0.{format}", content[:end])


def test_a_tar_that_ends_between_two_members_is_refused(refusal: Callable[..., str]) -> None:
    _, content = make_sdist("foo", "1.0", format="tar", pkg_info=False)
    end = content.rstrip(b"\0")
    rounded = end.ljust(-(-len(end) // 512) * 512, b"\0")
    assert "damaged or cut short" in refusal("foo-1.0.tar", rounded)
    assert "damaged or cut short" in refusal("foo-1.0.tar", rounded + b"x" * 512 + b"\0" * 1024)


def test_a_tar_that_ends_within_its_metadata_is_refused(refusal: Callable[..., str]) -> None:
    content = tar_of({"foo-1.0/PKG-INFO": NOISE}, format="tar")
    assert "damaged or cut short" in refusal("foo-1.0.tar", content[:100_000])


def test_a_wheel_with_a_damaged_member_is_refused(refusal: Callable[..., str]) -> None:
    members = {**WHEEL_MEMBERS, f"{INFO}/METADATA": NOISE}
    content = zip_of(members, compression=zipfile.ZIP_STORED)
    damaged = content.replace(NOISE[1000:1050], bytes(50))
    assert damaged != content
    assert "damaged or cut short" in refusal(WHEEL, damaged)


def test_an_encrypted_member_is_refused(refusal: Callable[..., str]) -> None:
    content = bytearray(zip_of(WHEEL_MEMBERS))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    assert "encrypted" in refusal(WHEEL, bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_than_deflate_is_refused(
    refusal: Callable[..., str], method: int
) -> None:
    assert "only stored and deflated" in refusal(WHEEL, zip_of(WHEEL_MEMBERS, compression=method))


def test_a_stored_member_is_read(read: Read) -> None:
    assert read(WHEEL, zip_of(WHEEL_MEMBERS, compression=zipfile.ZIP_STORED)) == METADATA


def test_metadata_that_is_too_large_is_refused(refusal: Callable[..., str]) -> None:
    large = b"Name: foo\n" + bytes(limits.MAX_METADATA)
    assert "at most 16777216" in refusal(
        WHEEL, zip_of({**WHEEL_MEMBERS, f"{INFO}/METADATA": large})
    )
    assert "at most 16777216" in refusal("foo-1.0.tar.gz", tar_of({"foo-1.0/PKG-INFO": large}))


def test_metadata_of_just_the_largest_size_is_read(read: Read) -> None:
    large = bytes(limits.MAX_METADATA)
    assert read(WHEEL, zip_of({**WHEEL_MEMBERS, f"{INFO}/METADATA": large})) == large
    assert read("foo-1.0.tar.gz", tar_of({"foo-1.0/PKG-INFO": large})) == large


def test_a_flood_of_members_is_refused(
    refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_MEMBERS", 500)
    members = {f"foo-1.0/{number}": b"" for number in range(501)}
    assert "more than 500 members" in refusal("foo-1.0.zip", zip_of(members))
    assert "more than 500 members" in refusal("foo-1.0.tar.gz", tar_of(members))


def test_a_zip_directory_that_is_too_large_is_not_read(
    refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ZIP_DIRECTORY", 5000)
    members = {"a" * 3000: b"", "b" * 3000: b""}
    assert "has a directory of" in refusal("foo-1.0.zip", zip_of(members))


def test_a_tar_bomb_is_refused(refusal: Callable[..., str]) -> None:
    bomb = tar_of({"foo-1.0/zeros": bytes(limits.RATIO_FROM)})
    assert "200 times its size" in refusal("foo-1.0.tar.gz", bomb)


def test_an_archive_that_unpacks_to_too_much_is_refused(
    refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_UNPACKED", 100_000)
    assert "more than 100000 bytes" in refusal("foo-1.0.tar.gz", tar_of({"foo-1.0/n": NOISE}))
    assert "more than 100000 bytes" in refusal("foo-1.0.zip", zip_of({"foo-1.0/n": NOISE}))


def test_a_member_with_a_giant_header_is_refused(
    refusal: Callable[..., str], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "bomb"
    long = "x" * (limits.MAX_TAR_HEADER + 1)
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as opened:
        add(opened, "foo-1.0/a", pax_headers={"comment": long})
    assert "header is larger" in refusal("foo-1.0.tar.gz", path.read_bytes())
    with tarfile.open(path, "w:gz", format=tarfile.GNU_FORMAT) as opened:
        add(opened, long)
    assert "header is larger" in refusal("foo-1.0.tar.gz", path.read_bytes())


def test_a_flood_of_global_headers_is_refused(refusal: Callable[..., str]) -> None:
    headers = {f"larder.{number}": "x" for number in range(limits.MAX_GLOBAL_HEADERS + 1)}
    packed = io.BytesIO()
    with tarfile.open(
        fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers=headers
    ) as opened:
        add(opened, "foo-1.0/a")
    assert "global headers" in refusal("foo-1.0.tar.gz", packed.getvalue())


def test_a_chain_of_headers_without_a_member_is_refused(refusal: Callable[..., str]) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type = tarfile.XHDTYPE
    link = header.tobuf(tarfile.USTAR_FORMAT)
    refusal("foo-1.0.tar", link * 1500 + bytes(1024))


def test_many_members_do_not_stay_in_memory(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    inner = tarfile.TarFile.next

    def watched(self: tarfile.TarFile) -> tarfile.TarInfo | None:
        held.append(len(self.members))  # type: ignore[attr-defined]
        return inner(self)

    monkeypatch.setattr(tarfile.TarFile, "next", watched)
    read("foo-1.0.tar.gz", tar_of({f"foo-1.0/{number}": b"" for number in range(300)}))
    assert len(held) > 300
    assert max(held) <= 1


def test_reading_stops_at_the_metadata(read: Read) -> None:
    whole = tar_of({"foo-1.0/PKG-INFO": METADATA, "foo-1.0/n": NOISE})
    assert read("foo-1.0.tar.gz", whole[:100_000]) == METADATA


def test_metadata_that_is_a_link_is_refused(refusal: Callable[..., str]) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as opened:
            add(opened, "foo-1.0/PKG-INFO", type=kind, linkname="setup.py")
        assert "must be a plain file" in refusal("foo-1.0.tar.gz", packed.getvalue())


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_an_sdist_with_two_top_folders_is_refused(
    refusal: Callable[..., str], pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    filename = "foo-1.0.zip" if pack is zip_of else "foo-1.0.tar.gz"
    content = pack({"bar-1.0/setup.py": b"", "foo-1.0/PKG-INFO": METADATA})
    assert "a single folder" in refusal(filename, content)


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE])
@pytest.mark.parametrize(
    "made",
    [make_wheel("foo", "1.0"), *(make_sdist("foo", "1.0", format=name) for name in TARS)],
)
def test_an_error_of_the_disk_is_not_blamed_on_the_archive(
    read: Read, monkeypatch: pytest.MonkeyPatch, made: tuple[str, bytes], code: int
) -> None:
    opening = pathlib.Path.open

    class Failing(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if size == 512 and self.tell() == 0 and not hasattr(self, "seen"):
                self.seen = True
                return super().read(512) or b""
            raise OSError(code, os.strerror(code))

    def open_failing(self: pathlib.Path, mode: str = "r", buffering: int = -1) -> IO[Any]:
        return cast("IO[Any]", Failing(self)) if mode == "rb" else opening(self, mode, buffering)

    monkeypatch.setattr(pathlib.Path, "open", open_failing)
    with pytest.raises(OSError, match=os.strerror(code)) as failed:
        read(*made)
    assert failed.value.errno == code


def test_a_file_that_is_not_there_is_no_refusal(tmp_path: pathlib.Path) -> None:
    named = parse_filename(WHEEL, name="foo", version="1.0")
    with pytest.raises(FileNotFoundError):
        read_core_metadata(tmp_path / "gone", named)


@pytest.mark.parametrize(
    "made",
    [
        make_wheel("foo", "1.0"),
        make_egg("foo", "1.0"),
        *(make_sdist("foo", "1.0", format=name) for name in (*TARS, "zip")),
    ],
    ids=lambda made: made[0],
)
def test_damage_anywhere_is_refused_or_harmless(read: Read, made: tuple[str, bytes]) -> None:
    filename, content = made
    dice = random.Random(filename)  # noqa: S311 - the same damage every time
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(dice.choice([1, 1, 4, 30])):
            damaged[dice.randrange(len(damaged))] = dice.choice([0, 1, 0x2D, 0x7F, 0x80, 0xFF])
        cut = dice.choice([len(damaged), dice.randrange(len(damaged))])
        with suppress(ArchiveRefused):
            read(filename, bytes(damaged[:cut]))


def test_what_the_builder_makes_agrees_with_its_names() -> None:
    for filename, _ in (make_wheel("Foo.Bar", "1.0", build="2"), make_sdist("Foo.Bar", "1.0")):
        named = parse_filename(filename, name="foo-bar", version="1.0")
        assert isinstance(named, DistributionName)
        assert named.normalized == canonicalize_name("foo-bar")
        assert named.version == Version("1.0")
    assert make_sdist("foo", "1.0") == make_sdist("foo", "1.0")
