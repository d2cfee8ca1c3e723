"""Archives whose members lead out of them, hide behind their names, or unpack to far too much."""

from __future__ import annotations

from collections.abc import Callable

from packages.archive import limits
from tests.archives.cases import INFO, SDIST, Case, only_compatible
from tests.archives.tars import gz, long_name, member, pax, sdist_of
from tests.archives.zips import (
    FULL16,
    STORED,
    UTF8,
    End,
    Part,
    deflated,
    wheel_parts,
    zip_made_of,
)
from tests.dists import make_metadata, make_sdist, make_wheel

MIB = 1024 * 1024


def in_zip(name: bytes, **fields: object) -> Callable[[], bytes]:
    """Return what makes a wheel with a further member of this name."""
    flags = UTF8 * (not name.isascii())
    part = Part(name, flags=flags, **fields)  # type: ignore[arg-type]
    return lambda: zip_made_of([part, *wheel_parts()])


def in_tar(name: bytes, **fields: object) -> Callable[[], bytes]:
    """Return what makes an sdist with a further member of this name."""
    data = b"" if fields else b"x"
    return lambda: gz(sdist_of(member(name, data, **fields)))  # type: ignore[arg-type]


# What is wrong with the name, the name, the sentence.
NAMES = (
    ("dot-dot", b"../evil.py", "leads out of it by '..'"),
    ("dot-dot-within", b"frog-1.0/../../evil.py", "leads out of it by '..'"),
    ("dot-dot-at-the-end", b"frog-1.0/..", "leads out of it by '..'"),
    ("dot-dot-that-stays-inside", b"frog-1.0/sub/../evil.py", "leads out of it by '..'"),
    ("absolute", b"/etc/passwd", "a member with an absolute path"),
    ("double-slash", b"//host/share/evil.py", "a member with an absolute path"),
    ("drive-letter", b"C:/Windows/evil.dll", "a member with a drive letter"),
    ("drive-letter-relative", b"c:evil.dll", "a member with a drive letter"),
    ("backslash", b"frog-1.0\\evil.py", "a backslash in the name"),
    ("backslash-dot-dot", b"..\\evil.py", "a backslash in the name"),
    ("unc-path", b"\\\\host\\share\\evil.py", "a backslash in the name"),
    ("empty-folder-name", b"frog-1.0//evil.py", "an empty or '.' folder in the name"),
    ("dot-folder", b"frog-1.0/./evil.py", "an empty or '.' folder in the name"),
    ("newline", b"frog-1.0/evil\n.py", "a control character in the name"),
    ("escape", b"frog-1.0/\x1b[2Jevil.py", "a control character in the name"),
    ("delete", b"frog-1.0/evil\x7f.py", "a control character in the name"),
    ("c1-control", "frog-1.0/evil\x9b.py".encode(), "a control character in the name"),
    ("line-separator", "frog-1.0/evil\u2028.py".encode(), "a control character in the name"),
    ("latin-1", b"frog-1.0/\xe9vil.py", "whose name is not UTF-8"),
    ("overlong-utf-8", b"frog-1.0/\xc0\xaf\xc0\xaevil.py", "whose name is not UTF-8"),
    ("surrogate", b"frog-1.0/\xed\xa0\x80.py", "whose name is not UTF-8"),
)

BAD_NAMES = (
    *(Case(f"zip-member-{slug}", in_zip(name), says) for slug, name, says in NAMES),
    *(Case(f"tar-member-{slug}", in_tar(name), says, SDIST) for slug, name, says in NAMES),
    Case("zip-member-nul", in_zip(b"frog.py\0.txt"), "a control character in the name"),
    Case("zip-member-without-a-name", in_zip(b""), "an empty or '.' folder in the name"),
    Case("zip-member-dot", in_zip(b"./frog/evil.py"), "an empty or '.' folder in the name"),
    Case("zip-member-slash", in_zip(b"/", data=b"", method=STORED), "an absolute path"),
    Case("zip-member-name-of-64-kib", in_zip(b"n" * 65_000), "whose name has 65000 bytes"),
    Case(
        "zip-member-utf-8-without-its-mark",
        lambda: zip_made_of([Part("fr\u00f6g.py".encode()), *wheel_parts()]),
        "without the mark that its name is UTF-8",
    ),
    Case("tar-folder-of-everything", in_tar(b"/", kind=b"5"), "an absolute path", SDIST),
    Case("tar-folder-leads-out", in_tar(b"../", kind=b"5"), "leads out of it by '..'", SDIST),
    Case("tar-member-without-a-name", in_tar(b""), "an empty or '.' folder in the name", SDIST),
)

