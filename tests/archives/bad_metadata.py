"""Sound archives whose metadata breaks a rule, and names that strict rules do not take."""

from __future__ import annotations

from collections.abc import Iterable

from packages.metadata.header import MAX_FIELD_LINES, MAX_FIELDS, MAX_HEADER_LINES
from tests.archives.cases import INFO, SDIST, Case, only_compatible, sdist, wheel
from tests.dists import make_dumb, make_egg, make_sdist, make_wheel

Row = tuple[str, list[str], str]


def said(*headers: str, version: str = "2.4") -> dict[str, object]:
    """Return the changes to a wheel or an sdist whose metadata has these lines more."""
    return {"metadata_version": version, "extra_headers": headers}


def raw(text: bytes) -> dict[str, object]:
    """Return the changes to a wheel whose METADATA is this."""
    return {"files": {f"{INFO}/METADATA": text}}


NAMED = b"Metadata-Version: 2.1\nName: frog\nVersion: 1.0\n"

# What nobody lets in, in metadata of today.
WRONG: Iterable[Row] = (
    ("summary-of-600-characters", ["Summary: " + "s" * 600], "has a Summary of 600 characters"),
    ("summary-of-two-lines", ["Summary: one", "  two"], "'summary' must be a single line"),
    ("summary-twice", ["Summary: one", "Summary: two"], "the metadata field 'summary' 2 times"),
    ("requires-python-wrong", ["Requires-Python: 3.x"], "'3.x' is invalid for 'requires-python'"),
    ("requires-python-script", ["Requires-Python: <script>"], "is invalid for 'requires-python'"),
    (
        "requires-python-twice",
        ["Requires-Python: >=3.9", "Requires-Python: >=2"],
        "the metadata field 'requires-python' 2 times",
    ),
    (
        "requires-dist-wrong",
        ["Requires-Dist: not one"],
        "'not one' as 'requires-dist', which is no",
    ),
    (
        "requires-dist-marker",
        ["Requires-Dist: a; x == 'y'"],
        "as 'requires-dist', which is no requ",
    ),
    (
        "requires-dist-giant",
        ["Requires-Dist: a" + "," * 20_000],
        "'requires-dist' that is too long",
    ),
    ("provides-dist-wrong", ["Provides-Dist: not one"], "as 'provides-dist', which is no"),
    ("obsoletes-dist-wrong", ["Obsoletes-Dist: no one"], "as 'obsoletes-dist', which is no req"),
    ("provides-extra-wrong", ["Provides-Extra: a b"], "'a b' is invalid for 'provides-extra'"),
    ("dynamic-unknown", ["Dynamic: Frogs"], "'frogs' is not a valid dynamic field"),
    ("dynamic-name", ["Dynamic: Name"], "'name' is not allowed as a dynamic field"),
    ("dynamic-version", ["Dynamic: Version"], "'version' is not allowed as a dynamic field"),
    ("licence-twice", ["License: MIT", "License-Expression: MIT"], "both License and License-Exp"),
    ("licence-expression-wrong", ["License-Expression: Frog-1.0"], "for 'license-expression'"),
    (
        "label-of-40-characters",
        [f"Project-URL: {'l' * 40}, https://x"],
        "a Project-URL label of 40",
    ),
    ("label-missing", ["Project-URL: , https://example.org"], "without a label"),
    ("project-url-missing", ["Project-URL: Docs"], "as its 'Docs', which is no http URL"),
    (
        "project-url-script",
        ["Project-URL: Docs, javascript:alert(1)"],
        "as its 'Docs', which is no",
    ),
    (
        "project-url-data",
        ["Project-URL: Docs, data:text/html,x"],
        "as its 'Docs', which is no http",
    ),
    ("project-url-spaces", ["Project-URL: Docs, https://a b"], "as its 'Docs', which is no http"),
    (
        "home-page-script",
        ["Home-page: javascript:alert(1)"],
        "as 'home-page', which is no http URL",
    ),
    ("home-page-file", ["Home-page: file:///etc/passwd"], "as 'home-page', which is no http URL"),
    ("download-url-wrong", ["Download-URL: here"], "as 'download-url', which is no http URL"),
    ("author-email-wrong", ["Author-email: frog at example"], "as 'author-email', which is no e-m"),
    (
        "author-email-of-nobody",
        ["Author-email: @example.org"],
        "as 'author-email', which is no e-mai",
    ),
    (
        "maintainer-email-wrong",
        ["Maintainer-email: frog"],
        "as 'maintainer-email', which is no e-m",
    ),
    ("content-type-wrong", ["Description-Content-Type: text/html"], "'description-content-type'"),
    ("content-type-charset", ["Description-Content-Type: text/plain; charset=latin-1"], "charset"),
    (
        "content-type-variant",
        ["Description-Content-Type: text/markdown; variant=x"],
        "variants for",
    ),
    ("content-type-broken", ["Description-Content-Type: text/plain; x*"], "content-type"),
    (
        "content-type-giant",
        ["Description-Content-Type: " + "x" * 20_000],
        "content-type' that is too",
    ),
    ("author-giant", ["Author: " + "x" * 20_000], "a metadata field 'author' that is too long"),
)

