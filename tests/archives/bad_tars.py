"""Tars whose headers disagree, hide something, or are read differently by different readers."""

from __future__ import annotations

from collections.abc import Callable

from tests.archives.cases import SDIST, WHEEL, Case, sdist, wheel
from tests.archives.tars import (
    END,
    GNU,
    OLD,
    bz,
    gz,
    header,
    long_name,
    member,
    pax,
    record,
    sdist_of,
)
from tests.dists import make_metadata, make_sdist, tar_of

EVIL = member("frog-1.0/evil.py", b"print('evil')")
ANOTHER = sdist_of(EVIL)


def packed(*members: bytes, end: bytes = END) -> Callable[[], bytes]:
    """Return what makes an sdist with these members behind its PKG-INFO."""
    return lambda: gz(sdist_of(*members, end=end))


def odd(slug: str, content: Callable[[], bytes], says: str, filename: str = SDIST) -> Case:
    """Return a case of a tar; strict rules take no other kind than the gzipped one."""
    other = "PEP 625" if filename.endswith((".tar", ".bz2")) else ""
    return Case(slug, content, says, filename, says_strictly=other)


ENDS = (
    odd("gzip-of-two-members", lambda: gz(sdist_of()) + gz(ANOTHER), "behind the end of its gzip"),
    odd(
        "gzip-of-a-tar-in-two-members",
        lambda: gz(sdist_of()[:700]) + gz(sdist_of()[700:]),
        "behind the end of its gzip",
    ),
    odd(
        "gzip-with-an-empty-member", lambda: gz(sdist_of()) + gz(b""), "behind the end of its gzip"
    ),
    odd("gzip-with-trailing-bytes", lambda: gz(sdist_of()) + b"x", "behind the end of its gzip"),
    odd("gzip-with-trailing-zeros", lambda: gz(sdist_of()) + bytes(99), "behind the end of its gz"),
    odd(
        "gzip-with-trailing-far-bytes",
        lambda: gz(sdist_of()) + bytes(200_000),
        "behind the end of its gzip",
    ),
    odd("gzip-cut-off", lambda: gz(sdist_of())[:-40], "damaged or cut short in its gzip stream"),
    odd("gzip-without-its-checksum", lambda: gz(sdist_of())[:-8], "cut short in its gzip stream"),
    odd(
        "gzip-with-a-wrong-checksum",
        lambda: gz(sdist_of())[:-8] + bytes(4) + gz(sdist_of())[-4:],
        "damaged or cut short in its gzip stream",
    ),
    odd(
        "gzip-with-a-wrong-length",
        lambda: gz(sdist_of())[:-4] + b"\1\2\3\4",
        "damaged or cut short in its gzip stream",
    ),
    odd("gzip-of-nothing", lambda: gz(b""), "its tar, which has no end"),
    odd("gzip-of-noise", lambda: b"\x1f\x8b\x08" + b"\xaa" * 400, "in its gzip stream"),
    odd("gzip-of-text", lambda: gz(b"just text\n" * 100), "damaged or cut short in a member's"),
    odd("gzip-of-a-gzip", lambda: gz(gz(sdist_of())), "damaged or cut short"),
    odd("gzip-of-a-zip", lambda: gz(wheel()()), "damaged or cut short in a member's header"),
    odd(
        "gzip-with-a-zip-behind",
        lambda: gz(sdist_of()) + wheel()(),
        "a zip and a tar archive at once",
    ),
    odd(
        "bzip2-of-two-streams",
        lambda: bz(sdist_of()) + bz(ANOTHER),
        "behind the end of its bzip2 stream",
        "frog-1.0.tar.bz2",
    ),
    odd(
        "bzip2-with-trailing-bytes",
        lambda: bz(sdist_of()) + b"x",
        "behind the end of its bzip2 stream",
        "frog-1.0.tar.bz2",
    ),
    odd(
        "bzip2-cut-off",
        lambda: bz(sdist_of())[:-20],
        "damaged or cut short in its bzip2 stream",
        "frog-1.0.tar.bz2",
    ),
    odd(
        "bzip2-of-noise",
        lambda: b"BZh9" + b"\xaa" * 400,
        "damaged or cut short in its bzip2 stream",
        "frog-1.0.tar.bz2",
    ),
    odd(
        "tar-second-archive-behind-the-end", packed(end=END + ANOTHER), "behind the end of its tar"
    ),
    odd(
        "tar-second-archive-far-behind", packed(end=bytes(50_000) + ANOTHER), "behind the end of i"
    ),
    odd(
        "tar-member-behind-a-lone-zero-block", packed(end=END[:512] + EVIL + END), "behind the end"
    ),
    odd("tar-one-byte-behind-the-end", packed(end=END + b"x"), "behind the end of its tar"),
    odd("tar-without-an-end", packed(end=b""), "its tar, which has no end"),
    odd("tar-cut-off-in-a-header", packed(end=EVIL[:300]), "its tar, which has no end"),
    odd("tar-cut-off-in-a-member", packed(end=header(b"frog-1.0/a", 900)), "cut short in a member"),
    odd(
        "tar-cut-off-in-the-metadata",
        lambda: gz(header(b"frog-1.0/PKG-INFO", 900) + b"Name: frog"),
        "cut short in a member",
    ),
    odd(
        "tar-that-is-a-zip-too",
        lambda: tar_of({"frog-1.0/a.whl": wheel()()}, format="tar"),
        "a zip and a tar archive at once",
        "frog-1.0.tar",
    ),
    odd(
        "tar-with-a-zip-behind-its-end",
        lambda: sdist_of() + wheel()(),
        "a zip and a tar archive at once",
        "frog-1.0.tar",
    ),
    odd("tar-without-members", lambda: gz(END), "holds no files"),
    odd("tar-of-folders-alone", lambda: gz(member("d/", kind=b"5") + END), "holds no files"),
)

