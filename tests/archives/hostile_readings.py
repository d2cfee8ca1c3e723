"""Archives that mean to hurt whoever reads them in the background, and what becomes of each.

The gate's own hostile archives (tests.archives.hostile) come on top; these get past it, or are
too large for an upload's test.
"""

from __future__ import annotations

import bz2
import json
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

from packages.archive import limits
from tests.archives.bad_readmes import BAD_READMES
from tests.archives.cases import INFO, SDIST, WHEEL
from tests.archives.tars import END, gz, long_name, member, pax, sdist_of
from tests.archives.zips import FULL16, STORED, End, Part, wheel_parts, zip_made_of
from tests.dists import make_egg, make_sdist, make_wheel, tar_of, zip_of

MIB = 1024 * 1024


@dataclass(frozen=True)
class HostileReading:
    """An archive, and a part of the sentence that tells what is wrong with it.

    With `fails` it cannot be read. Else `problem` is in one of its problems; where it is empty, the
    archive is read and does no harm. Where `is_readme`, `readme` is why its README is not shown as
    what it says to be.
    """

    slug: str
    content: Callable[[], bytes]
    filename: str = WHEEL
    fails: str = ""
    problem: str = ""
    readme: str = ""
    is_readme: bool = False


def files(**named: bytes) -> Callable[[], bytes]:
    """Return what makes a wheel with files beside its METADATA, `_` for a dot in their names."""
    return lambda: make_wheel(
        "frog",
        "1.0",
        files={f"{INFO}/{name.replace('_txt', '.txt')}": raw for name, raw in named.items()},
    )[1]


def headed(*lines: str, version: str = "2.1") -> Callable[[], bytes]:
    """Return what makes a wheel with further lines in its metadata."""
    return lambda: make_wheel("frog", "1.0", metadata_version=version, extra_headers=lines)[1]


def beside(members: dict[str, bytes]) -> Callable[[], bytes]:
    """Return what makes a wheel with further members."""
    return lambda: make_wheel("frog", "1.0", files=members)[1]


def _zip_of_a_million() -> bytes:
    """Return a million empty members; written at one go, for one by one would take minutes."""
    names = [b"%07d" % number for number in range(1_000_000)]
    one = zip_made_of([Part(names[0], b"", STORED)])
    local, central = one[:30], one[37:79]
    members = b"".join(local + name for name in names)
    directory = b"".join(
        central + struct.pack("<L", 37 * number) + name for number, name in enumerate(names)
    )
    end = End(
        size=len(directory),
        offset=len(members),
        count=FULL16,
        count_here=FULL16,
        zip64={"count": len(names), "here": len(names)},
    )
    return members + directory + zip_made_of([], end)


def _tar_of_too_many() -> bytes:
    names = (f"frog-1.0/{number:07}" for number in range(limits.MAX_MEMBERS + 1))
    return gz(b"".join(map(member, names)) + END)


def _deep(depth: int) -> bytes:
    return make_wheel("frog", "1.0", files={"/".join(["d"] * depth) + "/x.py": b""})[1]


def _nested(depth: int) -> bytes:
    data = b"green"
    for number in range(depth):
        data = zip_of({f"{number}.zip": data})
    return data


NOISE = random.Random(7).randbytes(2 * MIB)  # noqa: S311 - the same bytes every time
NAMED = b"Metadata-Version: 2.1\nName: frog\nVersion: 1.0\n"
FLOOD = b"".join(b"e%d = a:b\n" % n for n in range(9_000))

