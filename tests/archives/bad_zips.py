"""Zips whose records disagree, hide something, or ask for what installers cannot read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tests.archives.cases import Case, only_compatible, wheel
from tests.archives.zips import (
    DESCRIBED,
    FULL16,
    FULL32,
    STORED,
    End,
    Part,
    changed,
    deflated,
    described,
    descriptor,
    extra,
    unicode_path,
    wheel_parts,
    zip64_extra,
    zip_made_of,
)

FLOOD = extra(9, b"") * 16_000
EVIL = Part(b"frog/evil.py", b"print('evil')")


def made(
    parts: Callable[[], Iterable[Part]], end: End | None = None, **more: Any
) -> Callable[[], bytes]:
    """Return what makes a zip of these parts."""
    return lambda: zip_made_of(parts(), end or End(), **more)


def one(**changes: Any) -> Callable[[], bytes]:
    """Return what makes a wheel whose first member has other fields."""
    return made(lambda: changed(**changes))


def ending(**changes: Any) -> Callable[[], bytes]:
    """Return what makes a wheel that ends otherwise."""
    return made(wheel_parts, End(**changes))


def behind_one(behind: bytes) -> Callable[[], bytes]:
    """Return what makes a wheel with this behind a member, in place of its data descriptor."""
    return made(lambda: [described(EVIL, behind=behind), *wheel_parts()])


ENDS = (
    Case("zip-comment-at-the-end", ending(comment=b"hello"), "has a comment at the end"),
    Case(
        "zip-comment-that-is-a-zip",
        lambda: zip_made_of(wheel_parts(), End(comment=zip_made_of([EVIL]))),
        "at another place than its end says",
    ),
    Case("zip-trailing-byte", ending(behind=b"\0"), "has 1 bytes behind the end of its zip"),
    Case("zip-trailing-text", ending(behind=b"x" * 100), "has 100 bytes behind the end"),
    Case("zip-trailing-far", ending(behind=bytes(70_000)), "damaged or cut short"),
    Case(
        "zip-comment-length-lies", ending(comment_length=9), "has 0 bytes behind the end of its zip"
    ),
    Case("zip-two-files-joined", lambda: wheel()() + wheel()(), "at another place"),
    Case(
        "zip-second-end-record-inside-the-first",
        ending(offset=0x06054B50),
        "has more than one end of its zip directory",
    ),
    Case(
        "zip-second-end-record-before-the-last",
        ending(after_directory=struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)),
        "(-22 bytes)",
    ),
    Case(
        "zip-second-directory",
        lambda: zip_made_of(wheel_parts(), End(before_directory=zip_made_of([EVIL]))),
        "hidden bytes behind it",
    ),
    Case("zip-prefix", made(wheel_parts, prefix=b"#!/bin/sh\n"), "something in front of its zip"),
    Case(
        "zip-prefix-of-a-program",
        lambda: b"MZ" + bytes(200) + wheel()(),
        "as programs that unpack themselves do",
    ),
    Case(
        "zip-prefix-that-is-a-member",
        made(wheel_parts, prefix=b"PK\x03\x04" + bytes(60)),
        "has 64 bytes in front of its first member",
    ),
    Case(
        "zip-prefix-not-in-the-offsets",
        lambda: b"PK\x03\x04" + bytes(60) + wheel()(),
        "(-64 bytes)",
    ),
    Case("zip-count-too-small", ending(count=3), "other members, or other bytes"),
    Case("zip-count-too-large", ending(count=5), "has a directory that does not hold"),
    Case("zip-count-of-nothing", ending(count=0), "holds no files"),
    Case("zip-counts-differ", ending(count_here=3), "counts its members twice"),
    Case("zip-count-of-a-flood", ending(count=FULL16 - 1), "other members, or other bytes"),
    Case("zip-directory-size-too-small", ending(size=200), "at another place"),
    Case("zip-directory-size-too-large", ending(size=70_000), "at another place"),
    Case(
        "zip-directory-size-giant", ending(size=FULL32 - 1), "has a directory of 4294967294 bytes"
    ),
    Case("zip-directory-offset-too-small", ending(offset=0), "at another place"),
    Case("zip-directory-offset-negative", ending(offset=FULL32 - 9), "at another place"),
    Case("zip-split-over-disks", ending(disk=1), "split over several files"),
    Case(
        "zip-directory-with-junk-behind-it",
        ending(after_directory=b"junk"),
        "(-4 bytes)",
    ),
    Case(
        "zip-directory-with-junk-in-it",
        lambda: zip_made_of(
            wheel_parts(), End(after_directory=b"junk", size=_directory_size() + 4)
        ),
        "other members, or other bytes",
    ),
    Case(
        "zip-directory-with-a-broken-record",
        one(central={"signature": b"PK\x09\x09"}),
        "other members, or other bytes",
    ),
    Case("zip-that-is-cut", lambda: wheel()()[:-30], "damaged or cut short"),
    Case("zip-of-the-first-half", lambda: wheel()()[:300], "damaged or cut short"),
    Case("zip-without-members", lambda: zip_made_of([]), "holds no files"),
    Case(
        "zip-of-folders-alone",
        lambda: zip_made_of([Part(b"frog/", b"", STORED, mode=0o40755)]),
        "holds no files",
    ),
    Case(
        "zip-that-is-a-tar-too",
        lambda: zip_made_of([_tar_named_like_a_zip(), *wheel_parts()]),
        "a zip and a tar archive at once",
    ),
    Case(
        "gzip-that-is-a-zip-too",
        lambda: b"\x1f\x8b" + bytes(300) + wheel()(),
        "a zip and a tar archive at once",
    ),
)


def _directory_size() -> int:
    return sum(46 + len(part.name) for part in wheel_parts())


def _tar_named_like_a_zip() -> Part:
    """Return a first member whose local header, name and all, passes for a tar's header."""
    part = Part(b"n" * 482, b"x", STORED)
    start = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0x5C21, zlib.crc32(b"x"), 1, 1, 482, 0
    )
    block = bytearray(start + part.name)
    # A tar's numbers are octal digits; its checksum is the only one that a first look takes in.
    block[148:156] = b" " * 8
    block[148:156] = b"%07o " % sum(block)
    return replace(part, name=bytes(block[30:]))