HEADERS = (
    odd(
        "tar-checksum-wrong",
        packed(member("frog-1.0/a", checksum=b"000001\0 ")),
        "damaged or cut short in a member's header",
    ),
    odd(
        "tar-checksum-that-is-no-number",
        packed(member("frog-1.0/a", checksum=b"checksum")),
        "damaged or cut short in a member's header",
    ),
    *(
        odd(
            f"tar-{field}-that-is-no-number",
            packed(member("frog-1.0/a", **{field: value})),
            "a number in its header that cannot be read",
        )
        for field, value in (
            ("length", b"0x000000001\0"),
            ("mode", b"rw-r--r-"),
            ("uid", b"9999999\0"),
            ("gid", b"00 0000\0"),
            ("mtime", b"-1514764800\0"),
            ("devmajor", b"8888888\0"),
            ("devminor", b"_000000\0"),
        )
    ),
    *(
        odd(
            f"tar-size-{slug}",
            packed(member("frog-1.0/a", EVIL, length=value.ljust(12, b"\0"))),
            "a number in its header that cannot be read",
        )
        for slug, value in (
            ("behind-a-nul", b"\0" + b"0002000"),
            ("behind-a-space-and-a-nul", b" \0" + b"0002000"),
            ("of-nothing", b""),
            ("of-spaces", b" " * 12),
        )
    ),
    odd(
        "tar-size-negative",
        packed(member("frog-1.0/a", length=b"\xff" * 12)),
        "a number in its header that cannot be read",
    ),
    odd(
        "tar-size-of-a-petabyte",
        packed(member("frog-1.0/a", length=b"\x80" + bytes(3) + b"\x00\x04" + bytes(6))),
        "damaged or cut short in a member",
    ),
    odd(
        "tar-size-with-other-high-bits",
        packed(member("frog-1.0/a", length=b"\xc0" + bytes(10) + b"\1")),
        "a number in its header that cannot be read",
    ),
    odd(
        "tar-of-an-unknown-format",
        packed(member("frog-1.0/a", magic=b"ustar\x0099")),
        "a member of an unknown tar format",
    ),
    odd(
        "tar-gnu-times-where-a-prefix-is",
        packed(member("evil.py", magic=GNU, prefix=b"frog-1.0")),
        "that some readers call 'evil.py' and others something longer",
    ),
    odd(
        "tar-old-format-with-a-prefix",
        packed(member("evil.py", magic=OLD, prefix=b"frog-1.0")),
        "that some readers call 'evil.py' and others something longer",
    ),
    odd(
        "tar-posix-format-without-a-version-and-with-a-prefix",
        packed(member("evil.py", magic=b"ustar\0\0\0", prefix=b"frog-1.0")),
        "that some readers call 'evil.py' and others something longer",
    ),
    odd(
        "tar-star-times-behind-a-prefix",
        packed(member("a", prefix=b"frog-1.0", padding=b"tar\0")),
        "more than the pax format has",
    ),
    odd(
        "tar-prefix-leads-out",
        packed(member("evil.py", prefix=b"frog-1.0/../..")),
        "leads out of it by '..'",
    ),
    odd(
        "tar-folder-with-bytes",
        packed(header(b"frog-1.0/d/", 512, b"5") + EVIL[:512]),
        "has bytes behind 'frog-1.0/d/', which is no file",
    ),
    odd(
        "tar-old-folder-with-bytes",
        packed(header(b"frog-1.0/d/", 512, b"\0", magic=OLD) + EVIL[:512]),
        "has bytes behind 'frog-1.0/d/', which is no file",
    ),
    odd(
        "tar-symlink-with-bytes",
        packed(header(b"frog-1.0/l", 512, b"2", link=b"a") + EVIL[:512]),
        "has bytes behind 'frog-1.0/l', which is no file",
    ),
    odd(
        "tar-hard-link-with-bytes",
        packed(header(b"frog-1.0/l", 512, b"1", link=b"frog-1.0/PKG-INFO") + EVIL[:512]),
        "has bytes behind 'frog-1.0/l', which is no file",
    ),
    odd(
        "tar-file-called-like-a-folder",
        packed(member("frog-1.0/d/", b"x")),
        "a file by its type and a folder by its name",
    ),
    odd(
        "tar-link-called-like-a-folder",
        packed(member("frog-1.0/d/", kind=b"2", link=b"PKG-INFO")),
        "a file by its type and a folder by its name",
    ),
    odd(
        "tar-old-folder-of-the-posix-format",
        packed(member("frog-1.0/d/", kind=b"\0")),
        "a file by its type and a folder by its name",
    ),
    odd(
        "tar-old-folder-that-is-all-prefix",
        packed(member("", EVIL, b"\0", prefix=b"frog-1.0/d")),
        "a file by its type and a folder by its name",
    ),
)