DEEP = "(" * 3000 + ")" * 3000
NESTED = "(" * 3000 + "os_name == 'x'" + ")" * 3000


def flood(field: str) -> list[str]:
    """Return as many requirements as a field may hold, full of brackets, that take long to read."""
    marker = " or ".join(f"{'(' * 12}os_name == 'x'{')' * 12}" for _ in range(4))
    return [f"{field}: a; {marker}"] * 4000


# What stops a reader that goes deeper with each bracket, or keeps one busy, in metadata of any
# age: compatible rules take what is old, and note it.
EXHAUSTING: Iterable[Row] = (
    ("author-email-nested", [f"Author-email: {DEEP}"], "as 'author-email', which is no e-mail"),
    (
        "author-email-nested-in-an-address",
        [f"Author-email: a <{DEEP}b@example.org>"],
        "as 'author-email', which is no e-mail",
    ),
    (
        "author-email-of-groups",
        ["Author-email: " + "a:" * 4000],
        "as 'author-email', which is no e-mail",
    ),
    (
        "maintainer-email-nested",
        [f"Maintainer-email: {DEEP}"],
        "'maintainer-email', which is no e-",
    ),
    (
        "requires-dist-nested",
        [f"Requires-Dist: a; {NESTED}"],
        "as 'requires-dist', which is no req",
    ),
    (
        "provides-dist-nested",
        [f"Provides-Dist: a; {NESTED}"],
        "as 'provides-dist', which is no req",
    ),
    (
        "obsoletes-dist-nested",
        [f"Obsoletes-Dist: a; {NESTED}"],
        "as 'obsoletes-dist', which is no req",
    ),
    (
        "requires-dist-flooded",
        flood("Requires-Dist"),
        "has requirements of more than 524288 characters",
    ),
    (
        "provides-dist-flooded",
        flood("Provides-Dist"),
        "has requirements of more than 524288 characters",
    ),
    (
        "licence-expression-nested",
        ["License-Expression: " + "(" * 3000 + "MIT" + ")" * 3000],
        "as 'license-expression', which is too nested",
    ),
    (
        "content-type-of-quotes",
        ["Description-Content-Type: text/plain; " + '"' * 9_900],
        "metadata that is not valid: 'text/plain;",
    ),
)

# What compatible rules take and note.
ODD: Iterable[Row] = (
    (
        "classifier-unknown",
        ["Classifier: Frogs :: Green"],
        "the unknown classifier 'Frogs :: Green'",
    ),
    ("classifier-private", ["Classifier: Private :: No"], "the unknown classifier 'Private :: No'"),
    (
        "classifier-deprecated",
        ["Classifier: License :: OSI Approved :: X.Net License"],
        "the deprecated classifier 'License :: OSI",
    ),
    ("classifiers-unknown", ["Classifier: A", "Classifier: B"], "classifier 'A' (and 1 more)"),
    ("requires-dist-url", ["Requires-Dist: a @ https://example.org/a.whl"], "by a URL of its own"),
    ("requires-dist-file", ["Requires-Dist: a @ file:///etc/passwd"], "by a URL of its own"),
    ("provides-dist-url", ["Provides-Dist: a @ https://example.org/a.whl"], "by a URL of its own"),
)