def _zip64(**wrong: int) -> Callable[[], bytes]:
    return ending(zip64=wrong)


ZIP64 = (
    Case("zip64-locator-elsewhere", _zip64(locator=0), "than its locator says"),
    Case("zip64-locator-beyond", _zip64(locator=2**63), "than its locator says"),
    Case("zip64-locator-on-another-disk", _zip64(locator_disk=1), "than its locator says"),
    Case("zip64-locator-of-two-disks", _zip64(disks=2), "than its locator says"),
    Case("zip64-end-of-another-length", _zip64(length=60), "ZIP64 end record of a wrong length"),
    Case("zip64-count-disagrees", _zip64(count=3, here=3), "has two ends that disagree"),
    Case("zip64-counts-differ", _zip64(here=3), "has two ends that disagree"),
    Case("zip64-size-disagrees", _zip64(size=46), "has two ends that disagree"),
    Case("zip64-offset-disagrees", _zip64(start=0), "has two ends that disagree"),
    Case("zip64-disk-disagrees", _zip64(disk=1), "has two ends that disagree"),
    Case("zip64-end-missing", ending(count=FULL16, count_here=FULL16), "no ZIP64 end record"),
    Case("zip64-offset-missing", ending(offset=FULL32), "but has no ZIP64 end record"),
    Case(
        "zip64-locator-hidden-in-the-directory",
        lambda: zip_made_of(
            [
                *wheel_parts(),
                replace(EVIL, central_extra=extra(0x9999, b"PK\x06\x07" + bytes(16))),
            ]
        ),
        "than its locator says",
    ),
    Case(
        "zip64-numbers-missing-in-the-directory",
        one(central={"unpacked": FULL32}),
        "no ZIP64 numbers where it says there are some",
    ),
    Case(
        "zip64-numbers-missing-in-the-header",
        one(local={"packed": FULL32}),
        "no ZIP64 numbers where it says there are some",
    ),
    Case(
        "zip64-numbers-disagree-in-the-directory",
        one(central_extra=zip64_extra(1, 1)),
        "ZIP64 numbers that disagree with the plain ones",
    ),
    Case(
        "zip64-numbers-disagree-in-the-header",
        one(local_extra=zip64_extra(1, 1)),
        "ZIP64 numbers that disagree with the plain ones",
    ),
    Case(
        "zip64-numbers-too-many",
        one(central={"unpacked": FULL32}, central_extra=zip64_extra(9, 9, 9)),
        "ZIP64 numbers of a wrong length",
    ),
    Case(
        "zip64-numbers-too-few",
        one(central={"unpacked": FULL32, "packed": FULL32}, central_extra=zip64_extra(9)),
        "ZIP64 numbers of a wrong length",
    ),
    Case(
        "zip64-numbers-of-half-a-number",
        one(central_extra=extra(1, b"\0" * 7)),
        "ZIP64 numbers of a wrong length",
    ),
    Case(
        "zip64-numbers-twice",
        one(central_extra=zip64_extra() + zip64_extra()),
        "the extra field 0x0001 twice",
    ),
    Case(
        "zip64-size-is-another-in-the-header",
        one(local={"packed": FULL32, "unpacked": FULL32}, local_extra=zip64_extra(5, 5)),
        "in its own header",
    ),
    Case(
        "zip64-offset-beyond-the-file",
        one(central={"offset": FULL32}, central_extra=zip64_extra(2**62)),
        "in front of its first member",
    ),
)