# A file to some readers, and to the others a folder, behind which they look for the next header:
# the file's bytes are one.
SMUGGLED = (
    *(
        odd(
            f"tar-folder-in-the-header-alone-by-{slug}",
            packed(extension, member("frog-1.0/d/", EVIL, b"\0", magic=magic)),
            "is called 'frog-1.0/d/' in one header and 'frog-1.0/d' in another",
        )
        for slug, extension, magic in (
            ("pax", pax({"path": "frog-1.0/d"}), b"ustar\x0000"),
            ("gnu", long_name(b"frog-1.0/d"), GNU),
            ("pax-before-the-old-format", pax({"path": "frog-1.0/d"}), OLD),
        )
    ),
    *(
        odd(
            f"tar-folder-in-the-extended-header-alone-by-{slug}",
            packed(extension, member("frog-1.0/d", EVIL, kind, magic=magic)),
            "is called 'frog-1.0/d' in one header and 'frog-1.0/d/' in another",
        )
        for slug, extension, kind, magic in (
            ("pax", pax({"path": "frog-1.0/d/"}), b"\0", b"ustar\x0000"),
            ("gnu", long_name(b"frog-1.0/d/"), b"\0", GNU),
            ("pax-for-a-file", pax({"path": "frog-1.0/d/"}), b"0", b"ustar\x0000"),
        )
    ),
    *(
        odd(
            f"tar-folder-in-the-header-before-a-{slug}-name",
            packed(extension, member("frog-1.0/d/", EVIL, kind)),
            "a file by its type and a folder by its name",
        )
        for slug, extension, kind in (
            ("long-pax", pax({"path": "frog-1.0/" + "n" * 120}), b"\0"),
            ("long-gnu", long_name(b"frog-1.0/" + b"n" * 120), b"\0"),
            ("pax-utf-8", pax({"path": "frog-1.0/fr\u00f6g"}), b"\0"),
            ("gnu-utf-8", long_name("frog-1.0/fr\u00f6g".encode()), b"\0"),
            ("long-pax-file", pax({"path": "frog-1.0/" + "n" * 120}), b"0"),
            ("pax-utf-8-file", pax({"path": "frog-1.0/fr\u00f6g"}), b"0"),
        )
    ),
    odd(
        "tar-old-folder-cut-before-a-long-name",
        packed(
            long_name(b"frog-1.0/" + b"n" * 90 + b"/x"),
            member("frog-1.0/" + "n" * 90 + "/", EVIL, b"\0", magic=GNU),
        ),
        "a file by its type and a folder by its name",
    ),
    odd(
        "tar-folder-behind-a-long-name",
        packed(
            long_name(b"frog-1.0/" + b"n" * 120 + b"/"),
            member("frog-1.0/" + "n" * 91, EVIL, magic=GNU),
        ),
        "a file by its type and a folder by its name",
    ),
    *(
        odd(
            f"tar-{slug}-with-bytes-by-pax",
            packed(
                pax({"size": str(len(EVIL))}), member("frog-1.0/l", kind=kind, link=link) + EVIL
            ),
            f"'frog-1.0/l' with 0 bytes by one header and {len(EVIL)} by another",
        )
        for slug, kind, link in (
            ("folder", b"5", b""),
            ("symlink", b"2", b"PKG-INFO"),
            ("hard-link", b"1", b"frog-1.0/PKG-INFO"),
        )
    ),
    *(
        odd(
            f"tar-pax-size-with-{slug}",
            packed(pax({"size": size}), member("frog-1.0/a"), EVIL),
            "a size that is no number",
        )
        for slug, size in (
            ("twenty-zeros-in-front", "0" * 20 + str(len(EVIL))),
            ("a-zero-in-front", "01000"),
            ("a-space-in-front", " 1024"),
            ("an-underscore", "1_024"),
            ("other-digits", "\u0661"),
        )
    ),
    odd(
        "tar-pax-target-of-a-file",
        packed(pax({"linkpath": "../../etc/passwd"}), member("frog-1.0/a", b"x")),
        "has a target for 'frog-1.0/a', which is no link",
    ),
    odd(
        "tar-long-target-of-a-folder",
        packed(long_name(b"../" * 40, b"K"), member("frog-1.0/d/", kind=b"5")),
        "has a target for 'frog-1.0/d/', which is no link",
    ),
    odd(
        "tar-link-target-with-a-slash-more",
        packed(pax({"linkpath": "PKG-INFO/"}), member("frog-1.0/l", kind=b"2", link=b"PKG-INFO")),
        "is called 'PKG-INFO' in one header and 'PKG-INFO/' in another",
    ),
    odd(
        "tar-long-name-with-bytes-behind-its-nul",
        packed(
            long_name(b"frog-1.0/" + b"n" * 120 + b"\0.py"),
            member("frog-1.0/" + "n" * 91, b"x", magic=GNU),
        ),
        "has bytes behind the long name",
    ),
    *(
        odd(
            f"tar-pax-{slug}",
            packed(pax({keyword: "9"}), EVIL),
            f"an extended header with '{keyword}'; tar readers differ",
        )
        for slug, keyword in (
            ("volume", "GNU.volume.offset"),
            ("dump", "GNU.dumpdir"),
            ("real-size", "SCHILY.realsize"),
            ("file-type", "SCHILY.filetype"),
            ("holes", "SUN.holesdata"),
        )
    ),
    *(
        odd(
            f"tar-pax-{keyword}-that-is-no-number",
            packed(pax({keyword: value}), EVIL),
            f"with the {keyword} '{value}', which is no number",
        )
        for keyword, value in (("mtime", "now"), ("atime", ""), ("uid", "-1"), ("gid", "1.0"))
    ),
    odd(
        "tar-flood-of-pax-records",
        lambda: gz(
            sdist_of(
                *(
                    pax({f"{number:x}": "" for number in range(90_000)})
                    + member(f"frog-1.0/{member_number}")
                    for member_number in range(5)
                )
            )
        ),
        "more than 400000 records in its extended headers",
    ),
)