SHAPES = (
    HostileReading(
        "bomb-of-zeros-in-a-zip", beside({"zeros": bytes(300 * MIB)}), fails="decompression bomb"
    ),
    HostileReading(
        "bomb-of-zeros-in-a-tar",
        lambda: make_sdist("frog", "1.0", files={"zeros": bytes(300 * MIB)})[1],
        SDIST,
        fails="decompression bomb",
    ),
    HostileReading(
        "bomb-of-zeros-in-bzip2",
        lambda: bz2.compress(sdist_of(member("frog-1.0/zeros", bytes(300 * MIB)))),
        "frog-1.0.tar.bz2",
        fails="decompression bomb",
    ),
    HostileReading("bomb-within-a-bomb", beside({"deep.zip": _nested(50)})),
    HostileReading("bomb-of-gzip-in-gzip", lambda: gz(gz(sdist_of())), SDIST, fails="damaged"),
    HostileReading("million-members-in-a-zip", _zip_of_a_million, fails="more than 100000 members"),
    HostileReading(
        "hundred-thousand-members-and-one-in-a-tar",
        _tar_of_too_many,
        SDIST,
        fails="more than 100000 members",
    ),
    HostileReading(
        "hundred-thousand-members",
        lambda: zip_of({f"{n}": b"" for n in range(99_000)}),
        "frog-1.0.zip",
    ),
    HostileReading("folders-to-the-depth-of-2000", lambda: _deep(2000)),
    HostileReading("folders-deeper-than-a-path", lambda: _deep(3000), fails="whose name has"),
    HostileReading(
        "name-of-60000-bytes", beside({"n" * 60_000: b""}), fails="whose name has 60000 bytes"
    ),
    HostileReading(
        "name-of-a-mebibyte-in-a-tar",
        lambda: gz(sdist_of(long_name(b"frog-1.0/" + b"n" * MIB), member("frog-1.0/n"))),
        SDIST,
        fails="larger than 1048576 bytes",
    ),
    HostileReading(
        "records-in-a-tar",
        lambda: gz(sdist_of(pax({f"{n:06}": "" for n in range(60_000)}), member("frog-1.0/x"))),
        SDIST,
    ),
    HostileReading(
        "link-to-etc-passwd",
        lambda: gz(sdist_of(member("frog-1.0/x", kind=b"2", link=b"/etc/passwd"))),
        SDIST,
        fails="leads out of the archive",
    ),
    HostileReading(
        "link-as-readme",
        lambda: gz(sdist_of(member("frog-1.0/README.md", kind=b"2", link=b"../frog-1.0/PKG-INFO"))),
        SDIST,
        problem="has 1 symbolic link",
    ),
    HostileReading(
        "links-in-a-circle",
        lambda: gz(
            sdist_of(
                member("frog-1.0/a", kind=b"2", link=b"b"),
                member("frog-1.0/b", kind=b"2", link=b"a"),
            )
        ),
        SDIST,
        problem="has 2 symbolic links",
    ),
    HostileReading(
        "licence-as-a-link",
        lambda: gz(sdist_of(member("frog-1.0/LICENSE", kind=b"2", link=b"PKG-INFO"))),
        SDIST,
        problem="has 1 symbolic link",
    ),
    HostileReading(
        "metadata-as-a-hard-link",
        lambda: gz(
            member("frog-1.0/x", NAMED)
            + member("frog-1.0/PKG-INFO", kind=b"1", link=b"frog-1.0/x")
            + END
        ),
        SDIST,
        problem="it is a link or too large",
    ),
    HostileReading(
        "path-that-leads-out", beside({"../../evil.py": b""}), fails="leads out of it by '..'"
    ),
    HostileReading(
        "path-in-latin-1",
        lambda: zip_made_of([Part(b"fr\xf6g"), *wheel_parts()]),
        fails="not UTF-8",
    ),
    HostileReading(
        "path-with-escapes", beside({"a\x1b[2Jb": b""}), fails="has a control character"
    ),
    HostileReading("not-an-archive", lambda: NOISE, fails="begins like no archive"),
    HostileReading("web-page", lambda: b"<html>Sign in</html>", fails="it is a web page"),
    HostileReading("empty", lambda: b"", fails="is empty"),
    HostileReading(
        "cut-short", lambda: make_sdist("frog", "1.0")[1][:-30], SDIST, fails="damaged or cut"
    ),
    HostileReading(
        "zip-and-tar-at-once", lambda: sdist_of() + zip_of({"a": b""}), "frog.tar", fails="at once"
    ),
    HostileReading(
        "tar-called-a-wheel", lambda: make_sdist("frog", "1.0")[1], fails="is not a zip archive"
    ),
    HostileReading(
        "zip-called-a-tar", lambda: zip_of({"a": b""}), SDIST, fails="is not a gzip-compressed"
    ),
    HostileReading(
        "jar-in-a-wheel", beside({"x.class": b"\xca\xfe\xba\xbe\0\0\0\x3d" + NOISE[:500]})
    ),
    HostileReading(
        "noise-of-every-kind-of-head", beside({f"{n}": NOISE[n : n + 64] for n in range(3000)})
    ),
    HostileReading(
        "heads-cut-short",
        beside({"a.so": b"\x7fELF", "b": b"MZ", "c": b"\xca\xfe\xba\xbe", "d": b""}),
    ),
    HostileReading("pe-offset-far-away", beside({"a.dll": b"MZ" + bytes(58) + b"\xff" * 4})),
    HostileReading(
        "mach-o-of-four-billion", beside({"a.dylib": b"\xca\xfe\xba\xbe" + b"\xff" * 4})
    ),
    HostileReading(
        "native-flood", beside({f"{n}.so": b"\x7fELF" + bytes(30) for n in range(5000)})
    ),
)

