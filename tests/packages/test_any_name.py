"""Names, versions and file names of any sort: what they mean, and that nothing else is raised."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hypothesis import assume, example, given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from base.errors import InvalidInput
from packages.filenames import (
    MAX_SHOWN,
    archive_format,
    name_in_stem,
    parse_filename,
    parse_name,
    parse_version,
    shown,
)
from packages.versions import newest_version, version_key
from tests.properties import examples

# Few letters, so that two draws often mean the same.
NAMES = st.from_regex(r"[aB](?:[._-]{0,2}[aB1]){0,2}", fullmatch=True)
VERSIONS = st.from_regex(
    r"(?:0!|1!)?(?:0|1|01|10)(?:\.(?:0|1)){0,2}(?:a0|a1|rc1)?(?:\.post1)?(?:\.dev0)?(?:\+[aA]1)?",
    fullmatch=True,
)
BUILDS = st.sampled_from(["", "", "1", "01", "1a", "2"])
PYTHONS = st.sampled_from(["py3", "py2.py3", "py3.py2", "cp311", "CP311"])
PLATFORMS = st.sampled_from(["any", "linux_x86_64", "win32.linux_x86_64", "linux_x86_64.win32"])
ENDINGS = st.sampled_from([".tar.gz", ".tgz", ".zip", ".tar", ".tar.bz2"])
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="ab1.-_+! \x00\n/\\éK", max_size=40),
    NAMES,
    VERSIONS,
)


@dataclass(frozen=True)
class File:
    """A file name and what it came with."""

    name: str
    version: str
    filename: str

    @property
    def identity(self) -> str:
        """Return what Larder says it is."""
        return parse_filename(self.filename, name=self.name, version=self.version).identity


@st.composite
def wheels(draw: st.DrawFn) -> File:
    name, version = draw(NAMES), draw(VERSIONS)
    spelled = re.sub("[-_]+", "_", name)  # PEP 427: "-" divides
    parts = [spelled, version, draw(BUILDS), draw(PYTHONS), "none", draw(PLATFORMS)]
    return File(name, version, "-".join(part for part in parts if part) + ".whl")


@st.composite
def sdists(draw: st.DrawFn) -> File:
    name, version = draw(NAMES), draw(VERSIONS)
    return File(name, version, f"{name}-{version}{draw(ENDINGS)}")


@st.composite
def eggs(draw: st.DrawFn) -> File:
    name, version = draw(NAMES), draw(VERSIONS)
    python, platform = draw(st.sampled_from(["3.11", "2.7"])), draw(st.sampled_from(["", "-W32"]))
    return File(name, version, f"{name.replace('-', '_')}-{version}-py{python}{platform}.egg")


@given(wheels(), wheels())
@examples(300)
def test_wheels_are_the_same_file_exactly_if_packaging_reads_the_same(
    one: File, other: File
) -> None:
    same = parse_wheel_filename(one.filename) == parse_wheel_filename(other.filename)
    assert (one.identity == other.identity) is same


@given(sdists(), sdists())
@examples(300)
def test_sdists_are_the_same_file_exactly_if_name_version_and_format_are(
    one: File, other: File
) -> None:
    def meaning(file: File) -> object:
        return (
            canonicalize_name(file.name),
            Version(file.version),
            archive_format(file.filename),
        )

    assert (one.identity == other.identity) is (meaning(one) == meaning(other))


@given(st.one_of(wheels(), sdists(), eggs()))
@examples(300)
def test_what_a_file_name_says_is_what_it_was_made_of(file: File) -> None:
    said = parse_filename(file.filename, name=file.name, version=file.version)
    assert said.filename == file.filename
    assert said.normalized == canonicalize_name(file.name) == parse_name(said.name)
    assert said.version == Version(file.version)
    assert said.identity.isascii()
    # What one spelling of name and version says, every other says too.
    other = parse_filename(
        file.filename, name=said.normalized.replace("-", "_"), version=str(said.version)
    )
    assert other == said


@given(sdists(), NAMES, VERSIONS)
@examples(300)
def test_a_file_name_agrees_with_no_other_name_or_version(
    file: File, name: str, version: str
) -> None:
    as_came = (canonicalize_name(file.name), Version(file.version))
    assume((canonicalize_name(name), Version(version)) != as_came)
    try:
        said = parse_filename(file.filename, name=name, version=version)
    except InvalidInput:
        return
    # The one way left: "-" may belong to the name, or to the version as old tools wrote it.
    assert (said.normalized, said.version) == (canonicalize_name(name), Version(version))
    assert "-" in file.name or "-" in file.version


def refused(read: Callable[[], object]) -> None:
    """Read something; a refusal is one line for a terminal, and nothing else is raised."""
    sentence = ""
    try:
        read()
    except InvalidInput as refusal:
        sentence = refusal.sentence
    assert sentence.isascii()
    assert sentence.isprintable()


@given(TEXTS, TEXTS, TEXTS, st.sampled_from(["", "sdist", "bdist_wheel", "bdist_egg", "x"]))
@example("frog\n", "1.0\n", "frog-1.0.tar.gz\n", "sdist")
@example("K", "1", "k-1.zip", "")  # a Kelvin sign, which lower-cases to a letter
@example("a", "1" * 5000, "a-1.zip", "")
@examples(500)
def test_any_text_is_read_or_refused_with_a_sentence(
    name: str, version: str, filename: str, filetype: str
) -> None:
    refused(lambda: parse_name(name))
    refused(lambda: parse_version(version))
    for ending in ("", ".whl", ".egg", ".tar.gz"):
        refused(partial(archive_format, filename + ending))
        for stem in (filename, f"{name}-{version}"):
            refused(partial(parse_filename, stem + ending, name=name, version=version))
            refused(partial(parse_filename, stem + ending, name="a", version="1"))
        refused(partial(parse_filename, "a-1" + ending, name="a", version="1", filetype=filetype))


@given(TEXTS, NAMES, VERSIONS)
@examples(300)
def test_any_stem_is_read(stem: str, name: str, version: str) -> None:
    spelled = name_in_stem(stem, canonicalize_name(name), Version(version))
    assert spelled is None or canonicalize_name(spelled) == canonicalize_name(name)


@given(st.text())
@examples(200)
def test_a_sentence_repeats_nothing_that_a_terminal_would_obey(text: str) -> None:
    assert shown(text).isascii()
    assert shown(text).isprintable()
    assert len(shown(text)) <= MAX_SHOWN * len("\\U0010ffff") + 2


@given(st.lists(VERSIONS, min_size=1, max_size=8), st.data())
@examples(300)
def test_versions_are_ordered_as_packaging_orders_them(
    drawn: list[str], data: st.DataObject
) -> None:
    by_key = sorted(drawn, key=lambda text: version_key(Version(text)))
    assert [Version(text) for text in by_key] == sorted(map(Version, drawn))
    offered = {text: data.draw(st.booleans()) for text in drawn}
    newest = newest_version(offered)
    good = [text for text in offered if offered[text]] or list(offered)
    final = [text for text in good if not Version(text).is_prerelease] or good
    assert Version(newest) == max(map(Version, final))