EXTENDED = (
    odd(
        "tar-pax-path-differs",
        packed(pax({"path": "frog-1.0/evil.py"}), member("frog-1.0/setup.py")),
        "is called 'frog-1.0/setup.py' in one header and 'frog-1.0/evil.py' in another",
    ),
    odd(
        "tar-pax-path-leads-out",
        packed(pax({"path": "../evil.py"}), member("../evil.py")),
        "leads out of it by '..'",
    ),
    odd(
        "tar-pax-path-absolute",
        packed(pax({"path": "/" + "n" * 120}), member("n" * 100)),
        "a member with an absolute path",
    ),
    odd("tar-pax-path-empty", packed(pax({"path": ""}), EVIL), "an empty path"),
    odd(
        "tar-pax-path-not-utf-8",
        packed(pax({"path": b"frog-1.0/\xe9"}), member("frog-1.0/e")),
        "whose name is not UTF-8",
    ),
    odd(
        "tar-pax-path-with-a-nul",
        packed(pax({"path": "frog-1.0/" + "n" * 100 + "\0.py"}), member("frog-1.0/n")),
        "a control character in the name",
    ),
    odd(
        "tar-pax-path-with-a-newline",
        packed(pax({"path": "frog-1.0/" + "n" * 100 + "\n"}), member("frog-1.0/n")),
        "a control character in the name",
    ),
    odd(
        "tar-pax-link-differs",
        packed(
            pax({"linkpath": "PKG-INFO"}), member("frog-1.0/l", kind=b"2", link=b"../../etc/passwd")
        ),
        "in one header and 'PKG-INFO' in another",
    ),
    odd(
        "tar-pax-link-leads-out",
        packed(
            pax({"linkpath": "../" * 40 + "etc/passwd"}), member("frog-1.0/l", kind=b"2", link=b"x")
        ),
        "a link that leads out of the archive",
    ),
    odd(
        "tar-pax-size-differs",
        packed(pax({"size": "0"}), member("frog-1.0/a", EVIL)),
        "bytes by one header and 0 by another",
    ),
    odd(
        "tar-pax-size-larger",
        packed(pax({"size": "1024"}), member("frog-1.0/a", b""), EVIL),
        "with 0 bytes by one header and 1024 by another",
    ),
    odd(
        "tar-pax-size-of-a-petabyte",
        packed(pax({"size": str(2**50)}), member("frog-1.0/a", b"")),
        "damaged or cut short in a member",
    ),
    odd("tar-pax-size-negative", packed(pax({"size": "-512"}), EVIL), "a size that is no number"),
    odd("tar-pax-size-that-is-text", packed(pax({"size": "1e9"}), EVIL), "a size that is no num"),
    odd(
        "tar-pax-size-of-a-thousand-digits",
        packed(pax({"size": "9" * 1000}), EVIL),
        "a size that is no number",
    ),
    odd(
        "tar-pax-charset-of-its-own",
        packed(pax({"hdrcharset": "BINARY"}), EVIL),
        "in another character set than UTF-8",
    ),
    *(
        odd(f"tar-pax-sparse-{slug}", packed(pax(records), EVIL), "has a sparse member")
        for slug, records in (
            ("0-0", {"GNU.sparse.size": "9", "GNU.sparse.numblocks": "1"}),
            ("0-1", {"GNU.sparse.map": "0,9"}),
            ("1-0", {"GNU.sparse.major": "1", "GNU.sparse.name": "frog-1.0/evil.py"}),
        )
    ),
    *(
        odd(f"tar-pax-record-{slug}", packed(member("x", data, b"x"), EVIL), says)
        for slug, data, says in (
            ("twice", record(b"path", b"a") + record(b"path", b"b"), "with 'path' twice"),
            ("too-long", b"99 path=a\n", "an extended header that cannot be read"),
            ("too-short", b"5 path=frog\n", "an extended header that cannot be read"),
            ("of-length-nothing", b"0 path=a\n", "an extended header that cannot be read"),
            ("with-a-leading-zero", b"011 path=ab\n", "an extended header that cannot be read"),
            ("without-a-length", b"path=frog\n", "an extended header that cannot be read"),
            ("without-an-end", b"9 path=ab", "an extended header that cannot be read"),
            ("without-equals", b"10 pathab\n", "an extended header that cannot be read"),
            ("without-a-keyword", b"6 =ab\n", "an extended header that cannot be read"),
            ("with-zeros-behind", record(b"a", b"b") + bytes(9), "header that cannot be read"),
            ("of-a-giant-length", b"9999999999999 path=a\n", "header that cannot be read"),
        )
    ),
    odd(
        "tar-global-path",
        packed(pax({"path": "frog-1.0/evil.py"}, b"g"), EVIL),
        "a global header with a path for all members",
    ),
    odd(
        "tar-global-size",
        packed(pax({"size": "0"}, b"g"), EVIL),
        "a global header with a size for all members",
    ),
    odd(
        "tar-global-linkpath",
        packed(pax({"linkpath": "x"}, b"g"), EVIL),
        "a global header with a linkpath for all members",
    ),
    odd("tar-global-sparse", packed(pax({"GNU.sparse.size": "9"}, b"g"), EVIL), "a sparse member"),
    odd(
        "tar-two-extended-headers",
        packed(pax({"comment": "a"}), pax({"comment": "b"}), EVIL),
        "several extended headers for one member",
    ),
    odd(
        "tar-extended-header-and-long-name",
        packed(pax({"comment": "a"}), long_name(b"frog-1.0/" + b"n" * 120), EVIL),
        "several extended headers for one member",
    ),
    odd(
        "tar-long-name-and-extended-header",
        packed(long_name(b"frog-1.0/" + b"n" * 120), pax({"path": "frog-1.0/x"}), EVIL),
        "several extended headers for one member",
    ),
    odd(
        "tar-two-long-names",
        packed(long_name(b"frog-1.0/" + b"a" * 120), long_name(b"frog-1.0/" + b"b" * 120), EVIL),
        "several extended headers for one member",
    ),
    odd(
        "tar-global-header-between",
        packed(pax({"comment": "a"}), pax({"comment": "b"}, b"g"), EVIL),
        "several extended headers for one member",
    ),
    odd(
        "tar-extended-header-at-the-end",
        packed(pax({"path": "frog-1.0/x"})),
        "an extended header without a member behind it",
    ),
    odd(
        "tar-chain-of-extended-headers",
        packed(pax({}) * 1500),
        "several extended headers for one member",
    ),
    odd(
        "tar-long-name-differs",
        packed(long_name(b"frog-1.0/evil.py"), member("frog-1.0/setup.py")),
        "is called 'frog-1.0/setup.py' in one header and 'frog-1.0/evil.py' in another",
    ),
    odd(
        "tar-long-name-leads-out",
        packed(long_name(b"../" * 40 + b"evil.py"), member("../x")),
        "leads out of it by '..'",
    ),
    odd(
        "tar-long-link-leads-out",
        packed(
            long_name(b"../" * 40 + b"evil.py", b"K"), member("frog-1.0/l", kind=b"2", link=b"../")
        ),
        "a link that leads out of the archive",
    ),
)

