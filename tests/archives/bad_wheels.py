"""Sound zips that are no sound wheels: the wrong folder, a RECORD that lies, broken files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping

from tests.archives.cases import INFO, SDIST, Case, only_compatible, sdist, wheel
from tests.dists import make_metadata, zip_of

METADATA = make_metadata("frog", "1.0")
MODULE = b"print('frog')\n"
MEMBERS: Mapping[str, bytes] = {
    "frog.py": MODULE,
    f"{INFO}/METADATA": METADATA,
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: frog\nRoot-Is-Purelib: true\n",
}


def line(path: str, content: bytes, algorithm: str = "sha256") -> str:
    """Return a line of RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest())
    return f"{path},{algorithm}={digest.rstrip(b'=').decode()},{len(content)}\n"


def right_lines() -> dict[str, str]:
    """Return the lines of a right RECORD by path."""
    lines = {path: line(path, content) for path, content in MEMBERS.items()}
    return lines | {f"{INFO}/RECORD": f"{INFO}/RECORD,,\n"}


def recorded(
    change: Mapping[str, str] | None = None, *, files: Mapping[str, bytes] | None = None
) -> Callable[[], bytes]:
    """Return what makes a wheel in whose RECORD some lines are others."""
    text = "".join({**right_lines(), **(change or {})}.values())
    return lambda: zip_of({**MEMBERS, **(files or {}), f"{INFO}/RECORD": text.encode()})


def record_case(slug: str, content: Callable[[], bytes], finding: str) -> Case:
    """Return a case of a RECORD that lies: strict rules refuse it, others note it."""
    says = "has a RECORD that does not match its contents"
    return only_compatible(slug, content, f"{says}: {finding}", finding=finding)


def folders(*names: str) -> Callable[[], bytes]:
    """Return what makes a wheel with these .dist-info folders."""
    files = {
        f"{name}/{file}": METADATA for name in names for file in ("METADATA", "WHEEL", "RECORD")
    }
    return lambda: zip_of({"frog.py": b"", **files})


def without(name: str) -> Callable[[], bytes]:
    """Return what makes a wheel that lacks one of its three files."""
    files = {**MEMBERS, f"{INFO}/RECORD": b""}
    return lambda: zip_of({path: text for path, text in files.items() if not path.endswith(name)})


FOLDERS = (
    *(
        Case(f"wheel-without-{name.lower()}", without(name), f"lacks '{INFO}/{name}'")
        for name in ("METADATA", "WHEEL", "RECORD")
    ),
    Case("wheel-without-a-folder", folders(), "has 0 .dist-info folders"),
    Case("wheel-with-two-folders", folders(INFO, "evil-1.0.dist-info"), "has 2 .dist-info folders"),
    Case("wheel-with-two-spellings", folders(INFO, "Frog-1.0.dist-info"), "has 2 .dist-info fold"),
    Case("wheel-with-two-cases", folders(INFO, "frog-1.0.DIST-INFO"), "has 2 .dist-info folders"),
    Case("wheel-with-two-versions", folders(INFO, "frog-1.1.dist-info"), "has 2 .dist-info fold"),
    Case("wheel-of-another-project", folders("evil-1.0.dist-info"), "not the one of version '1.0'"),
    Case("wheel-of-another-version", folders("frog-1.1.dist-info"), "not the one of version '1.0'"),
    Case("wheel-with-its-folder-too-deep", folders(f"vendored/{INFO}"), "has 0 .dist-info folders"),
    Case("wheel-with-a-file-as-folder", lambda: zip_of({INFO: b""}), "has 0 .dist-info folders"),
    Case(
        "wheel-with-metadata-in-lower-case",
        lambda: zip_of({f"{INFO}/metadata": METADATA, f"{INFO}/WHEEL": b"", f"{INFO}/RECORD": b""}),
        f"lacks '{INFO}/METADATA'",
    ),
    only_compatible(
        "wheel-with-its-folder-in-another-spelling",
        lambda: _spelled("Frog-1.0.dist-info"),
        "strict rules want 'frog-1.0.dist-info'",
    ),
    only_compatible(
        "wheel-with-its-folder-in-another-version-spelling",
        lambda: _spelled("frog-1.0.0.dist-info"),
        "strict rules want 'frog-1.0.dist-info'",
    ),
)


def _spelled(folder: str) -> bytes:
    files = {path.replace(INFO, folder): text for path, text in MEMBERS.items()}
    record = "".join(line(path, content) for path, content in files.items())
    return zip_of({**files, f"{folder}/RECORD": f"{record}{folder}/RECORD,,\n".encode()})