TWICE = (
    Case(
        "zip-member-twice",
        lambda: zip_made_of([*wheel_parts(), Part(b"frog.py", b"evil")]),
        "has the member 'frog.py' more than once",
    ),
    Case(
        "zip-metadata-twice",
        lambda: zip_made_of([*wheel_parts(), wheel_parts()[1]]),
        "/METADATA' more than once",
    ),
    Case(
        "zip-folder-twice",
        lambda: zip_made_of([Part(b"d/", b"", STORED)] * 2 + wheel_parts()),
        "has the member 'd' more than once",
    ),
    Case(
        "zip-file-and-folder-of-one-name",
        lambda: zip_made_of([Part(b"d"), Part(b"d/", b"", STORED), *wheel_parts()]),
        "has the member 'd' more than once",
    ),
    Case(
        "zip-member-below-a-file",
        lambda: zip_made_of([Part(b"d"), Part(b"d-e"), Part(b"d/e"), *wheel_parts()]),
        "has the member 'd/e' below 'd', which is a file",
    ),
    Case(
        "tar-member-twice",
        lambda: gz(sdist_of(member("frog-1.0/a", b"1"), member("frog-1.0/a", b"2"))),
        "has the member 'frog-1.0/a' more than once",
        SDIST,
    ),
    Case(
        "tar-metadata-twice",
        lambda: gz(sdist_of(member("frog-1.0/PKG-INFO", make_metadata("evil", "1.0")))),
        "has the member 'frog-1.0/PKG-INFO' more than once",
        SDIST,
    ),
    Case(
        "tar-metadata-twice-by-another-spelling",
        lambda: gz(sdist_of(member("./frog-1.0/PKG-INFO", make_metadata("evil", "1.0")))),
        "has the member 'frog-1.0/PKG-INFO' more than once",
        SDIST,
    ),
    Case(
        "tar-file-and-folder-of-one-name",
        lambda: gz(sdist_of(member("frog-1.0/a"), member("frog-1.0/a/", kind=b"5"))),
        "has the member 'frog-1.0/a' more than once",
        SDIST,
    ),
    Case(
        "tar-member-below-a-file",
        lambda: gz(sdist_of(member("frog-1.0/a"), member("frog-1.0/a/b"))),
        "below 'frog-1.0/a', which is a file",
        SDIST,
    ),
)


def linked(target: str, kind: bytes = b"2", name: str = "frog-1.0/link") -> Callable[[], bytes]:
    """Return what makes an sdist with a link."""
    return lambda: gz(sdist_of(member(name, kind=kind, link=target.encode())))