SHAPES = (
    odd("sdist-that-is-empty", lambda: b"", "is empty"),
    odd("wheel-that-is-empty", lambda: b"", "is empty", "frog-1.0-py3-none-any.whl"),
    *(
        odd(f"{slug}", content, says, filename)
        for slug, content, says, filename in (
            ("wheel-that-is-a-page", lambda: b"\n<!DOCTYPE html>Sign in", "a web page", WHEEL),
            ("sdist-that-is-a-page", lambda: b"<html>Sign in", "a web page", SDIST),
            ("wheel-that-is-a-program", lambda: b"MZ\x90\0", "it begins like no archive", WHEEL),
            ("wheel-that-is-a-tar-gz", sdist(), "begins like a gzip-compressed tar", WHEEL),
            ("wheel-that-is-a-tar", sdist_of, "it begins like a tar archive", WHEEL),
            ("sdist-that-is-a-zip", sdist(format="zip"), "it begins like a zip archive", SDIST),
            ("sdist-that-is-bzip2", sdist(format="tar.bz2"), "like a bzip2-compressed", SDIST),
            ("sdist-that-is-not-packed", sdist(format="tar"), "begins like a tar archive", SDIST),
            ("sdist-that-is-xz", lambda: b"\xfd7zXZ\0" * 99, "it begins like no archive", SDIST),
            ("sdist-that-is-a-rar", lambda: b"Rar!\x1a\x07" * 99, "begins like no archive", SDIST),
        )
    ),
)

