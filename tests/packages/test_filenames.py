"""What file names say, which of them mean the same file, and which are refused."""

from __future__ import annotations

import itertools
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from packages.filenames import (
    MAX_SHOWN,
    DistributionName,
    FilenameRefused,
    Kind,
    NameRefused,
    VersionRefused,
    guess,
    name_in_stem,
    parse_filename,
    parse_name,
    parse_version,
)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """One name, spelled in two ways."""
    words = draw(st.lists(st.text(string.ascii_lowercase + "0123456789", min_size=1), max_size=3))
    words = ["a", *(word[:8] for word in words)]
    spelled = [words[0], words[0]]
    for word in words[1:]:
        for side in range(2):
            separator = draw(st.sampled_from(["_", "."]))
            spelled[side] += separator + draw(st.sampled_from([word, word.upper()]))
    return spelled[0], spelled[1]


def of(
    filename: str, name: str = "foo", version: str = "1.0", filetype: str = ""
) -> DistributionName:
    return parse_filename(filename, name=name, version=version, filetype=filetype)


def refusal(filename: str, name: str = "foo", version: str = "1.0", filetype: str = "") -> str:
    with pytest.raises(FilenameRefused) as refused:
        of(filename, name, version, filetype)
    sentence = refused.value.sentence
    assert sentence.isascii()
    assert sentence.isprintable()
    assert len(sentence) < 4 * MAX_SHOWN
    return sentence


def test_a_wheels_name_says_project_version_and_tags() -> None:
    named = of("Foo.Bar-1.0-1b-py2.py3-none-any.whl", "foo-bar")
    assert named == DistributionName(
        filename="Foo.Bar-1.0-1b-py2.py3-none-any.whl",
        kind=Kind.WHEEL,
        name="Foo.Bar",
        normalized=canonicalize_name("foo-bar"),
        version=Version("1.0"),
        identity="foo-bar 1 wheel build=1b py2.py3-none-any",
        python_tag="py2.py3",
    )


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("foo-1.0+acme.1-py3-none-any.whl", "1.0+acme.1"),
        ("foo-1.0+acme_1-py3-none-any.whl", "1.0+acme.1"),
        ("foo-1!2.0-py3-none-any.whl", "1!2.0"),
        ("foo-1.0-cp311-cp311-linux_x86_64.whl", "1.0"),
        ("foo-1.0-cp27-cp27mu-manylinux1_x86_64.whl", "1.0"),
        ("foo-1.0-py3-none-macosx_10_9_universal2.macosx_11_0_arm64.whl", "1.0"),
        ("FOO-1.0-py3-none-any.whl", "1.0"),
        ("foo-20260101123456-py3-none-any.whl", "20260101123456"),
    ],
)
def test_wheels_of_every_version_and_platform_are_accepted(filename: str, version: str) -> None:
    assert of(filename, version=version, filetype="bdist_wheel").kind is Kind.WHEEL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Foo.Bar-1.0-py3-none-any.whl", "foo_bar-1.0.0-py3-none-any.whl"),
        ("foo_bar-1.0-py3-none-any.whl", "foo_bar-01.0-py3-none-any.whl"),
        ("foo_bar-1.0-py2.py3-none-any.whl", "foo_bar-1.0-py3.py2-none-any.whl"),
        ("foo_bar-1.0-py3-none-any.whl", "foo_bar-1.0-PY3-none-any.whl"),
        ("foo_bar-1.0-1-py3-none-any.whl", "foo_bar-1.0-01-py3-none-any.whl"),
        ("foo_bar-1.0-py3-none-any.py3.whl", "foo_bar-1.0-py3-none-py3.any.any.whl"),
        ("foo_bar-1.0.tar.gz", "Foo-Bar-1.0.0.tar.gz"),
        ("foo_bar-1.0.tar.gz", "foo_bar-1.0.tgz"),
        ("foo_bar-1.0-py3.8.egg", "Foo.Bar-1.0.0-py3.8.egg"),
        ("foo-bar-1.0.linux-x86_64.tar.gz", "foo_bar-1.0.0.linux-x86_64.tar.gz"),
    ],
)
def test_two_spellings_of_one_file_have_one_identity(one: str, other: str) -> None:
    assert of(one, "foo-bar").identity == of(other, "foo-bar").identity