METADATA = (
    HostileReading(
        "metadata-larger-than-any",
        files(METADATA=NAMED + b"\n" + b"x" * (limits.MAX_METADATA + 1)),
        problem="at most 8388608 are read",
    ),
    HostileReading(
        "metadata-of-eight-mib",
        files(METADATA=NAMED + b"\n" + b"x " * 4_000_000),
        readme="It has more than",
        is_readme=True,
    ),
    HostileReading(
        "metadata-of-eight-mib-of-summary",
        files(METADATA=NAMED + b"Summary: " + b"s" * 8_000_000),
        problem="too long",
    ),
    HostileReading(
        "metadata-of-fields",
        files(METADATA=NAMED + b"Classifier: x\n" * 20_001),
        problem="at most 20000 are read",
    ),
    HostileReading(
        "metadata-of-different-fields",
        files(METADATA=NAMED + b"".join(b"X-%d: 1\n" % n for n in range(400))),
        problem="different fields",
    ),
    HostileReading(
        "metadata-of-folded-lines",
        files(METADATA=NAMED + b" x\n" * 260_000),
        problem="lines of fields before",
    ),
    HostileReading(
        "metadata-in-utf-16",
        files(METADATA=NAMED.decode().encode("utf-16")),
        problem="has no Name field",
    ),
    HostileReading(
        "metadata-in-latin-1",
        files(METADATA=NAMED + b"Author: Zo\xeb\n\nZo\xeb"),
        problem="cannot be read",
    ),
    HostileReading("metadata-of-nuls", files(METADATA=b"\0" * MIB), problem="has no Name field"),
    HostileReading("metadata-of-noise", files(METADATA=NOISE), problem="has no Name field"),
    HostileReading(
        "metadata-with-nuls-in-fields", files(METADATA=NAMED + b"Author: a\0b\nKeywords: \0,\0\n")
    ),
    HostileReading("metadata-with-escapes", headed("Summary: \x1b[2J\x1b]0;evil\x07")),
    HostileReading("metadata-with-directions", headed("Summary: \u202egnp.exe\u2066")),
    HostileReading(
        "metadata-as-mime",
        files(
            METADATA=NAMED + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n" * 100_000
        ),
    ),
    HostileReading(
        "metadata-of-brackets",
        headed("Requires-Dist: a; " + "(" * 3000),
        problem="which is no requirement",
    ),
    HostileReading(
        "metadata-of-nested-licence",
        headed("License-Expression: " + "(" * 3000, version="2.4"),
        problem="too nested",
    ),
    HostileReading(
        "metadata-of-nested-address",
        headed("Author-email: " + "(" * 9000),
        problem="no e-mail address",
    ),
    HostileReading(
        "metadata-of-requirements",
        lambda: make_wheel(
            "frog", "1.0", requires_dist=[f"d{n}[a,b]>=1,<2" for n in range(19_000)]
        )[1],
    ),
    HostileReading("metadata-of-extras", headed(*(f"Provides-Extra: e{n}" for n in range(15_000)))),
    HostileReading(
        "metadata-of-licence-files",
        headed(*(f"License-File: {n}" for n in range(15_000)), version="2.4"),
        problem="names the License-File",
    ),
    HostileReading(
        "metadata-of-licence-files-outside",
        headed("License-File: ../../../etc/passwd", version="2.4"),
        problem="etc/passwd",
    ),
    HostileReading(
        "metadata-of-urls",
        headed(*(f"Project-URL: l{n}, javascript:alert({n})" for n in range(5_000))),
        problem="no http URL",
    ),
    HostileReading("metadata-of-keywords", headed("Keywords: " + "a," * 5_000)),
    HostileReading(
        "metadata-of-import-names",
        headed(*(f"Import-Name: a{n}" for n in range(15_000)), version="2.5"),
    ),
    HostileReading(
        "metadata-version-of-digits", headed(version="9" * 4000), problem="Metadata-Version"
    ),
    HostileReading(
        "metadata-in-many-places",
        lambda: zip_of({f"d{n}-1.0.dist-info/METADATA": NAMED for n in range(9_000)}),
        "frog.zip",
        problem="of 9000 distributions",
    ),
    HostileReading(
        "wheel-of-many-dist-infos",
        beside({f"d{n}-1.0.dist-info/METADATA": NAMED for n in range(9_000)}),
        problem="9001 .dist-info folders",
    ),
    HostileReading(
        "egg-without-anything",
        lambda: make_egg("frog", "1.0", pkg_info=False)[1],
        "frog-1.0-py3.11.egg",
        problem="has no 'EGG-INFO/PKG-INFO'",
    ),
    HostileReading(
        "sdist-of-many-egg-infos",
        lambda: tar_of(
            {
                "frog-1.0/PKG-INFO": NAMED,
                **{f"frog-1.0/{n}.egg-info/PKG-INFO": NAMED for n in range(3_000)},
            }
        ),
        SDIST,
    ),
)