EXTRAS = (
    Case(
        "zip-extra-cut-off", one(central_extra=extra(9, b"ab", 40)), "extra field that is cut off"
    ),
    Case("zip-extra-of-two-bytes", one(central_extra=b"\1\0"), "extra field that is cut off"),
    Case(
        "zip-flood-of-extras-in-the-directory",
        made(lambda: [Part(b"n%d" % n, central_extra=FLOOD) for n in range(200)]),
        "more than 8 extra fields",
    ),
    Case(
        "zip-flood-of-extras-in-the-headers",
        made(lambda: [Part(b"n%d" % n, local_extra=FLOOD) for n in range(200)]),
        "more than 8 extra fields",
    ),
    Case("zip-extra-cut-off-in-the-header", one(local_extra=extra(9, b"", 9)), "that is cut off"),
    Case(
        "zip-unicode-path-says-another-name",
        one(central_extra=unicode_path(b"frog.py", b"evil.py")),
        "a second name in an extra field, which is another one",
    ),
    Case(
        "zip-unicode-path-says-another-name-in-the-header",
        one(local_extra=unicode_path(b"frog.py", b"../evil.py")),
        "a second name in an extra field, which is another one",
    ),
    Case(
        "zip-unicode-path-of-another-name",
        one(central_extra=unicode_path(b"other", b"frog.py")),
        "a second name in an extra field",
    ),
    Case(
        "zip-unicode-path-of-another-version",
        one(central_extra=unicode_path(b"frog.py", b"frog.py", version=2)),
        "a second name in an extra field",
    ),
    Case("zip-unicode-path-empty", one(central_extra=extra(0x7075, b"")), "a second name"),
    Case(
        "zip-unicode-path-twice",
        one(central_extra=unicode_path(b"frog.py", b"frog.py") * 2),
        "the extra field 0x7075 twice",
    ),
)