def test_different_files_of_one_version_have_different_identities() -> None:
    names = [
        "foo-1.0-py3-none-any.whl",
        "foo-1.0-1-py3-none-any.whl",
        "foo-1.0-1a-py3-none-any.whl",
        "foo-1.0-2-py3-none-any.whl",
        "foo-1.0-py2.py3-none-any.whl",
        "foo-1.0-cp311-abi3-linux_x86_64.whl",
        "foo-1.0-cp311-abi3-linux_aarch64.whl",
        "foo-1.0.tar.gz",
        "foo-1.0.tar.bz2",
        "foo-1.0.tar",
        "foo-1.0.zip",
        "foo-1.0-py3.8.egg",
        "foo-1.0-py3.9.egg",
        "foo-1.0-py3.9-linux-x86_64.egg",
        "foo-1.0.linux-x86_64.tar.gz",
        "foo-1.0.linux-x86_64.zip",
        "foo-1.0.win32.zip",
    ]
    assert len({of(name).identity for name in names}) == len(names)


def test_the_longest_file_name_has_an_identity_that_fits_its_column() -> None:
    tags = ".".join("".join(pair) for pair in itertools.product("abcdefgh", repeat=2))
    filename = f"{'f' * 40}-1.0a-py3-none-{tags}.whl"
    filename = filename.removesuffix(".whl")[:251] + ".whl"
    assert len(of(filename, "f" * 40, "1.0a").identity) <= 512


@given(spellings())
@settings(deadline=None, max_examples=100)
def test_any_two_spellings_of_a_name_mean_the_same_file(names: tuple[str, str]) -> None:
    one, other = names
    for ending in ("-1.0-py3-none-any.whl", "-1.0.tar.gz", "-1.0-py3.8.egg"):
        first, second = of(one + ending, other), of(other + ending, one)
        assert first.identity == second.identity
        assert first.name == one


@pytest.mark.parametrize(
    ("filename", "name", "version", "spelled"),
    [
        ("foo_bar-1.0.tar.gz", "foo-bar", "1.0", "foo_bar"),
        ("Foo-Bar-1.0.tar.gz", "foo.bar", "1.0.0", "Foo-Bar"),
        ("foo-2-1.0.zip", "foo-2", "1.0", "foo-2"),
        ("foo-1.0-1.zip", "foo", "1.0.post1", "foo"),
        ("foo-1.0-dev.tar", "foo", "1.0.dev0", "foo"),
        ("foo-1.0+acme.1.tar.gz", "foo", "1.0+acme.1", "foo"),
        ("foo-1.0_acme.1.tar.gz", "foo", "1.0+acme.1", "foo"),
        ("foo-1.0-acme.1.tar.gz", "foo", "1.0+acme.1", "foo"),
        ("foo-1.0-acme-1.tgz", "foo", "1.0+acme.1", "foo"),
        ("foo-1.0-1-acme.1.tgz", "foo", "1.0.post1+acme.1", "foo"),
        ("foo-1!2.0.tar.bz2", "foo", "1!2.0", "foo"),
        ("foo-v1.0.tar.gz", "foo", "1.0", "foo"),
    ],
)
def test_sdists_of_today_and_of_long_ago_are_accepted(
    filename: str, name: str, version: str, spelled: str
) -> None:
    for filetype in ("sdist", ""):
        named = of(filename, name, version, filetype)
        assert (named.kind, named.name, named.python_tag) == (Kind.SDIST, spelled, "source")


