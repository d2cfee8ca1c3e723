"""What core metadata says, however old, new or odd it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packages.filenames import Kind
from packages.metadata import (
    CoreMetadata,
    LetIn,
    MetadataRefused,
    metadata_is_servable,
    objections,
    parse_core_metadata,
    read_header,
)
from packages.metadata.header import MAX_FIELD_LINES, MAX_FIELDS, MAX_HEADER_LINES
from tests.dists import make_metadata

NAMED = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n"

FULL = """\
Metadata-Version: 2.4
Name: Foo.Bar
Version: 1.0
Summary: A thing.
Keywords: one,two, three
Author: Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}
Author-email: zoe@example.org
Maintainer: Max
Maintainer-email: max@example.org
License-Expression: MIT
License-File: LICENSE
License-File: NOTICE
Home-page: https://example.org/
Download-URL: https://example.org/get
Requires-Python: >=3.9,
        <4
Classifier: Programming Language :: Python
Classifier: Topic :: Utilities
Platform: any
Project-URL: Source, https://example.org/src
Project-URL: Changes, https://example.org/a,b
Requires-Dist: requests>=2
Requires-Dist: rich; extra == "fancy"
Provides-Extra: fancy
Dynamic: Requires-Dist
Import-Name: foo.bar
Import-Name: _foo; private
Import-Namespace: foo
Description-Content-Type: text/markdown; charset=UTF-8

# Foo