LINKS = (
    *(
        Case(f"tar-symlink-{slug}", linked(target), says, SDIST)
        for slug, target, says in (
            ("absolute", "/etc/passwd", "a link that leads out of the archive"),
            ("dot-dot", "../../etc/passwd", "a link that leads out of the archive"),
            ("to-where-it-is-unpacked", "..", "a link that leads out of the archive"),
            ("dot-dot-far-within", "a/b/../../../../x", "a link that leads out of the archive"),
            ("drive-letter", "C:/Windows", "a link that leads out of the archive"),
            ("backslash", "..\\..\\x", "a link that leads out of the archive"),
            ("to-nothing", "", "a link that leads out of the archive"),
            ("control-character", "a\x1bb", "a control character in the name"),
        )
    ),
    Case(
        "tar-member-below-a-symlink",
        lambda: gz(
            sdist_of(
                member("frog-1.0/link", kind=b"2", link=b"sub"), member("frog-1.0/link/evil.py")
            )
        ),
        "below 'frog-1.0/link', which is a link",
        SDIST,
    ),
    Case(
        "tar-symlink-through-a-symlink",
        lambda: gz(
            sdist_of(
                member("frog-1.0/a/b/up", kind=b"2", link=b"../.."),
                member("frog-1.0/x", kind=b"2", link=b"a/b/up/etc"),
            )
        ),
        "through the link 'frog-1.0/a/b/up'",
        SDIST,
    ),
    Case(
        "tar-metadata-is-a-symlink",
        lambda: gz(_info_as_link(b"2")),
        "it must be a plain",
        SDIST,
        says_strictly="has 1 symbolic link ('frog-1.0/PKG-INFO'",
    ),
    Case(
        "tar-metadata-is-a-hard-link",
        lambda: gz(_info_as_link(b"1")),
        "it must be a pl",
        SDIST,
        says_strictly="has 1 hard link ('frog-1.0/PKG-INFO'",
    ),
    *(
        Case(f"tar-hard-link-{slug}", linked(target, b"1"), "which is no file before it", SDIST)
        for slug, target in (
            ("absolute", "/etc/passwd"),
            ("dot-dot", "../../etc/passwd"),
            ("to-what-is-not-there", "frog-1.0/nothing"),
            ("to-itself", "frog-1.0/link"),
        )
    ),
    *(
        Case(f"tar-member-{slug}", in_tar(b"frog-1.0/odd", kind=kind), says, SDIST)
        for slug, kind, says in (
            ("character-device", b"3", "as a character device"),
            ("block-device", b"4", "as a block device"),
            ("fifo", b"6", "as a fifo"),
            ("contiguous-file", b"7", "as a contiguous file"),
            ("sparse-file", b"S", "as a sparse file"),
            ("of-an-unknown-type", b"Q", "of the unknown type"),
            ("volume-label", b"V", "of the unknown type"),
            ("multi-volume", b"M", "of the unknown type"),
            ("incremental-folder", b"D", "of the unknown type"),
            ("solaris-header", b"X", "of the unknown type"),
        )
    ),
    Case("zip-symlink", in_zip(b"link", data=b"frog.py", mode=0o120777), "as a link in a zip"),
    Case("zip-symlink-out", in_zip(b"link", data=b"/etc", mode=0o120777), "as a link in a zip"),
    *(
        Case(f"zip-member-{slug}", in_zip(b"odd", mode=mode), "as a device or another special file")
        for slug, mode in (
            *(("fifo", 0o010644), ("character-device", 0o020644), ("block-device", 0o060644)),
            ("socket", 0o140644),
        )
    ),
    Case("zip-folder-with-bytes", in_zip(b"d/", data=b"x"), "the folder 'd' with bytes in it"),
    Case(
        "zip-folder-by-mode-alone",
        in_zip(b"d", data=b"", method=STORED, mode=0o40755),
        "by its mode and",
    ),
    only_compatible(
        "tar-symlink-inside",
        linked("PKG-INFO"),
        "has 1 symbolic link",
        filename=SDIST,
        finding="'frog-1.0/link' leads to 'frog-1.0/PKG-INFO'",
    ),
    only_compatible(
        "tar-symlink-up-and-inside",
        linked("../frog-1.0/PKG-INFO"),
        "has 1 symbolic link",
        filename=SDIST,
        finding="leads to 'frog-1.0/PKG-INFO'",
    ),
    only_compatible(
        "tar-hard-link-inside",
        linked("frog-1.0/PKG-INFO", b"1"),
        "has 1 hard link",
        filename=SDIST,
        finding="'frog-1.0/link' leads to 'frog-1.0/PKG-INFO'",
    ),
)


def _info_as_link(kind: bytes) -> bytes:
    text = member("frog-1.0/info", make_metadata("frog", "1.0"))
    target = b"info" if kind == b"2" else b"frog-1.0/info"
    link = member("frog-1.0/PKG-INFO", kind=kind, link=target)
    return sdist_of(text, link, pkg_info=False)


def _large(**changes: object) -> Callable[[], bytes]:
    """Return what makes a wheel with 65 MiB of zeros in it, of which its records say something."""
    return lambda: zip_made_of([Part(b"zeros", **changes), *wheel_parts()])  # type: ignore[arg-type]


def _long(number: int) -> bytes:
    return b"frog-1.0/%08d" % number + b"n" * 4000