@pytest.mark.parametrize(
    ("filename", "name", "version", "python"),
    [
        ("foo-1.0-py3.11.egg", "foo", "1.0", "3.11"),
        ("foo_bar-1.0-py2.7-linux-x86_64.egg", "foo-bar", "1.0", "2.7"),
        ("foo-1.0_1-py2.7.egg", "foo", "1.0.post1", "2.7"),
        ("foo-1.0_acme.1-py2.7.egg", "foo", "1.0+acme.1", "2.7"),
        ("foo-1.0+acme.1-py3.8-macosx-10.9-x86_64.egg", "foo", "1.0+acme.1", "3.8"),
    ],
)
def test_eggs_are_accepted_with_their_escapes(
    filename: str, name: str, version: str, python: str
) -> None:
    named = of(filename, name, version, "bdist_egg")
    assert (named.kind, named.python_tag) == (Kind.EGG, python)


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("foo-1.0.linux-x86_64.tar.gz", "1.0"),
        ("foo-1.0.win-amd64.zip", "1.0"),
        ("foo-1.0.macosx-10.9-x86_64.tar.gz", "1.0"),
        ("foo-1.0.post1.linux-x86_64.tar.gz", "1.0.post1"),
    ],
)
def test_a_dumb_archive_is_told_from_an_sdist_by_its_platform(filename: str, version: str) -> None:
    for filetype in ("bdist_dumb", ""):
        assert of(filename, version=version, filetype=filetype).kind is Kind.DUMB


@pytest.mark.parametrize(
    "filename",
    [
        "foo/../foo-1.0.tar.gz",
        "foo\\foo-1.0.tar.gz",
        "foo-1.0.tar.gz\n",
        "foo-1.0\r\nX-Evil: 1.tar.gz",
        "foo-1.0\0.tar.gz",
        "foo-1.0-py3-none-any .whl",
        "foo-1.0-py3-none-any%2f.whl",
        "foo-1.0-py3-none-any;a=b.whl",
        "foo-1.0-py3-none-<b>.whl",
        "f\N{LATIN SMALL LETTER O WITH DIAERESIS}o-1.0.tar.gz",
        "\N{KELVIN SIGN}-1.0.tar.gz",
        "foo-1.0.tar.gz\N{RIGHT-TO-LEFT OVERRIDE}",
    ],
)
def test_a_name_with_any_other_character_is_refused(filename: str) -> None:
    assert "ASCII letters, digits" in refusal(filename)


def test_a_hidden_file_is_refused() -> None:
    assert "starts with a dot" in refusal(".foo-1.0.tar.gz")


def test_a_name_that_no_file_system_holds_is_refused() -> None:
    assert "260 characters" in refusal("foo-1.0-py3-none-" + "a" * 239 + ".whl")


@pytest.mark.parametrize(
    "filename", ["foo-1.0.exe", "foo-1.0.rpm", "foo-1.0.tar.xz", "foo-1.0", "", "foo-1.0.WHL"]
)
def test_an_unknown_extension_is_refused_with_the_accepted_ones(filename: str) -> None:
    assert ".whl, .egg, .tar.bz2, .tar.gz, .tgz, .tar, .zip" in refusal(filename)


@pytest.mark.parametrize(
    ("filename", "filetype", "right"),
    [
        ("foo-1.0.tar.gz", "bdist_wheel", "a .tar.gz file is 'sdist'"),
        ("foo-1.0.zip", "bdist_egg", "a .zip file is 'sdist'"),
        ("foo-1.0-py3-none-any.whl", "sdist", "a .whl file is 'bdist_wheel'"),
        ("foo-1.0-py3.8.egg", "bdist_dumb", "a .egg file is 'bdist_egg'"),
    ],
)
def test_a_filetype_against_the_extension_is_refused(
    filename: str, filetype: str, right: str
) -> None:
    assert right in refusal(filename, filetype=filetype)


def test_a_filetype_that_nothing_installs_is_refused() -> None:
    assert "use one of sdist, bdist_wheel, bdist_egg, bdist_dumb" in refusal(
        "foo-1.0.zip", filetype="bdist_wininst"
    )


@pytest.mark.parametrize(
    "filename",
    [
        "bar-1.0-py3-none-any.whl",
        "foo-1.1-py3-none-any.whl",
        "foo-1.0+acme-py3-none-any.whl",
        "bar-1.0-py3.8.egg",
        "foo-1.1-py3.8.egg",
    ],
)
def test_a_file_name_that_says_another_project_or_version_is_refused(filename: str) -> None:
    assert "both must be the same" in refusal(filename)