# Whole files that are no metadata of anything.
FILES = (
    ("empty", b"", "The metadata has no Name field"),
    ("page", b"<html>Sign in</html>", "The metadata has no Name field"),
    ("nameless", b"Metadata-Version: 2.1\nVersion: 1.0\n", "The metadata has no Name field"),
    ("versionless", b"Metadata-Version: 2.1\nName: frog\n", "The metadata has no Version field"),
    ("name-twice", NAMED + b"Name: evil\n", "more than one Name field"),
    ("version-twice", NAMED + b"Version: 2.0\n", "more than one Version field"),
    ("name-unknown", b"Metadata-Version: 2.1\nName: UNKNOWN\nVersion: 1.0\n", "no Name field"),
    (
        "name-with-a-line-break",
        b"Metadata-Version: 2.1\nName: frog\n x\nVersion: 1\n",
        "not a proj",
    ),
    (
        "name-with-a-path",
        b"Metadata-Version: 2.1\nName: ../frog\nVersion: 1.0\n",
        "not a project n",
    ),
    (
        "version-not-one",
        b"Metadata-Version: 2.1\nName: frog\nVersion: latest\n",
        "is not a version",
    ),
    ("metadata-version-missing", b"Name: frog\nVersion: 1.0\n", "has no Metadata-Version, or one"),
    (
        "metadata-version-text",
        b"Metadata-Version: two\nName: frog\nVersion: 1.0\n",
        "has no Metadata-Version, or one that is none: 'two'",
    ),
    (
        "metadata-version-that-never-was",
        b"Metadata-Version: 1.7\nName: frog\nVersion: 1.0\n",
        "has the Metadata-Version '1.7', which never was one",
    ),
    ("author-in-latin-1", NAMED + b"Author: Zo\xeb\n", "a metadata field 'author' that cannot be"),
    ("description-in-latin-1", NAMED + b"\nZo\xeb\n", "has a description that is not UTF-8"),
    ("flood-of-fields", NAMED + b"Classifier: x\n" * MAX_FIELD_LINES, "fields; at most 20000"),
    (
        "flood-of-different-fields",
        NAMED + b"".join(b"X-%d: 1\n" % number for number in range(MAX_FIELDS)),
        "different fields; at most",
    ),
    ("flood-of-lines", NAMED + b" x\n" * MAX_HEADER_LINES, "lines of fields before its descript"),
)

BAD_METADATA = (
    *(Case(f"metadata-{slug}", wheel(**said(*lines)), says) for slug, lines, says in WRONG),
    *(
        Case(f"metadata-of-an-sdist-{slug}", sdist(**said(*lines)), says, SDIST)
        for slug, lines, says in WRONG
        if slug.startswith(("requires-", "dynamic-"))
    ),
    *(
        only_compatible(f"metadata-{slug}", wheel(**said(*lines)), says, finding=says)
        for slug, lines, says in ODD
    ),
    *(Case(f"metadata-{slug}", wheel(**said(*lines)), says) for slug, lines, says in EXHAUSTING),
    *(
        only_compatible(
            f"metadata-old-and-{slug}", wheel(**said(*lines, version="1.2")), says, finding=says
        )
        for slug, lines, says in EXHAUSTING
        if not slug.startswith(("licence-", "content-type-"))  # younger than that
    ),
    *(Case(f"metadata-{slug}", wheel(**raw(text)), says) for slug, text, says in FILES),
    Case(
        "metadata-import-name-wrong",
        wheel(**said("Import-Name: a-b", version="2.5")),
        "'a-b' is not a valid identifier",
    ),
    only_compatible(
        "metadata-of-a-version-to-come",
        wheel(**said("Invented-Later: yes", version="2.9")),
        "has the Metadata-Version '2.9', which is not known",
        finding="has the Metadata-Version '2.9', which is not known",
    ),
    only_compatible(
        "metadata-of-the-withdrawn-version",
        wheel(**said(version="2.0")),
        "has the Metadata-Version '2.0', which is not known",
        finding="has the Metadata-Version '2.0'",
    ),
    only_compatible(
        "metadata-old-and-without-a-proper-url",
        wheel(**said("Home-page: www.example.org", version="1.1")),
        "has 'www.example.org' as 'home-page'",
        finding="has 'www.example.org' as 'home-page'",
    ),
    only_compatible(
        "metadata-old-and-in-latin-1",
        wheel(**raw(b"Metadata-Version: 1.1\nName: frog\nVersion: 1.0\nAuthor: Zo\xeb\n")),
        "a metadata field 'author' that cannot be read",
        finding="a metadata field 'author' that cannot be read",
    ),
    only_compatible(
        "metadata-old-and-with-a-long-summary",
        wheel(**said("Summary: " + "s" * 600, version="1.2")),
        "has a Summary of 600 characters",
        finding="has a Summary of 600 characters",
    ),
    Case(
        "egg-with-wrong-metadata",
        lambda: make_egg("frog", "1.0", requires_python="two")[1],
        "an old kind (egg)",
        "frog-1.0-py3.11.egg",
        let_in=True,
        finding="'two' is invalid for 'requires-python'",
    ),
)


