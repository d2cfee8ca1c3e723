"""Which format a file's name promises, and whether its first and last bytes keep to it alone."""

from __future__ import annotations

from typing import IO

from packages.archive.judgement import Judgement
from packages.archive.tar_headers import BLOCK, is_header
from packages.archive.zip_ends import ends_like_a_zip

_SHAPES = {
    "zip": "a zip archive",
    "tar": "a tar archive",
    "tar.gz": "a gzip-compressed tar archive",
    "tar.bz2": "a bzip2-compressed tar archive",
}
# How files begin. A plain tar only says so at byte 257, and an old one nowhere.
_BEGINNINGS = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # one without members
    b"\x1f\x8b": "tar.gz",
    b"BZh": "tar.bz2",
}


def require_shape(file: IO[bytes], shape: str, judgement: Judgement) -> None:
    """Refuse a file that is something else than its name says, or two things at once.

    Mostly it is a mix-up, so it is told what the file looks like.
    """
    file.seek(0)
    head = file.read(BLOCK)
    if not head:
        raise judgement.refusal("is empty")
    looks = _looks(head)
    also_zip = ends_like_a_zip(file, judgement.packed_size)
    if also_zip and (looks not in ("zip", "") or is_header(head)):
        raise judgement.refusal("is a zip and a tar archive at once: readers differ in which")
    if shape == "zip" and also_zip and not looks:
        raise judgement.refusal(
            "has something in front of its zip, as programs that unpack themselves do"
        )
    if looks != shape and not (shape == "tar" and not looks and not _is_page(head)):
        raise judgement.refusal(f"is not {_SHAPES[shape]}: {_but_rather(looks, head)}")
    file.seek(0)


def _looks(head: bytes) -> str:
    for begin, is_a in _BEGINNINGS.items():
        if head.startswith(begin):
            return is_a
    return "tar" if head[257:262] == b"ustar" else ""


def _but_rather(looks: str, head: bytes) -> str:
    if looks:
        return f"it begins like {_SHAPES[looks]}"
    if _is_page(head):
        return "it is a web page, perhaps a sign-in page that was saved under this name"
    return "it begins like no archive"


def _is_page(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