@pytest.mark.parametrize(
    ("filename", "filetype"),
    [
        ("bar-1.0.tar.gz", ""),
        ("foo-1.1.tar.gz", ""),
        ("foo1.0.tar.gz", ""),
        ("foo--1.0.tar.gz", ""),
        ("foo.tar.gz", ""),
        ("-1.0.tar.gz", ""),
        ("foo-1.0.post1.tar.gz", ""),
        ("foo-1.0.post1.tar.gz", "bdist_dumb"),
        ("foo-1.0.1.tar.gz", "bdist_dumb"),
        ("foo-1.0.dev1.tar.gz", ""),
        ("foo-1.0.tar.gz", "bdist_dumb"),
        ("foo-1.0.linux-x86_64.tar.gz", "sdist"),
    ],
)
def test_an_archive_named_otherwise_is_refused_with_the_right_name(
    filename: str, filetype: str
) -> None:
    assert "it should be 'foo-1.0" in refusal(filename, filetype=filetype)


def test_a_post_release_is_not_taken_for_an_old_local_version() -> None:
    assert "foo-1.0+1.tar.gz" in refusal("foo-1.0-1.tar.gz", version="1.0+1")


@pytest.mark.parametrize(
    "filename",
    ["foo-1.0.whl", "foo-1.0-py3-none.whl", "foo-1.0-x-py3-none-any.whl", "foo-1.0-py3--any.whl"],
)
def test_a_wheel_without_its_parts_is_refused_with_the_pattern(filename: str) -> None:
    assert "name-version[-build]-python-abi-platform.whl" in refusal(filename)


def test_an_egg_without_a_python_version_is_refused() -> None:
    assert "name-version-pyX.Y[-platform].egg" in refusal("foo-1.0.egg")


@pytest.mark.parametrize("text", ["a", "A", "7", "foo", "Foo.Bar_baz-2", "a" * 200])
def test_a_project_name_is_normalised(text: str) -> None:
    assert parse_name(text) == canonicalize_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "foo-",
        "_foo",
        "foo bar",
        "foo\n",
        "\nfoo",
        "f\0o",
        "f/o",
        "\N{KELVIN SIGN}",
        "a" * 201,
    ],
)
def test_what_is_no_project_name_is_refused(text: str) -> None:
    with pytest.raises(NameRefused) as refused:
        parse_name(text)
    assert refused.value.sentence.isascii()
    assert refused.value.sentence.isprintable()


@pytest.mark.parametrize("text", ["1.0", "v1.0", "1!2.0rc1.post3.dev4+local.5", "1.0-1", " 1.0 "])
def test_every_spelling_of_pep_440_is_a_version(text: str) -> None:
    assert parse_version(text) == Version(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo",
        "1.0-foo-bar",
        "1..0",
        "1.0+",
        "1\N{ARABIC-INDIC DIGIT ONE}",
        "\N{EM SPACE}1",
        "1" * 201,
        "1" * 198 + "-1",
    ],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(VersionRefused) as refused:
        parse_version(text)
    assert refused.value.sentence.isascii()


def test_a_stem_of_a_folder_is_read_like_an_sdists() -> None:
    normalized = canonicalize_name("foo-bar")
    assert name_in_stem("Foo-bar-1.0.0", normalized, Version("1.0")) == "Foo-bar"
    assert name_in_stem("foo_bar", normalized, Version("1.0")) is None
    assert name_in_stem("\N{KELVIN SIGN}-1.0", canonicalize_name("k"), Version("1.0")) is None


@pytest.mark.parametrize(
    ("filename", "said"),
    [
        ("frog_fu-1.0-1b-py3-none-any.whl", ("frog_fu", "1.0")),
        ("frog-fu-1.0.tar.gz", ("frog-fu", "1.0")),
        ("frog-1.0-1.zip", ("frog", "1.0-1")),
        ("frog-1.0.linux-x86_64.tar.gz", ("frog", "1.0")),
        ("frog-1.0_1-py3.9.egg", ("frog", "1.0-1")),
        ("frog-fu.whl", ("", "")),
        ("readme.zip", ("", "")),
        ("-1.0.zip", ("", "")),
        ("frog-1.0.exe", ("frog", "1.0")),
        ("", ("", "")),
    ],
)
def test_a_file_name_alone_is_guessed_from(filename: str, said: tuple[str, str]) -> None:
    assert guess(filename) == said