BOMBS = (
    Case("zip-bomb-of-one-member", _large(data=bytes(65 * MIB)), "more than 50 times its size"),
    Case(
        "zip-bomb-of-many-members",
        lambda: zip_made_of([*[Part(b"%d" % n, bytes(MIB)) for n in range(65)], *wheel_parts()]),
        "is taken for a decompression bomb",
    ),
    Case(
        "zip-bomb-that-lies-of-its-size",
        _large(data=b"x" * 90, packed=deflated(bytes(65 * MIB))),
        "does not unpack to the 90 bytes",
    ),
    Case(
        "zip-bomb-by-its-records-alone",
        _large(local={"unpacked": 2**32 - 2}, central={"unpacked": 2**32 - 2}),
        "is taken for a decompression bomb",
    ),
    Case(
        "tar-bomb-of-one-member",
        lambda: gz(sdist_of(member("frog-1.0/zeros", bytes(65 * MIB)))),
        "is taken for a decompression bomb",
        SDIST,
    ),
    Case(
        "tar-bomb-behind-the-end",
        lambda: gz(sdist_of(end=bytes(65 * MIB))),
        "is taken for a decompression bomb",
        SDIST,
    ),
    Case(
        "zip-of-a-flood-of-members",
        lambda: zip_made_of(
            wheel_parts(),
            End(count=FULL16, zip64=dict.fromkeys(("count", "here"), limits.MAX_MEMBERS + 1)),
        ),
        f"more than {limits.MAX_MEMBERS} members",
    ),
    Case(
        "tar-of-a-flood-of-members",
        lambda: gz(sdist_of(member("frog-1.0/a/", kind=b"5") * (limits.MAX_MEMBERS + 1))),
        f"more than {limits.MAX_MEMBERS} members",
        SDIST,
    ),
    Case(
        "zip-of-a-flood-of-names",
        lambda: zip_made_of([*(Part(_long(n)) for n in range(4200)), *wheel_parts()]),
        f"; at most {limits.MAX_DIRECTORY} are read",
    ),
    Case(
        "tar-of-a-flood-of-names",
        lambda: gz(sdist_of(*(pax({"path": _long(n)}) + member("x") for n in range(2100)))),
        f"more than {limits.MAX_DIRECTORY} bytes of names and headers",
        SDIST,
    ),
    Case(
        "tar-extended-header-of-two-mib",
        lambda: gz(sdist_of(pax({"comment": "x" * 2 * MIB}), member("frog-1.0/a"))),
        f"a member whose header is larger than {limits.MAX_TAR_HEADER} bytes",
        SDIST,
    ),
    Case(
        "tar-extended-header-of-30-mib",
        lambda: gz(sdist_of(pax({"comment": "x" * 30 * MIB}), member("frog-1.0/a"))),
        "a member whose header is larger",
        SDIST,
    ),
    Case(
        "tar-long-name-of-two-mib",
        lambda: gz(sdist_of(long_name(b"x" * 2 * MIB), member("frog-1.0/a"))),
        "a member whose header is larger",
        SDIST,
    ),
    Case(
        "tar-long-link-of-two-mib",
        lambda: gz(sdist_of(long_name(b"x" * 2 * MIB, b"K"), member("frog-1.0/a", kind=b"2"))),
        "a member whose header is larger",
        SDIST,
    ),
    Case(
        "tar-path-longer-than-any-system-has",
        lambda: gz(sdist_of(pax({"path": "frog-1.0/" + "n" * 5000}), member("x"))),
        f"{limits.MAX_PATH} are the most",
        SDIST,
    ),
    Case(
        "tar-of-a-flood-of-global-headers",
        lambda: gz(sdist_of(pax({"comment": "x"}, b"g") * (limits.MAX_GLOBAL_HEADERS + 1))),
        f"more than {limits.MAX_GLOBAL_HEADERS} global headers",
        SDIST,
    ),
    Case(
        "wheel-metadata-of-nine-mib",
        lambda: make_wheel("frog", "1.0", description="x y\n" * (9 * MIB // 4))[1],
        f"at most {limits.MAX_METADATA} are read",
    ),
    Case(
        "sdist-metadata-of-nine-mib",
        lambda: make_sdist("frog", "1.0", description="x y\n" * (9 * MIB // 4))[1],
        f"at most {limits.MAX_METADATA} are read",
        SDIST,
    ),
    Case(
        "wheel-record-of-17-mib",
        lambda: make_wheel(
            "frog", "1.0", files={f"{INFO}/RECORD": b"frog.py,,\n" * (17 * MIB // 10)}
        )[1],
        f"at most {limits.MAX_RECORD} are read",
    ),
    Case(
        "wheel-entry-points-of-two-mib",
        lambda: make_wheel("frog", "1.0", files={f"{INFO}/entry_points.txt": b"[a]\n" * MIB})[1],
        f"at most {limits.MAX_ENTRY_POINTS} are read",
    ),
)

BAD_MEMBERS = (*BAD_NAMES, *TWICE, *LINKS, *BOMBS)