BESIDE = (
    HostileReading("entry-points-flood", files(entry_points_txt=b"[console_scripts]\n" + FLOOD)),
    HostileReading(
        "entry-points-of-lines",
        files(entry_points_txt=b"[x]\n" * 250_000),
        problem="more than 10000 lines",
    ),
    HostileReading(
        "entry-points-of-spaces", files(entry_points_txt=b" " * MIB), problem="4096 characters"
    ),
    HostileReading(
        "entry-points-too-large",
        files(entry_points_txt=b"#" * (MIB + 1)),
        problem="at most 1048576 are read",
    ),
    HostileReading(
        "entry-points-of-noise", files(entry_points_txt=NOISE[:MIB]), problem="not UTF-8"
    ),
    HostileReading(
        "entry-points-with-markup",
        files(entry_points_txt=b"[console_scripts]\n<script>alert(1)</script>=x\n"),
        problem="no name for one",
    ),
    HostileReading(
        "scripts-flood", beside({f"frog-1.0.data/scripts/s{n}": b"" for n in range(20_000)})
    ),
    HostileReading("pth-flood", beside({f"{n}.pth": b"import os\n" for n in range(20_000)})),
    HostileReading("pth-of-sixty-mib", beside({"a.pth": b"#" * 60 * MIB})),
    HostileReading("pth-of-noise", beside({"a.pth": NOISE})),
    HostileReading(
        "top-level-flood", files(top_level_txt=b"".join(b"m%d\n" % n for n in range(100_000)))
    ),
    HostileReading("top-level-of-one-line", files(top_level_txt=b"x" * MIB)),
    HostileReading("modules-flood", beside({f"m{n}.py": b"" for n in range(50_000)})),
    HostileReading(
        "modules-with-odd-names", beside({"<script>.py": b"", "a b.py": b"", "\u202e.py": b""})
    ),
    HostileReading(
        "requires-flood",
        lambda: make_sdist(
            "frog",
            "1.0",
            files={
                "frog.egg-info/requires.txt": b"a;"
                + b"(" * 40
                + b"\n" * 2
                + b"b" * 900
                + b"\n" * 9_000
            },
        )[1],
        SDIST,
        problem="no requirement",
    ),
    HostileReading(
        "requires-of-many",
        lambda: make_sdist("frog", "1.0", files={"frog.egg-info/requires.txt": b"[" + b"[" * MIB})[
            1
        ],
        SDIST,
        problem="at most 1048576",
    ),
    HostileReading("wheel-file-of-tags", files(WHEEL=b"Tag: py3-none-any\n" * 3_000)),
    HostileReading(
        "wheel-file-of-compressed-tags",
        files(WHEEL=b"Tag: " + b".".join([b"py3"] * 2000) + b"-none-any\n"),
        problem="has other tags",
    ),
    HostileReading(
        "wheel-file-too-large", files(WHEEL=b"x" * MIB), problem="at most 65536 are read"
    ),
    HostileReading(
        "record-of-lines",
        files(RECORD=b"x,,\n" * 300_000),
        problem="RECORD of more than 200000 lines",
    ),
    HostileReading(
        "record-of-differences",
        files(RECORD=b"".join(b"%d,,\n" % n for n in range(150_000))),
        problem="RECORD that does not match",
    ),
    HostileReading(
        "record-of-quotes", files(RECORD=b'"' * MIB), problem="cannot be read as UTF-8 CSV"
    ),
    HostileReading(
        "record-that-leads-out",
        files(RECORD=b"../../../etc/passwd,,\n"),
        problem="leads out of the wheel",
    ),
    HostileReading("sbom-of-brackets", beside({f"{INFO}/sboms/a.json": b"[" * 4_000_000})),
    HostileReading("sbom-of-nested-objects", beside({f"{INFO}/sboms/a.json": b'{"a":' * 700_000})),
    HostileReading("sbom-flood", beside({f"{INFO}/sboms/{n}.json": b"{}" for n in range(5_000)})),
    HostileReading(
        "sbom-of-components",
        beside(
            {f"{INFO}/sboms/a.json": json.dumps({"components": [{"name": "x"}] * 200_000}).encode()}
        ),
    ),
    HostileReading(
        "sbom-of-other-types",
        beside(
            {f"{INFO}/sboms/a.json": b'{"bomFormat":"CycloneDX","specVersion":{},"components":{}}'}
        ),
    ),
    HostileReading(
        "sbom-of-entities",
        beside({f"{INFO}/sboms/a.xml": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>' + b"&a;" * 100_000}),
    ),
    HostileReading("sbom-too-large", beside({f"{INFO}/sboms/a.json": b" " * 5 * MIB + b"{}"})),
    HostileReading(
        "sbom-of-numbers", beside({f"{INFO}/sboms/a.json": b"[" + b"9" * 4_000_000 + b"]"})
    ),
    HostileReading("licence-flood", beside({f"{INFO}/licenses/{n}": b"MIT" for n in range(5_000)})),
    HostileReading("licence-of-sixty-mib", beside({f"{INFO}/LICENSE": b"MIT\n" * 15 * MIB})),
    HostileReading(
        "licence-with-markup", beside({f"{INFO}/LICENSE": b"<script>alert(1)</script>"})
    ),
    HostileReading("licence-of-noise", beside({f"{INFO}/LICENSE": NOISE})),
    HostileReading(
        "readme-file-of-noise",
        lambda: make_sdist("frog", "1.0", files={"README.md": NOISE})[1],
        SDIST,
    ),
    HostileReading(
        "readme-files-in-many-spellings",
        lambda: make_sdist(
            "frog", "1.0", files={"README": b"a", "readme": b"b", "ReadMe.MD": b"c"}
        )[1],
        SDIST,
    ),
)

READMES = tuple(
    HostileReading(
        f"readme-{slug}",
        lambda kind=kind, text=text: make_wheel(  # type: ignore[misc]
            "frog",
            "1.0",
            description=text(),
            extra_headers=[f"Description-Content-Type: {kind}"],
        )[1],
        readme=reason,
        is_readme=True,
    )
    for slug, kind, text, reason in BAD_READMES
)

HOSTILE_READINGS = (*SHAPES, *METADATA, *BESIDE, *READMES)