Text: with a colon.
""".encode()


def refusal(raw: bytes) -> str:
    with pytest.raises(MetadataRefused) as refused:
        parse_core_metadata(raw)
    assert refused.value.sentence.isascii()
    assert refused.value.sentence.isprintable()
    return refused.value.sentence


def wrong(raw: bytes) -> list[str]:
    """Return what is objected to, whoever lets it in."""
    return [objection.says for objection in objections(read_header(raw))]


def texts(metadata: CoreMetadata) -> str:
    fields = (getattr(metadata, name) for name in CoreMetadata.__slots__ if name != "raw")
    return "".join(field if isinstance(field, str) else repr(field) for field in fields)


def test_every_field_is_read() -> None:
    assert parse_core_metadata(FULL) == CoreMetadata(
        raw=FULL,
        metadata_version="2.4",
        name="Foo.Bar",
        version="1.0",
        summary="A thing.",
        description="# Foo\n\nText: with a colon.\n",
        description_content_type="text/markdown; charset=UTF-8",
        keywords="one, two, three",
        author="Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}",
        author_email="zoe@example.org",
        maintainer="Max",
        maintainer_email="max@example.org",
        license="",
        license_expression="MIT",
        home_page="https://example.org/",
        download_url="https://example.org/get",
        requires_python=">=3.9, <4",
        classifiers=("Programming Language :: Python", "Topic :: Utilities"),
        platforms=("any",),
        project_urls=(
            ("Source", "https://example.org/src"),
            ("Changes", "https://example.org/a,b"),
        ),
        requires_dist=("requests>=2", 'rich; extra == "fancy"'),
        provides_extra=("fancy",),
        dynamic=("Requires-Dist",),
        license_files=("LICENSE", "NOTICE"),
        import_names=("foo.bar", "_foo; private"),
        import_namespaces=("foo",),
    )


@pytest.mark.parametrize(
    "version", ["1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "9.10"]
)
def test_every_metadata_version_is_read_unknown_ones_too(version: str) -> None:
    raw = make_metadata(
        "foo",
        "1.0",
        metadata_version=version,
        requires_dist=["bar"],
        extra_headers=["Import-Name: foo", "Invented-Later: yes"],
    )
    metadata = parse_core_metadata(raw)
    assert metadata.raw == raw
    assert metadata.metadata_version == version
    assert metadata.requires_dist == ("bar",)


def test_the_unknowns_of_distutils_are_absent() -> None:
    raw = (
        b"Metadata-Version: 1.0\nName: foo\nVersion: 1.0\nSummary: UNKNOWN\nHome-page: UNKNOWN\n"
        b"Author: UNKNOWN\nLicense: UNKNOWN\nDescription: UNKNOWN\nPlatform: UNKNOWN\n"
        b"Description-Content-Type: UNKNOWN\n\nUNKNOWN\n\n\n"
    )
    metadata = parse_core_metadata(raw)
    assert texts(metadata) == "1.0foo1.0" + "()" * 9


def test_a_description_in_the_header_is_unfolded() -> None:
    for fold in (b"\n        ", b"\n       |", b"\r\n        "):
        raw = NAMED + b"Description: First" + fold + b"" + fold + b"    code" + fold + b"Last\n"
        assert parse_core_metadata(raw).description == "First\n\n    code\nLast"


def test_a_licence_text_keeps_its_lines() -> None:
    raw = NAMED + b"License: MIT\n        \n        Permission is granted\n"
    assert parse_core_metadata(raw).license == "MIT\n\nPermission is granted"


def test_a_description_given_twice_is_the_body_and_noted() -> None:
    raw = NAMED + b"Description: old\n\nnew\n"
    assert parse_core_metadata(raw).description == "new\n"
    (objection,) = objections(read_header(raw))
    assert "one in the body" in objection.says
    assert objection.let_in is LetIn.ALWAYS


def test_windows_line_ends_do_not_matter_and_are_kept_in_the_raw_text() -> None:
    raw = FULL.replace(b"\n", b"\r\n")
    read, expected = parse_core_metadata(raw), parse_core_metadata(FULL)
    assert read.raw == raw
    assert texts(read) == texts(expected)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no Name"),
        (b"<html>sign in</html>", "no Name"),
        (b"Metadata-Version: 2.1\nVersion: 1.0\n", "no Name"),
        (b"Name: foo\n", "no Version"),
        (b"Name: UNKNOWN\nVersion: 0.0.0\n", "no Name"),
        (NAMED + b"Name: bar\n", "more than one Name"),
        (NAMED + b"name: foo\n", "more than one Name"),
        (NAMED + b"Version: 1.0\n", "more than one Version"),
        (b"Name: f o\nVersion: 1.0\n", "not a project name"),
        (b"Name: foo\n bar\nVersion: 1.0\n", "not a project name"),
        (b"Name: f\xff\nVersion: 1.0\n", "not a project name"),
        (b"Name: foo\nVersion: latest\n", "not a version"),
        (b"Name: foo\nVersion: \xff1\n", "not a version"),
    ],
)
def test_metadata_that_does_not_say_whose_it_is_is_refused(raw: bytes, says: str) -> None:
    assert says in refusal(raw)


def test_an_author_in_another_encoding_costs_an_accent_only() -> None:
    raw = NAMED + b"Author: Zo\xeb\nSummary: fine\n"
    metadata = parse_core_metadata(raw)
    assert metadata.author == "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}"
    assert metadata.summary == "fine"
    assert wrong(raw) == ["has a metadata field 'author' that cannot be read"]


def test_a_description_in_another_encoding_is_shown_with_marks() -> None:
    raw = NAMED + b"\nZo\xeb\n"
    assert parse_core_metadata(raw).description == "Zo\N{REPLACEMENT CHARACTER}\n"
    assert wrong(raw) == ["has a description that is not UTF-8"]


def test_what_a_database_cannot_hold_is_marked() -> None:
    metadata = parse_core_metadata(NAMED + b"Summary: a\0b\nAuthor: \xed\xa0\x80\n\nc\0d")
    assert metadata.summary == "a\N{REPLACEMENT CHARACTER}b"
    assert metadata.description == "c\N{REPLACEMENT CHARACTER}d"
    texts(metadata).encode()


def test_a_field_given_twice_is_read_once_and_objected_to() -> None:
    raw = NAMED + b"Summary: one\nSummary: two\n"
    assert parse_core_metadata(raw).summary == "one"
    assert wrong(raw) == ["has the metadata field 'summary' 2 times"]


def test_labels_given_twice_are_all_kept() -> None:
    raw = NAMED + b"Project-URL: A, https://a.example/\nProject-URL: A, https://b.example/\n"
    urls = (("A", "https://a.example/"), ("A", "https://b.example/"))
    assert parse_core_metadata(raw).project_urls == urls


def test_objections_come_in_a_fixed_order_and_what_they_are_about_is_read_all_the_same() -> None:
    raw = make_metadata(
        "foo",
        "1.0",
        requires_python="3.x",
        requires_dist=["not a requirement"],
        extra_headers=["License-Expression: MIT", "Provides-Extra: a b"],
    )
    metadata = parse_core_metadata(raw)
    assert metadata.requires_python == "3.x"
    assert metadata.requires_dist == ("not a requirement",)
    *of_the_specification, of_a_requirement = wrong(raw)
    assert len(of_the_specification) == 3
    assert of_the_specification == sorted(of_the_specification)
    assert "as 'requires-dist', which is no requirement" in of_a_requirement


def test_twelve_hundred_requirements_and_a_long_description_are_read() -> None:
    raw = make_metadata(
        "foo",
        "1.0",
        requires_dist=[f"dep{number}>=1" for number in range(1200)],
        description="text\n" * 600_000,
    )
    metadata = parse_core_metadata(raw)
    assert len(metadata.requires_dist) == 1200
    assert len(metadata.description) == 3_000_000
    assert wrong(raw) == []


def test_a_mime_structure_is_text_like_any_other() -> None:
    part = b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n'
    nested = b"".join(part % (depth, depth) for depth in range(5000))
    metadata = parse_core_metadata(NAMED + nested)
    assert metadata.description.startswith("--b0\nContent-Type:")
    encoded = NAMED + b"Content-Transfer-Encoding: base64\n\nSGVsbG8=\n"
    assert parse_core_metadata(encoded).description == "SGVsbG8=\n"


def test_a_flood_of_fields_is_refused() -> None:
    different = b"".join(b"X-%d: 1\n" % number for number in range(MAX_FIELDS))
    assert "different fields" in refusal(NAMED + different)
    assert "fields; at most" in refusal(NAMED + b"Classifier: x\n" * MAX_FIELD_LINES)
    assert "lines of fields" in refusal(NAMED + b" x\n" * MAX_HEADER_LINES)


def test_a_value_that_would_keep_a_strict_reader_busy_is_not_checked() -> None:
    value = b"text/plain" + b"; a=b" * 200_000
    raw = NAMED + b"Description-Content-Type: " + value + b"\n"
    assert parse_core_metadata(raw).description_content_type == value.decode()
    assert wrong(raw) == ["has a metadata field 'description-content-type' that is too long"]


@given(
    st.lists(
        st.sampled_from(
            [
                *FULL.splitlines(keepends=True),
                *(b"\n", b"\r", b" ", b": ", b"\0", b"\xff\xfe", b"\xe2\x80\xa8", b"\x0b"),
                *(b"=?utf-8?b?/w==?=", b"--b\n", b"From x\n", b"Name: foo\n", b"Version: 1\n"),
                *(b"Content-Type: multipart/mixed; boundary=b\n", b"Requires-Python: "),
                *(b"Description-Content-Type: text/plain; x*\n", b"Summary: "),
            ]
        ),
        max_size=30,
    )
)
@settings(deadline=None, max_examples=600)
def test_odd_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    for text in (raw, NAMED + raw):
        try:
            metadata = parse_core_metadata(text)
        except MetadataRefused:
            continue
        for says in wrong(text):
            assert says.isascii()
            assert says.isprintable()
        assert metadata.raw == text
        assert "\n" not in metadata.requires_python
        assert "\0" not in texts(metadata)
        texts(metadata).encode()


@pytest.mark.parametrize(
    ("kind", "version", "dynamic", "servable"),
    [
        (Kind.WHEEL, "1.0", (), True),
        (Kind.WHEEL, "2.2", ("Requires-Dist",), True),
        (Kind.SDIST, "2.1", (), False),
        (Kind.SDIST, "2.2", (), True),
        (Kind.SDIST, "2.10", (), True),
        (Kind.SDIST, "3.0", (), True),
        (Kind.SDIST, "2.2", ("Requires-Dist",), False),
        (Kind.SDIST, "two", (), False),
        (Kind.EGG, "2.2", (), False),
        (Kind.DUMB, "2.2", (), False),
    ],
)
def test_metadata_is_served_where_it_is_what_will_be_installed(
    kind: Kind,
    version: str,
    dynamic: tuple[str, ...],
    servable: bool,
) -> None:
    raw = make_metadata("foo", "1.0", metadata_version=version, dynamic=dynamic)
    assert metadata_is_servable(kind, parse_core_metadata(raw)) is servable
