"""Sound archives that come with a form, or under a file name, that cannot be theirs."""

from __future__ import annotations

from collections.abc import Mapping

from tests.archives.cases import INFO, SDIST, WHEEL, Case, sdist, wheel
from tests.dists import make_egg, make_metadata

EGG = "frog-1.0-py3.11.egg"


def form(slug: str, says: str, **fields: str) -> Case:
    """Return a sound wheel whose form says something else."""
    return Case(f"form-{slug}", wheel(), says, form=_dashed(fields))


def called(slug: str, filename: str, says: str) -> Case:
    """Return a sound wheel under another file name."""
    return Case(f"filename-{slug}", wheel(), says, filename=filename)


def strictly(slug: str, says: str, **fields: str) -> Case:
    """Return a sound wheel whose form strict rules alone find wanting."""
    return Case(f"form-{slug}", wheel(), says, form=_dashed(fields), let_in=True)


def _dashed(fields: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_action", ":action"): value for name, value in fields.items()}


FILENAMES = (
    called("leads-out", "../frog-1.0-py3-none-any.whl", "starts with a dot"),
    called("leads-out-within", f"frog/../../{WHEEL}", "holds '/'"),
    called("leads-out-encoded", f"..%2f..%2f{WHEEL}", "starts with a dot"),
    called("encoded-slash", f"frog%2f{WHEEL}", "holds '%'"),
    called("absolute", f"/etc/{WHEEL}", "holds '/'"),
    called("backslash", f"frog\\{WHEEL}", "holds "),
    called("drive", f"C:{WHEEL}", "holds ':'"),
    called("hidden", f".{WHEEL}", "starts with a dot"),
    called("space", "frog 1.0-py3-none-any.whl", "holds ' '"),
    called("tab", "frog\t-1.0-py3-none-any.whl", "holds '\\t'"),
    called("delete", "frog\x7f-1.0-py3-none-any.whl", "holds '\\x7f'"),
    called("escape", "frog\x1b[2J-1.0-py3-none-any.whl", "holds '\\x1b'"),
    called("right-to-left", "frog\u202e-1.0-py3-none-any.whl", "holds '\\u202e'"),
    called("cyrillic", "fr\u043eg-1.0-py3-none-any.whl", "holds '\\u043e'"),
    called("kelvin", "frog\u212a-1.0-py3-none-any.whl", "holds '\\u212a'"),
    called("markup", "frog<script>-1.0-py3-none-any.whl", "holds '<'"),
    called("query", f"{WHEEL}?x=.whl", "holds '?'"),
    called("fragment", f"{WHEEL}#sha256=0.whl", "holds '#'"),
    called("shell", "frog-1.0;rm-py3-none-any.whl", "holds ';'"),
    called("of-300-characters", f"{'f' * 300}.whl", "304 characters long"),
    called("of-nothing-but-an-extension", ".whl", "starts with a dot"),
    called("of-another-project", "evil-1.0-py3-none-any.whl", "says project 'evil'"),
    called("of-another-version", "frog-2.0-py3-none-any.whl", "says version '2.0'"),
    called("without-a-tag", "frog-1.0.whl", "is not a wheel's name"),
    called("with-an-odd-version", "frog-latest-py3-none-any.whl", "is not a wheel's name"),
    called("with-seven-parts", "frog-1.0-1-2-py3-none-any.whl", "is not a wheel's name"),
    called("with-a-build-of-letters", "frog-1.0-a-py3-none-any.whl", "is not a wheel's name"),
    called("of-a-program", "frog-1.0.exe", "its name must end in one of"),
    called("of-an-installer", "frog-1.0.msi", "its name must end in one of"),
    called("of-a-signature", f"{WHEEL}.asc", "its name must end in one of"),
    called("of-metadata", f"{WHEEL}.metadata", "its name must end in one of"),
    called("in-capitals", WHEEL.upper(), "its name must end in one of"),
    called("with-a-dot-at-its-end", f"{WHEEL}.", "its name must end in one of"),
)

FORMS = (
    form("without-a-name", "The form has no name", name=""),
    form("without-a-version", "The form has no version", version=""),
    form("name-of-another-project", "says project 'frog', but it came as 'evil'", name="evil"),
    form("version-of-another-release", "says version '1.0', but it came as '2.0'", version="2.0"),
    form("name-leads-out", "'../frog' is not a project name", name="../frog"),
    form("name-with-a-newline", "is not a project name", name="fr\nog"),
    form("name-with-markup", "is not a project name", name="<b>frog</b>"),
    form("name-of-a-homoglyph", "is not a project name", name="fr\u043eg"),
    form("name-of-300-characters", "300 characters long", name="f" * 300),
    form("name-of-100000-characters", "100000 characters long", name="f" * 100_000),
    form("name-with-a-line-end", "evil' is not a project name", name="frog\r\nX: evil"),
    form("version-leads-out", "'../1.0' is not a version", version="../1.0"),
    form("version-of-text", "'latest' is not a version", version="latest"),
    form("version-of-300-characters", "300 characters long", version="1" * 300),
    form("version-of-other-digits", "is not a version", version="\u0661.\u0660"),
    form("name-with-a-nul", "holds a NUL character", name="frog\0"),
    form("summary-with-a-nul", "holds a NUL character", summary="a\0b"),
    form("filetype-unknown", "is not accepted; use one of", filetype="bdist_frog"),
    form("filetype-of-an-installer", "is not accepted; use one of", filetype="bdist_wininst"),
    form("filetype-of-an-sdist", "does not fit", filetype="sdist"),
    form("filetype-of-an-egg", "does not fit", filetype="bdist_egg"),
    form("protocol-of-tomorrow", "by version '2' of the upload protocol", protocol_version="2"),
    form("action-unknown", "asks for 'frog'", _action="frog"),
    form("action-of-a-removal", "asks for 'remove_pkg'", _action="remove_pkg"),
    form("action-of-documentation", "'doc_upload' is not needed", _action="doc_upload"),
    form("sha256-of-another-file", "its sha256_digest is", sha256_digest="0" * 64),
    form("sha256-of-nothing-hexadecimal", "its sha256_digest is", sha256_digest="g" * 64),
    form("sha256-too-short", "its sha256_digest is", sha256_digest="0" * 63),
    form("sha256-too-long", "its sha256_digest is", sha256_digest="0" * 100_000),
    form("sha256-of-one-digit", "its sha256_digest is", sha256_digest="0"),
    form("sha256-with-markup", "its sha256_digest is", sha256_digest="<script>"),
    form("md5-of-another-file", "its md5_digest is", md5_digest="0" * 32),
    form("md5-too-short", "its md5_digest is", md5_digest="0" * 31),
    form("md5-that-is-text", "its md5_digest is", md5_digest="md5"),
    form("blake2-of-another-file", "its blake2_256_digest is", blake2_256_digest="0" * 64),
    form("blake2-too-short", "its blake2_256_digest is", blake2_256_digest="0" * 63),
    form("blake2-512-that-is-text", "its blake2_256_digest is", blake2_256_digest="g" * 128),
)

ARCHIVES = (
    Case(
        "archive-of-another-project",
        wheel(files={f"{INFO}/METADATA": make_metadata("evil", "1.0")}),
        "says inside that its name is evil, not frog",
        let_in=False,
    ),
    Case(
        "archive-of-another-version",
        wheel(files={f"{INFO}/METADATA": make_metadata("frog", "2.0")}),
        "says inside that its version is 2.0, not 1.0",
    ),
    Case(
        "archive-of-a-local-version",
        wheel(files={f"{INFO}/METADATA": make_metadata("frog", "1.0+evil")}),
        "says inside that its version is 1.0+evil, not 1.0",
    ),
    Case(
        "sdist-of-another-project",
        sdist(files={"PKG-INFO": make_metadata("evil", "1.0")}),
        "says inside that its name is evil, not frog",
        SDIST,
    ),
    Case(
        "sdist-of-another-version",
        sdist(files={"PKG-INFO": make_metadata("frog", "1.0.post1")}),
        "says inside that its version is 1.0.post1, not 1.0",
        SDIST,
    ),
    *(
        Case(
            f"egg-requires-python-{slug}",
            lambda: make_egg("frog", "1.0", pkg_info=False)[1],
            says,
            EGG,
            form={"filetype": "bdist_egg", "requires_python": text},
            says_strictly="an old kind (egg)",
        )
        for slug, text, says in (
            ("with-markup", '>=3" onclick="x', "came with the Requires-Python"),
            ("with-a-newline", ">=3\nX-Evil: 1", "came with the Requires-Python"),
            ("of-text", "three", "came with the Requires-Python 'three', which is none"),
            ("of-600-characters", ">=3," * 150 + ">=3", "has a Requires-Python of 603 characters"),
            ("of-7-mb", "!=3," * 1_800_000 + "!=3", "has a Requires-Python of 7200003 characters"),
            ("of-7-mb-of-spaces", ">=3" + " ," * 3_600_000, "Requires-Python of 7200003 char"),
        )
    ),
)

STRICT = (
    strictly("without-a-filetype", "came without a filetype", filetype=""),
    strictly("without-a-pyversion", "came without a pyversion", pyversion=""),
    strictly("with-a-long-summary", "a summary of 600 characters", summary="s" * 600),
    strictly("without-a-digest", "came without a digest", sha256_digest="", blake2_256_digest=""),
    Case(
        "form-of-an-sdist-for-python-3",
        sdist(),
        "came with the pyversion 'py3'",
        SDIST,
        form={"pyversion": "py3"},
        let_in=True,
    ),
)

BAD_FORMS = (*FILENAMES, *FORMS, *ARCHIVES, *STRICT)