TOPS = (
    odd(
        "sdist-with-two-folders",
        packed(member("evil-1.0/setup.py")),
        "more than one file or folder at its top",
    ),
    odd(
        "sdist-with-two-folders-behind-the-metadata",
        packed(EVIL, member("evil-1.0/PKG-INFO", make_metadata("evil", "1.0"))),
        "more than one file or folder at its top",
    ),
    odd("sdist-with-a-file-at-its-top", packed(member("setup.py")), "more than one file or folder"),
    odd(
        "sdist-without-a-folder",
        lambda: gz(sdist_of(member("PKG-INFO"), pkg_info=False)),
        "more than one file or folder at its top",
    ),
    odd("sdist-without-metadata", sdist(pkg_info=False), "has no PKG-INFO in its top folder"),
    odd(
        "sdist-with-metadata-too-deep",
        lambda: gz(sdist_of(member("frog-1.0/src/PKG-INFO"), pkg_info=False)),
        "has no PKG-INFO in its top folder",
    ),
    odd(
        "sdist-with-metadata-as-a-folder",
        lambda: gz(sdist_of(member("frog-1.0/PKG-INFO/a"), pkg_info=False)),
        "has no PKG-INFO in its top folder",
    ),
    Case(
        "old-zip-sdist-without-metadata",
        lambda: make_sdist("frog", "1.0", format="zip", pkg_info=False)[1],
        "has no PKG-INFO in its top folder",
        "frog-1.0.zip",
        says_strictly="PEP 625",
    ),
)

BAD_TARS = (*ENDS, *HEADERS, *EXTENDED, *SMUGGLED, *SHAPES, *TOPS)