def _wheel(tag: str) -> Case:
    filename, content = make_wheel("frog", "1.0", tag=tag)
    platform = tag.rpartition("-")[2]
    return only_compatible(
        f"name-wheel-for-{platform.replace('_', '-').replace('.', '-')}",
        lambda: content,
        "which is no platform of its list",
        filename=filename,
    )


def _sdist(format: str) -> Case:  # noqa: A002 - what setuptools calls it
    filename, content = make_sdist("frog", "1.0", format=format)
    slug = f"name-sdist-as-{format.replace('.', '-')}"
    return only_compatible(slug, lambda: content, "should be called", filename=filename)


def _spelled(slug: str, filename: str, content: bytes, name: str, says: str) -> Case:
    return only_compatible(f"name-{slug}", lambda: content, says, filename=filename, name=name)


def _local(kind: str) -> Case:
    make = make_wheel if kind == "wheel" else make_sdist
    filename, content = make("frog", "1.0+acme.1")
    return only_compatible(
        f"name-{kind}-with-a-local-version",
        lambda: content,
        "has the local version '1.0+acme.1'",
        filename=filename,
        version="1.0+acme.1",
    )


BAD_NAMES = (
    *(
        _wheel(tag)
        for tag in (
            "cp311-cp311-linux_x86_64",
            "cp311-cp311-linux_aarch64",
            "cp311-cp311-manylinux_2_17_x86_64.linux_x86_64",
            "cp311-cp311-manylinux_2_17_z80",
            "cp311-cp311-macosx_12_5_arm64",
            "cp311-cp311-mingw_x86_64",
            "cp311-cp311-freebsd_14_0_release_amd64",
        )
    ),
    *(_sdist(packed) for packed in ("zip", "tar", "tgz", "tar.bz2")),
    _local("wheel"),
    _local("sdist"),
    _spelled(
        "wheel-in-capitals", *make_wheel("Frog", "1.0", spelled="Frog"), "frog", "start with 'frog'"
    ),
    _spelled(
        "wheel-with-a-dot",
        *make_wheel("frog.fu", "1.0", spelled="frog.fu"),
        "frog.fu",
        "should start with 'frog_fu' (PEP 427)",
    ),
    _spelled("sdist-in-capitals", *make_sdist("Frog", "1.0", spelled="Frog"), "frog", "(PEP 625)"),
    _spelled(
        "sdist-with-a-dash",
        *make_sdist("frog-fu", "1.0", spelled="frog-fu"),
        "frog-fu",
        "should be called 'frog_fu-1.0.tar.gz' (PEP 625)",
    ),
    _spelled("egg", *make_egg("frog", "1.0"), "frog", "an old kind (egg)"),
    _spelled("dumb-archive", *make_dumb("frog", "1.0"), "frog", "an old kind (dumb)"),
    _spelled("dumb-zip", *make_dumb("frog", "1.0", format="zip"), "frog", "an old kind (dumb)"),
)
