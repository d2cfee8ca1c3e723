"""Archives that look odd and are sound: the gate must not refuse them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.archives.cases import INFO, SDIST, WHEEL, Case, sdist, wheel
from tests.archives.tars import GNU, OLD, gz, long_name, member, pax, sdist_of
from tests.archives.zips import (
    FULL16,
    FULL32,
    STORED,
    End,
    Part,
    extra,
    unicode_path,
    wheel_parts,
    zip64_extra,
    zip_made_of,
)
from tests.dists import make_metadata, make_sdist, make_wheel


def good(slug: str, content: Callable[[], bytes], filename: str = WHEEL) -> Case:
    """Return a sound upload of frog 1.0."""
    return Case(f"good-{slug}", content, filename=filename)


def named(slug: str, name: str, version: str, file: tuple[str, bytes]) -> Case:
    """Return a sound upload of something else."""
    filename, content = file
    return Case(f"good-{slug}", lambda: content, filename=filename, name=name, version=version)


def parts(change: Callable[[Part], Part]) -> Callable[[], bytes]:
    """Return what makes a wheel of which each member is changed."""
    return lambda: zip_made_of(map(change, wheel_parts()))


def headed(*lines: str, version: str = "2.4", **more: object) -> Callable[[], bytes]:
    """Return what makes a wheel with further lines in its metadata."""
    return wheel(metadata_version=version, extra_headers=lines, **more)


def tarred(*members: bytes, end: bytes = bytes(1024)) -> Callable[[], bytes]:
    """Return what makes an sdist with further members."""
    return lambda: gz(sdist_of(*members, end=end))


def _zip64(part: Part) -> Part:
    large = {"packed": FULL32, "unpacked": FULL32, "needed": 45}
    numbers = zip64_extra(len(part.data), len(part.stream))
    return replace(part, local=large, local_extra=numbers, central=large, central_extra=numbers)


def _streamed_zip64(part: Part) -> Part:
    large = {"packed": FULL32, "unpacked": FULL32}
    numbers = zip64_extra(len(part.data), len(part.stream))
    return replace(part, local=large, local_extra=numbers)


def _with_folders() -> bytes:
    folders = [Part(name, b"", STORED, mode=0o40755) for name in (b"data/", b"data/empty/")]
    return zip_made_of([*folders, *wheel_parts()])


def _gzip_with_a_name() -> bytes:
    plain = gz(sdist_of())
    return plain[:3] + b"\x08" + plain[4:10] + b"frog-1.0.tar\0" + plain[10:]


ODD_ENTRY_POINTS = "\r\n".join(
    (
        *("# By hand.", "; Not much.", "", "    [console_scripts]"),
        *("    frog = frog:main [green]", "  Green=frog:main", "\tfrog-fu.x=frog : main"),
        *("[frog.plugins]", "with a space/and = more:of = that", "  # A comment.", "fr\u00f6g ="),
    )
).encode()

ZIPS = (
    good("stored-only", parts(lambda part: replace(part, method=STORED))),
    good("deflated-with-every-level", parts(lambda part: replace(part, flags=2))),
    good("zip64-members", parts(_zip64)),
    good("zip64-headers-alone", parts(_streamed_zip64)),
    good("zip64-ends", lambda: zip_made_of(wheel_parts(), End(zip64={}))),
    good(
        "zip64-ends-with-open-counts",
        lambda: zip_made_of(wheel_parts(), End(zip64={}, count=FULL16, count_here=FULL16)),
    ),
    good("empty-folders", _with_folders),
    good("empty-files", lambda: _recorded({"frog/__init__.py": b"", "frog/py.typed": b""})),
    good("members-in-another-order", lambda: zip_made_of(reversed(wheel_parts()))),
    good("directory-in-another-order", lambda: _directory_from_last_to_first(wheel_parts())),
    good("member-times", parts(lambda part: replace(part, local_extra=extra(0x5455, b"\1" * 5)))),
    good("padding-extras", parts(lambda part: replace(part, local_extra=extra(0xD935, bytes(9))))),
    good(
        "unicode-path-of-the-same-name",
        parts(lambda part: replace(part, central_extra=unicode_path(part.name, part.name))),
    ),
    good("names-in-utf-8", lambda: _recorded({"fr\u00f6g.py": b"", "\u86d9/x.py": b""})),
    good("names-that-differ-in-case", lambda: _recorded({"README": b"1", "readme": b"2"})),
    good("names-with-colons-and-spaces", lambda: _recorded({"a b/c:d.txt": b"", "~x": b""})),
    good("names-with-dots", lambda: _recorded({"..frog/...": b"", ".hidden/x.": b""})),
    good("name-of-250-characters", lambda: _recorded({"n" * 250: b""})),
    good("made-on-windows", parts(lambda part: replace(part, central={"host": 0}, mode=0))),
    good("without-any-mode", parts(lambda part: replace(part, mode=0))),
    good("executable", parts(lambda part: replace(part, mode=0o100755))),
    good("zip-within", lambda: _recorded({"frog/data.zip": wheel()()})),
    good("tar-within", lambda: _recorded({"frog/data.tar.gz": sdist()()})),
    good("sixty-mib-of-zeros", lambda: _recorded({"zeros": bytes(60 * 1024 * 1024)})),
    good("many-members", lambda: _recorded({f"frog/{n}.txt": b"%d" % n for n in range(3000)})),
    good("signed-record", wheel(files={f"{INFO}/RECORD.jws": b"{}"})),
    good("data-folder", lambda: _recorded({"frog-1.0.data/scripts/frog": b"#!python\n"})),
    good("sboms", lambda: _recorded({f"{INFO}/sboms/frog.cdx.json": b"{}"})),
    good("odd-entry-points", lambda: _recorded({f"{INFO}/entry_points.txt": ODD_ENTRY_POINTS})),
    good("odd-lines-of-record", lambda: _with_odd_lines_of_record(wheel_parts())),
    good(
        "entry-points",
        lambda: _recorded({f"{INFO}/entry_points.txt": b"[console_scripts]\nfrog-fu.x = a:b\n"}),
    ),
)


def _with_odd_lines_of_record(members: list[Part]) -> bytes:
    """Return a wheel with quotes, blank lines and several kinds of line ends in its RECORD."""
    lines = members.pop().data.splitlines()
    quoted = b"\r\r\n".join(b'"%s"' % line.replace(b",", b'","') for line in lines)
    return zip_made_of([*members, Part(f"{INFO}/RECORD".encode(), b"\n" + quoted + b"\r\n\n")])


def _recorded(files: dict[str, bytes]) -> bytes:
    """Return a wheel with further files, which its RECORD lists."""
    return make_wheel("frog", "1.0", files=files)[1]


def _directory_from_last_to_first(members: list[Part]) -> bytes:
    """Return a zip whose directory lists the members in another order than they stand."""
    content, records = bytearray(), []
    for part in members:
        records.append(replace(part, in_file=False, central={"offset": len(content)}))
        whole = zip_made_of([part])
        content += whole[: whole.index(b"PK\1\2")]
    return zip_made_of(reversed(records), End(), prefix=bytes(content))


METADATA = (
    good("1200-requirements", wheel(requires_dist=[f"dep{n}>=1" for n in range(1200)])),
    good("description-of-three-mb", wheel(description="frogs are green\n" * 200_000)),
    good("metadata-2-5", headed("Import-Name: frog", version="2.5")),
    good("metadata-2-6", headed(version="2.6")),
    good("metadata-1-0", headed("Platform: UNKNOWN", "Home-page: UNKNOWN", version="1.0")),
    good(
        "author-beyond-ascii", headed("Author: Zo\u00eb \u86d9", "Author-email: Zo\u00eb <z@x.org>")
    ),
    good("fields-of-tools", headed("X-Generator: frog", "Was-Not-There: yes")),
    good("description-in-the-header", headed("Description: one\n        two", version="1.1")),
    good("windows-line-ends", lambda: _metadata(b"\r\n")),
    good(
        "licences",
        wheel(
            metadata_version="2.4",
            extra_headers=["License-Expression: MIT", "License-File: a/LICENSE"],
            files={f"{INFO}/licenses/a/LICENSE": b"MIT"},
        ),
    ),
    good("licence-file-before-its-time", headed("License-File: LICENSE", version="2.1")),
    good("extras-and-markers", headed("Provides-Extra: a", "Requires-Dist: b; extra == 'a'")),
)


def _metadata(end: bytes) -> bytes:
    text = make_metadata("frog", "1.0", description="green\n").replace(b"\n", end)
    return make_wheel("frog", "1.0", files={f"{INFO}/METADATA": text})[1]


TARS = (
    good("sdist-of-setuptools", sdist(), SDIST),
    good("sdist-with-dots-in-front", tarred(member("./frog-1.0/setup.py", b"x")), SDIST),
    good("sdist-with-the-dot-itself", tarred(member("./", kind=b"5")), SDIST),
    good("sdist-with-a-folder-twice", tarred(member("frog-1.0/d/", kind=b"5") * 2), SDIST),
    good(
        "sdist-of-git",
        lambda: gz(pax({"comment": "0" * 40}, b"g") + sdist_of(member("frog-1.0/a"))),
        SDIST,
    ),
    good(
        "sdist-with-times-to-the-nanosecond",
        tarred(pax({"mtime": "1767225600.123456789"}), member("frog-1.0/a", b"x")),
        SDIST,
    ),
    good(
        "sdist-with-gnu-long-names",
        tarred(
            long_name(b"frog-1.0/" + b"n" * 150),
            member("frog-1.0/" + "n" * 91, b"x", magic=GNU),
        ),
        SDIST,
    ),
    good(
        "sdist-with-pax-long-names",
        tarred(pax({"path": "frog-1.0/" + "n" * 150}), member("frog-1.0/" + "n" * 91, b"x")),
        SDIST,
    ),
    good(
        "sdist-with-names-in-utf-8",
        tarred(pax({"path": "frog-1.0/fr\u00f6g.py"}), member("frog-1.0/fr?g.py", b"x")),
        SDIST,
    ),
    good(
        "sdist-with-a-prefix",
        tarred(member("n" * 90, b"x", prefix=b"frog-1.0/" + b"d" * 90)),
        SDIST,
    ),
    good("sdist-of-the-old-format", tarred(member("frog-1.0/a", b"x", b"\0", magic=OLD)), SDIST),
    good(
        "sdist-with-old-folders",
        tarred(member("frog-1.0/d/", b"", b"\0", magic=OLD), member("frog-1.0/d/e", b"x")),
        SDIST,
    ),
    good(
        "sdist-with-old-folders-of-gnu-tar",
        tarred(member("frog-1.0/d/", b"", b"\0", magic=GNU), member("frog-1.0/d/e", b"x")),
        SDIST,
    ),
    good(
        "sdist-with-a-long-name-cut-behind-a-slash",
        tarred(
            long_name(b"frog-1.0/" + b"n" * 90 + b"/x"),
            member("frog-1.0/" + "n" * 90 + "/", b"x", magic=GNU),
            pax({"path": "frog-1.0/" + "m" * 90 + "/fr\u00f6g"}),
            member("frog-1.0/" + "m" * 90 + "/", b"x"),
        ),
        SDIST,
    ),
    good(
        "sdist-with-long-folders",
        tarred(
            long_name(b"frog-1.0/" + b"n" * 120 + b"/"),
            member("frog-1.0/" + "n" * 91, kind=b"5", magic=GNU),
            pax({"path": "frog-1.0/d"}),
            member("frog-1.0/d/", kind=b"5"),
        ),
        SDIST,
    ),
    good(
        "sdist-with-its-size-twice",
        tarred(pax({"size": "1"}), member("frog-1.0/a", b"x")),
        SDIST,
    ),
    good(
        "sdist-of-the-posix-format-without-a-version",
        tarred(member("frog-1.0/a", b"x", magic=b"ustar\0\0\0")),
        SDIST,
    ),
    good("sdist-of-gnu-tar", tarred(member("frog-1.0/a", b"x", magic=GNU)), SDIST),
    good(
        "sdist-with-numbers-in-binary",
        tarred(member("frog-1.0/a", b"x", uid=b"\x80" + bytes(4) + b"\x40\0\0", magic=GNU)),
        SDIST,
    ),
    good(
        "sdist-with-numbers-in-spaces",
        tarred(member("frog-1.0/a", b"x", mode=b"   644 \0", uid=b"     0 \0")),
        SDIST,
    ),
    good("sdist-with-one-zero-block", tarred(end=bytes(512)), SDIST),
    good("sdist-filled-up-to-a-tape-block", tarred(end=bytes(1_000_000)), SDIST),
    good("sdist-with-a-name-in-its-gzip", _gzip_with_a_name, SDIST),
    good("sdist-packed-by-stored-blocks", lambda: stored_gzip(sdist_of()), SDIST),
    good(
        "sdist-with-owners-and-attributes",
        tarred(
            pax({"uname": "zo\u00eb", "SCHILY.xattr.user.x": b"\xff\0", "atime": "1.5"}),
            member("frog-1.0/a", b"x"),
        ),
        SDIST,
    ),
    good(
        "sdist-with-a-licence",
        sdist(
            metadata_version="2.4",
            extra_headers=["License-File: LICENSE"],
            files={"LICENSE": b"MIT"},
        ),
        SDIST,
    ),
    good("sdist-with-deeper-metadata", sdist(files={"src/frog.egg-info/PKG-INFO": b"x"}), SDIST),
    good(
        "sdist-with-names-that-differ-in-case", sdist(files={"README": b"", "Readme": b""}), SDIST
    ),
)


def stored_gzip(data: bytes) -> bytes:
    """Return data in a gzip stream that packs nothing."""
    packer = zlib.compressobj(0, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


NAMES = (
    named("name-of-one-letter", "f", "1", make_wheel("f", "1")),
    named("name-of-digits", "0", "0", make_wheel("0", "0")),
    named("name-with-all-dividers", "F.r_o-G", "1.0", make_wheel("F.r_o-G", "1.0")),
    named("name-of-an-sdist-with-dividers", "F.r_o-G", "1.0", make_sdist("F.r_o-G", "1.0")),
    named("name-of-100-letters", "f" * 100, "1.0", make_wheel("f" * 100, "1.0")),
    named("version-with-everything", "frog", "1!2.0rc1.post2.dev3",
          make_wheel("frog", "1!2.0rc1.post2.dev3")),
    named("version-of-a-date", "frog", "2026.11.20.1", make_sdist("frog", "2026.11.20.1")),
    named("build-tag", "frog", "1.0", make_wheel("frog", "1.0", build="7abc")),
    named("many-tags", "frog", "1.0", make_wheel("frog", "1.0", tag="py2.py3-none-any")),
    named(
        "many-platforms",
        "frog",
        "1.0",
        make_wheel("frog", "1.0", tag="cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64"),
    ),
    named("for-the-browser", "frog", "1.0",
          make_wheel("frog", "1.0", tag="cp313-cp313-pyemscripten_2025_0_wasm32")),
    named("for-a-phone", "frog", "1.0",
          make_wheel("frog", "1.0", tag="cp313-cp313-ios_13_0_arm64_iphoneos")),
)  # fmt: skip

GOOD = (*ZIPS, *METADATA, *TARS, *NAMES)