RECORDS = (
    record_case(
        "record-without-a-file",
        recorded(files={"evil.py": b"print('evil')"}),
        "'evil.py' is not listed",
    ),
    record_case(
        "record-without-two-files",
        recorded(files={"a.py": b"", "b.py": b""}),
        "'a.py' is not listed (and 1 more)",
    ),
    record_case(
        "record-without-anything", recorded(dict.fromkeys(right_lines(), "")), "'frog.py' is"
    ),
    record_case(
        "record-with-a-file-too-many",
        recorded({"gone.py": line("gone.py", b"")}),
        "'gone.py' is listed and not there",
    ),
    record_case(
        "record-with-another-digest",
        recorded({"frog.py": line("frog.py", b"print('evil')\n")}),
        "'frog.py' has another sha256 digest",
    ),
    record_case(
        "record-with-a-hexadecimal-digest",
        recorded({"frog.py": f"frog.py,sha256={hashlib.sha256(MODULE).hexdigest()},14\n"}),
        "'frog.py' has another sha256 digest",
    ),
    record_case(
        "record-with-another-size",
        recorded({"frog.py": right_lines()["frog.py"].replace(",14", ",15")}),
        "'frog.py' has 14 bytes, '15' are listed",
    ),
    Case(
        "record-with-a-size-that-is-none",
        recorded({"frog.py": right_lines()["frog.py"].replace(",14", ",many")}),
        "is not path, digest and size",
    ),
    record_case(
        "record-without-a-digest",
        recorded({"frog.py": "frog.py,,14\n"}),
        "'frog.py' is listed without a digest of sha256 or better",
    ),
    record_case(
        "record-with-an-md5",
        recorded({"frog.py": line("frog.py", MODULE, "md5")}),
        "'frog.py' is listed without a digest of sha256 or better",
    ),
    record_case(
        "record-with-an-sha1",
        recorded({"frog.py": line("frog.py", MODULE, "sha1")}),
        "'frog.py' is listed without a digest of sha256 or better",
    ),
    record_case(
        "record-with-a-digest-of-its-own",
        recorded({"frog.py": "frog.py,frog256=abc,14\n"}),
        "'frog.py' is listed without a digest of sha256 or better",
    ),
    record_case(
        "record-with-a-file-twice",
        recorded({"again": right_lines()["frog.py"]}),
        "'frog.py' is listed more than once",
    ),
    Case(
        "record-with-one-column",
        recorded({"frog.py": "frog.py\n"}),
        "a RECORD in which 'frog.py' is not path, digest and size",
    ),
    Case(
        "record-with-four-columns",
        recorded({"frog.py": right_lines()["frog.py"].replace("\n", ",x\n")}),
        "is not path, digest and size",
    ),
    record_case(
        "record-without-itself",
        recorded({f"{INFO}/RECORD": ""}),
        f"'{INFO}/RECORD' is not listed",
    ),
    record_case(
        "record-with-a-wrong-digest-of-itself",
        recorded({f"{INFO}/RECORD": line(f"{INFO}/RECORD", b"")}),
        f"'{INFO}/RECORD' has",
    ),
    *(
        Case(
            f"record-leads-out-by-{slug}", recorded({"x": f"{path},,\n"}), "leads out of the wheel"
        )
        for slug, path in (
            ("dot-dot", "../../etc/passwd"),
            ("a-slash", "/etc/passwd"),
            ("a-drive", "C:/Windows/x.dll"),
            ("backslashes", "..\\..\\x.dll"),
        )
    ),
    *(
        Case(f"record-with-{slug}", recorded({"x": text}), "which cannot be read as UTF-8 CSV")
        for slug, text in (
            ("a-quote-left-open", '"x,,\n'),
            ("a-file-in-quotes-over-lines", '"x\n../../etc/passwd,,\n",,\n'),
            ("a-line-separator", "x\u2028../../etc/passwd,,\n"),
            ("a-lone-carriage-return", "x,,\r../../etc/passwd,,\n"),
            ("an-escape", "x\x1b[2J,,\n"),
            ("a-million-columns", "," * 1_000_000 + "\n"),
        )
    ),
    Case(
        "record-with-one-file-a-million-times",
        wheel(files={f"{INFO}/RECORD": b"a,,\n" * 1_000_000}),
        "a RECORD of more than 200000 lines",
    ),
    Case(
        "record-with-a-million-files",
        wheel(files={f"{INFO}/RECORD": b"".join(b"%06x,,\n" % n for n in range(1_500_000))}),
        "a RECORD of more than 200000 lines",
    ),
    Case(
        "record-that-is-not-utf-8",
        wheel(files={f"{INFO}/RECORD": b"fr\xf6g.py,,\n"}),
        "which cannot be read as UTF-8 CSV",
    ),
    Case(
        "record-with-a-giant-field",
        wheel(files={f"{INFO}/RECORD": b"n" * 200_000 + b",,\n"}),
        "which cannot be read as UTF-8 CSV",
    ),
)