RECORDS = (
    Case(
        "zip-name-differs",
        one(local={"name": b"evil.py"}),
        "whose name in its own header is",
    ),
    Case(
        "zip-name-differs-in-case", one(local={"name": b"FROG.py"}), "whose name in its own header"
    ),
    Case("zip-name-is-longer", one(local={"name": b"frog.py\0x"}), "whose name in its own header"),
    Case(
        "zip-method-differs", one(local={"method": STORED}), "whose compression method in its own"
    ),
    Case("zip-flags-differ", one(local={"flags": 2}), "whose flags in its own header"),
    Case("zip-checksum-differs", one(local={"crc": 1}), "whose checksum in its own header"),
    Case(
        "zip-packed-size-differs", one(local={"packed": 3}), "whose packed size in its own header"
    ),
    Case("zip-size-differs", one(local={"unpacked": 3}), "whose size in its own header"),
    Case("zip-sizes-left-open", one(local={"packed": 0, "unpacked": 0}), "size in its own header"),
    Case(
        "zip-descriptor-only-in-the-header",
        one(local={"flags": DESCRIBED}),
        "whose flags in its own header",
    ),
    Case(
        "zip-header-is-none",
        one(local={"signature": b"PK\x07\x07"}),
        "has something in front of its zip",
    ),
    Case(
        "zip-second-header-is-none",
        one(index=1, local={"signature": b"PK\x07\x07"}),
        "no header where the directory says it is",
    ),
    Case(
        "zip-member-only-in-the-file",
        made(lambda: [*wheel_parts(), replace(EVIL, in_directory=False)]),
        "hidden bytes behind it",
    ),
    Case(
        "zip-first-member-only-in-the-file",
        made(lambda: [replace(EVIL, in_directory=False), *wheel_parts()]),
        "bytes in front of its first member",
    ),
    Case(
        "zip-member-only-in-the-directory",
        made(lambda: [*wheel_parts(), replace(EVIL, in_file=False)]),
        "no header where the directory says it is",
    ),
    Case(
        "zip-two-names-for-one-header",
        made(lambda: [*wheel_parts(), replace(EVIL, in_file=False, central={"offset": 0})]),
        "overlapping what follows it",
    ),
    Case("zip-gap-between-members", one(behind=b"hidden"), "6 hidden bytes behind it"),
    Case(
        "zip-gap-before-the-directory",
        ending(before_directory=b"hidden"),
        "6 hidden bytes behind it",
    ),
    Case(
        "zip-offset-into-a-member",
        one(index=1, central={"offset": 9}),
        "overlapping what follows it",
    ),
    Case(
        "zip-packed-size-reaches-into-the-next",
        one(local={"packed": 200}, central={"packed": 200}),
        "overlapping what follows it",
    ),
    Case(
        "zip-packed-size-reaches-beyond-the-file",
        one(local={"packed": 2**31}, central={"packed": 2**31}),
        "overlapping what follows it",
    ),
    Case("zip-overlapping-members", lambda: overlapping(200), "overlapping what follows it"),
    Case("zip-comment-on-a-member", one(central={"comment": b"hi"}), "has a comment on the member"),
    Case("zip-member-on-another-disk", one(central={"disk": 1}), "split over several files"),
    Case(
        "zip-member-encrypted",
        one(flags=1),
        "encrypted; build it without",
    ),
    Case("zip-member-strongly-encrypted", one(flags=0x41), "encrypted"),
    Case("zip-member-is-a-patch", one(flags=0x20), "flags that no installer reads (0x0020)"),
    Case("zip-member-with-hidden-header", one(flags=0x2000), "flags that no installer reads"),
    Case("zip-needs-a-newer-version", one(central={"needed": 63}), "asking for version 6.3"),
    Case("zip-header-needs-a-newer-version", one(local={"needed": 63}), "asking for version 6.3"),
    *(
        Case(f"zip-packed-by-{name}", one(method=method), f"packed by compression method {method}")
        for name, method in (
            *(("shrink", 1), ("implode", 6), ("deflate64", 9), ("bzip2", 12), ("lzma", 14)),
            *(("zstandard", 93), ("xz", 95), ("aes", 99)),
        )
    ),
    Case(
        "zip-stored-with-two-sizes",
        one(method=STORED, local={"unpacked": 5}, central={"unpacked": 5}),
        "of which it says that they are 5",
    ),
    Case("zip-deflated-into-nothing", one(data=b"", packed=b""), "deflated into nothing"),
    Case(
        "zip-unpacks-to-more-than-it-says",
        one(packed=deflated(b"y" * 5000), data=b"y" * 50),
        "does not unpack to the 50 bytes",
    ),
    Case(
        "zip-unpacks-to-less-than-it-says",
        one(packed=deflated(b"y" * 50), data=b"y" * 5000),
        "does not unpack to the 5000 bytes",
    ),
    Case(
        "zip-bytes-behind-a-deflate-stream",
        one(packed=deflated(b"y" * 50) + b"hidden", data=b"y" * 50),
        "bytes behind the end of 'frog.py'",
    ),
    Case(
        "zip-deflate-stream-without-an-end",
        one(packed=deflated(b"y" * 5000)[:-3], data=b"y" * 5000),
        "damaged or cut short in 'frog.py'",
    ),
    Case("zip-deflate-stream-of-noise", one(packed=b"\xff" * 40), "damaged or cut short in 'frog"),
    Case(
        "zip-checksum-wrong-in-both",
        one(local={"crc": 1}, central={"crc": 1}),
        "whose checksum is another",
    ),
    Case(
        "zip-checksum-of-a-folder-wrong",
        made(lambda: [Part(b"d/", b"", local={"crc": 1}, central={"crc": 1}), *wheel_parts()]),
        "whose checksum is another",
    ),
)