SCRIPTS = (
    *(
        Case(
            f"entry-points-{slug}",
            wheel(files={f"{INFO}/entry_points.txt": text}),
            says,
        )
        for slug, text, says in (
            ("that-are-not-utf-8", b"[console_scripts]\nfr\xf6g = frog:main\n", "is not UTF-8"),
            ("without-a-section", b"frog = frog:main\n", "entry 'frog' before any section"),
            ("with-a-section-twice", b"[a]\n[a]\n", "the section 'a' once more"),
            ("with-a-section-of-nothing", b"[ ]\na = b\n", "the section '[ ]', which is none"),
            ("with-a-section-left-open", b"[a] = b\n", "the section '[a] = b', which is none"),
            (
                "with-a-section-in-brackets",
                b"[[console_scripts]]\n/bin/sh = frog:main\n",
                "the section '[[console_scripts]]', which is none",
            ),
            ("with-a-name-twice", b"[a]\nb = c\nb = d\n", "the entry 'b' once more"),
            ("with-a-line-of-noise", b"[a]\nnoise\n", "'noise', which is not a name, '='"),
            ("with-a-value-alone", b"[a]\n= b\n", "'= b', which is not a name, '='"),
            ("with-a-lone-carriage-return", b"[a]\nb = c\rd = e\n", "a control character"),
            (
                "with-a-line-separator",
                b"[console_scripts]\nb = c\xe2\x80\xa8../../bin/sh = d:e\n",
                "has in line 2 of",
            ),
            (
                "with-a-script-in-a-value",
                b"[console_scripts]\nb = c:d\n ../../bin/sh = d:e\n",
                "a line that is indented",
            ),
            (
                "with-a-script-in-a-comment",
                b"[console_scripts]\n;/../../bin/sh = d:e\n",
                "the script ';/../../bin/sh'",
            ),
            (
                "with-a-script-for-every-section",
                b"[DEFAULT]\n../../bin/sh = d:e\n[console_scripts]\n",
                "the script '../../bin/sh'",
            ),
            (
                "with-a-million-spaces",
                b"[console_scripts]\na" + b" " * 1_000_000 + b"b\n",
                "a line of more than 4096 characters",
            ),
            (
                "with-lines-of-spaces",
                b"[a]\n" + (b"a" + b" " * 4000 + b"b\n") * 200,
                "which is not a name, '='",
            ),
            ("with-a-flood-of-lines", b"[a]\n" + b"\n" * 500_000, "of more than 10000 lines"),
            (
                "that-lead-out",
                b"[console_scripts]\n../../bin/sh = frog:main\n",
                "the script '../../",
            ),
            ("that-are-absolute", b"[gui_scripts]\n/bin/sh = frog:main\n", "the script '/bin/sh'"),
            (
                "with-a-backslash",
                b"[console_scripts]\n..\\sh = frog:main\n",
                "the script '..\\\\sh'",
            ),
            ("with-a-space", b"[console_scripts]\nfrog fu = frog:main\n", "the script 'frog fu'"),
        )
    ),
)


def licensed(*names: str, version: str = "2.4") -> dict[str, object]:
    """Return the metadata that names these licence files."""
    return {
        "metadata_version": version,
        "extra_headers": [f"License-File: {name}" for name in names],
    }


LICENCES = (
    Case("wheel-licence-missing", wheel(**licensed("LICENSE")), "names the License-File 'LICENSE'"),
    Case(
        "wheel-licence-elsewhere",
        wheel(**licensed("LICENSE"), files={f"{INFO}/LICENSE": b"MIT"}),
        f"but has no '{INFO}/licenses/LICENSE'",
    ),
    Case(
        "wheel-licence-one-of-two-missing",
        wheel(**licensed("LICENSE", "NOTICE"), files={f"{INFO}/licenses/LICENSE": b"MIT"}),
        "names the License-File 'NOTICE'",
    ),
    Case("sdist-licence-missing", sdist(**licensed("LICENSE")), "'frog-1.0/LICENSE'", SDIST),
    Case(
        "sdist-licence-too-deep",
        sdist(**licensed("LICENSE"), files={"doc/LICENSE": b"MIT"}),
        "but has no 'frog-1.0/LICENSE'",
        SDIST,
    ),
    Case(
        "licence-leads-out",
        wheel(**licensed("../../../etc/passwd")),
        "parent directory indicators are not allowed",
    ),
    Case("licence-absolute", wheel(**licensed("/etc/passwd")), "paths must be relative"),
    Case("licence-with-a-star", wheel(**licensed("LICEN*")), "paths must be resolved"),
    Case("licence-with-backslashes", wheel(**licensed("a\\LICENSE")), "must use '/' delimiter"),
)

BAD_WHEELS = (*FOLDERS, *RECORDS, *SCRIPTS, *LICENCES)