DESCRIPTORS = (
    only_compatible(
        "zip-data-descriptor",
        made(lambda: [described(part) for part in wheel_parts()]),
        "data descriptors",
        finding="has 4 members with their size behind them",
    ),
    only_compatible(
        "zip-data-descriptor-and-right-header",
        made(lambda: [described(part, local={}) for part in wheel_parts()]),
        "with their size behind them (data descriptors); strict rules do not take that",
        finding="data descriptors",
    ),
    Case(
        "zip-data-descriptor-of-a-stored-member",
        made(lambda: [described(replace(part, method=STORED)) for part in wheel_parts()]),
        "stored, with its size behind it",
    ),
    *(
        Case(
            f"zip-data-descriptor-{slug}",
            behind_one(behind),
            says,
        )
        for slug, behind, says in (
            ("missing", b"", "a data descriptor that disagrees"),
            ("without-a-signature", descriptor(EVIL, signature=b""), "a data descriptor that dis"),
            ("large-without-zip64", descriptor(EVIL, large=True), "a data descriptor that dis"),
            ("of-another-member", descriptor(Part(b"", b"other")), "a data descriptor that dis"),
            ("twice", descriptor(EVIL) * 2, "16 hidden bytes behind it"),
            ("cut-off", descriptor(EVIL)[:9], "a data descriptor that disagrees"),
        )
    ),
    Case(
        "zip-data-descriptor-and-wrong-header",
        made(lambda: [described(EVIL, local={"packed": 7}), *wheel_parts()]),
        "whose packed size in its own header is '7' instead",
    ),
)

BAD_ZIPS = (*ENDS, *ZIP64, *EXTRAS, *RECORDS, *DESCRIPTORS)


def overlapping(count: int) -> bytes:
    """Return a zip whose members all share one stream of a megabyte, as a small bomb does.

    Each local header is packed data of the member before it: Python's zipfile sees nothing odd.
    """
    kernel = deflated(bytes(1_000_000))
    crc, size = zlib.crc32(bytes(1_000_000)), 1_000_000
    made, parts = b"", []
    names = [b"%06d" % number for number in range(count)]
    heads = [
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0x5C21, crc, len(kernel), size, 6, 0)
        + name
        for name in names
    ]
    made = b"".join(heads) + kernel
    for number, name in enumerate(names):
        central = {"offset": number * len(heads[0]), "crc": crc}
        sizes = {"packed": len(kernel), "unpacked": size}
        parts.append(Part(name, in_file=False, central=central | sizes))
    return zip_made_of(parts, End(offset=len(made)), prefix=made)
