"""What is told of an archive: each fact, from the kinds of archive that have it."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from packages.reading import ReadingFailed
from packages.reading.limits import MAX_LICENCE_TEXT, MAX_LIST_FILE, MAX_PTH, MAX_TEXTS
from tests.archives.cases import INFO, SDIST, WHEEL
from tests.archives.tars import gz, member, sdist_of
from tests.archives.zips import Part, wheel_parts, zip_made_of
from tests.dists import (
    make_dumb,
    make_egg,
    make_metadata,
    make_sdist,
    make_wheel,
    tar_of,
    zip_of,
)
from tests.packages.reading.conftest import Read

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62)
MACH = b"\xcf\xfa\xed\xfe" + struct.pack("<L", 0x100000C)
FAT = b"\xca\xfe\xba\xbe" + struct.pack(">L", 2)
FAT += struct.pack(">5L", 0x1000007, 3, 0, 0, 0) + struct.pack(">5L", 0x100000C, 0, 0, 0, 0)
JAVA = b"\xca\xfe\xba\xbe" + struct.pack(">L", 61) + bytes(500)
PE = b"MZ" + bytes(58) + struct.pack("<L", 64) + b"PE\0\0" + struct.pack("<H", 0x8664)


def wheel(**changes: Any) -> tuple[str, bytes]:
    return make_wheel("frog", "1.0", **changes)


def items(fact: dict[str, Any]) -> list[Any]:
    """Return a list of the facts, of which nothing was left off."""
    assert fact["left_off"] == 0
    found: list[Any] = fact["items"]
    return found


def problems(facts: dict[str, Any]) -> list[str]:
    return items(facts["problems"])


def with_info(name: str, text: bytes) -> tuple[str, bytes]:
    return wheel(files={f"{INFO}/{name}": text})


@pytest.mark.parametrize(
    ("made", "kind", "path"),
    [
        (wheel(), "wheel", f"{INFO}/METADATA"),
        *(
            (make_sdist("frog", "1.0", format=name), "sdist", "frog-1.0/PKG-INFO")
            for name in ("tar.gz", "tgz", "tar", "tar.bz2", "zip")
        ),
        (make_egg("frog", "1.0"), "egg", "EGG-INFO/PKG-INFO"),
        *(
            (
                make_dumb("frog", "1.0", format=name),
                "dumb",
                "usr/local/lib/python3.11/site-packages/frog-1.0.egg-info",
            )
            for name in ("tar.gz", "tar", "tar.bz2", "zip")
        ),
        (("tool.zip", make_sdist("frog", "1.0", format="zip")[1]), "sdist", "frog-1.0/PKG-INFO"),
        (("tool.zip", wheel()[1]), "dumb", f"{INFO}/METADATA"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_every_kind_of_archive_says_whose_it_is(
    read: Read, made: tuple[str, bytes], kind: str, path: str
) -> None:
    facts = read(made).facts
    assert facts["kind"] == kind
    assert {name: facts["metadata"][name] for name in ("name", "version", "path")} == {
        "name": "frog",
        "version": "1.0",
        "path": path,
    }


def test_metadata_is_given_byte_for_byte(read: Read) -> None:
    raw = b"Metadata-Version: 2.1\r\nName: frog\r\nVersion: 1.0\r\nAuthor: Zo\xeb\r\n\r\n \0odd\r"
    assert read(with_info("METADATA", raw)).metadata == raw
    assert read(make_sdist("frog", "1.0", files={"PKG-INFO": raw})).metadata == raw


@pytest.mark.parametrize(
    "made",
    [
        ("frog-1.0.zip", zip_of({"a.txt": b"1", "b.txt": b"2"})),
        ("frog-1.0.tar.gz", tar_of({"frog-1.0/setup.py": b""})),
        ("frog-1.0-py3.11.egg", make_egg("frog", "1.0", pkg_info=False)[1]),
        (
            "frog-1.0.tar.gz",  # what a test may have lying about is not the archive's own
            tar_of({"f/setup.py": b"", "f/tests/data/toad-2.egg-info/PKG-INFO": b"Name: toad\n"}),
        ),
    ],
)
def test_an_archive_without_metadata_is_read_all_the_same(
    read: Read, made: tuple[str, bytes]
) -> None:
    found = read(made)
    assert found.metadata is None
    assert found.facts["metadata"] is None
    assert found.facts["contents"]["files"] == len(found.members) > 0


def test_the_metadata_of_several_is_nobodys(read: Read) -> None:
    members = {f"{name}-1.0.egg-info/PKG-INFO": make_metadata(name, "1.0") for name in ("a", "b")}
    found = read(("many.zip", zip_of(members)))
    assert found.metadata is None
    (problem,) = problems(found.facts)
    assert "holds the metadata of 2 distributions" in problem


def test_a_wheel_within_others_dist_info_is_told_by_its_name(read: Read) -> None:
    found = read(wheel(files={"toad-2.0.dist-info/METADATA": make_metadata("toad", "2.0")}))
    assert found.facts["metadata"]["name"] == "frog"
    assert any("has 2 .dist-info folders" in each for each in found.facts["problems"]["items"])


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"])
def test_metadata_of_every_version_is_no_problem(read: Read, version: str) -> None:
    facts = read(wheel(metadata_version=version)).facts
    assert facts["metadata"]["metadata_version"] == version
    assert problems(facts) == []


def test_metadata_of_a_version_to_come_is_read_and_noted(read: Read) -> None:
    facts = read(wheel(metadata_version="3.1", extra_headers=["Invented-Later: yes"])).facts
    assert facts["metadata"]["name"] == "frog"
    assert items(facts["metadata"]["unknown_fields"]) == ["invented-later"]
    assert any("Metadata-Version '3.1', which is not known" in each for each in problems(facts))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "The metadata has no Name field."),
        (b"Metadata-Version: 2.1\nVersion: 1.0\n", "The metadata has no Name field."),
        (b"Metadata-Version: 2.1\nName: frog\nVersion: latest\n", "'latest' is not a version"),
        (b"Metadata-Version: 2.1\nName: frog\nName: toad\nVersion: 1\n", "more than one Name"),
        (b"\xff\xfe\x00" * 100, "The metadata has no Name field."),
        (make_metadata("frog", "1.0", extra_headers=["X: 1"] * 21_000), "at most 20000 are read"),
        (make_metadata("toad", "1.0"), "holds version '1.0' of 'toad', which its file name"),
    ],
)
def test_odd_metadata_is_a_problem_and_kept(read: Read, text: bytes, says: str) -> None:
    found = read(with_info("METADATA", text))
    assert found.metadata == text
    assert [each for each in found.facts["problems"]["items"] if says in each]


def test_fields_are_read(read: Read) -> None:
    headers = (
        *("Summary: Green.", "Keywords: a,b c", "Author: Zo\u00eb", "License: MIT"),
        *("Project-URL: Docs, https://example.org/a,b", "Classifier: Topic :: Utilities"),
        *("Provides-Extra: fu", "Requires-External: C", "Home-page: https://example.org"),
    )
    facts = read(wheel(extra_headers=headers, requires_python=">=3.9")).facts
    fields = facts["metadata"]
    assert fields["summary"] == "Green."
    assert fields["author"] == "Zo\u00eb"
    assert fields["requires_python"] == ">=3.9"
    assert fields["license"] == facts["licences"]["text"] == "MIT"
    assert items(fields["keywords"]) == ["a", "b c"]
    assert items(fields["project_urls"]) == [{"label": "Docs", "url": "https://example.org/a,b"}]
    assert items(fields["classifiers"]) == ["Topic :: Utilities"]
    assert items(facts["extras"]) == ["fu"]


def test_requirements_are_taken_apart(read: Read) -> None:
    required = ["Toad_Fu[a,B]>=1,<2; python_version < '3.9'", "newt @ https://example.org/newt.whl"]
    facts = read(wheel(requires_dist=required)).facts
    assert facts["requirements"]["source"] == "Requires-Dist"
    toad, newt = items(facts["requirements"])
    assert toad == {
        "text": required[0],
        "name": "toad-fu",
        "extras": ["B", "a"],
        "specifier": "<2,>=1",
        "marker": 'python_version < "3.9"',
        "url": "",
    }
    assert newt["url"] == "https://example.org/newt.whl"


def test_a_thousand_requirements_are_all_told(read: Read) -> None:
    facts = read(wheel(requires_dist=[f"dep{n}>=1" for n in range(1200)])).facts
    assert len(items(facts["requirements"])) == 1200


def test_requirements_of_old_setuptools_are_told_where_metadata_says_nothing(read: Read) -> None:
    text = (
        b"toad>=1\n\n[fu]\nnewt\n\n[:python_version < '3']\nenum34\n\n[x:os_name=='a' or 1>2]\ny\n"
    )
    made = make_sdist("frog", "1.0", files={"frog.egg-info/requires.txt": text})
    facts = read(made).facts
    assert facts["requirements"]["source"] == "requires.txt"
    assert [each["text"] for each in facts["requirements"]["items"]] == [
        "toad>=1",
        'newt; extra == "fu"',
        "enum34; python_version < '3'",
        "y; (os_name=='a' or 1>2) and extra == \"x\"",
    ]
    assert items(facts["extras"]) == ["fu", "x"]
    assert "has 'y; (os_name" in problems(facts)[-1]
    said = make_sdist(
        "frog", "1.0", requires_dist=["a"], files={"frog.egg-info/requires.txt": text}
    )
    assert read(said).facts["requirements"]["source"] == "Requires-Dist"


def test_entry_points_and_scripts_are_told(read: Read) -> None:
    text = (
        b"[console_scripts]\nfrog = frog:main [fu]\n\n[gui_scripts]\nx=a:b\n[frog.plugins]\ny=c\n"
    )
    files = {f"{INFO}/entry_points.txt": text, "frog-1.0.data/scripts/croak": b"#!python\n"}
    facts = read(wheel(files=files)).facts
    assert items(facts["entry_points"]) == [
        {"group": "console_scripts", "name": "frog", "value": "frog:main [fu]"},
        {"group": "gui_scripts", "name": "x", "value": "a:b"},
        {"group": "frog.plugins", "name": "y", "value": "c"},
    ]
    assert items(facts["scripts"]) == [
        {"name": "frog", "value": "frog:main [fu]", "kind": "console"},
        {"name": "x", "value": "a:b", "kind": "gui"},
        {"name": "croak", "value": "", "kind": "file"},
    ]


def test_odd_entry_points_are_a_problem(read: Read) -> None:
    text = b"[console_scripts]\nfrog = frog:main\n../evil = frog:main\nno equals\n"
    facts = read(with_info("entry_points.txt", text)).facts
    assert [each["name"] for each in items(facts["scripts"])] == ["frog", "../evil"]
    assert "the script '../evil', which is no name for one" in problems(facts)[0]


def test_import_names_begin_where_code_does(read: Read) -> None:
    files = dict.fromkeys(
        (
            *("google/cloud/frog/__init__.py", "google/cloud/frog/deep/x.py", "one.py"),
            *("_speed.cpython-311-x86_64-linux-gnu.so", "frog_fu/__init__.py", "data/x.txt"),
            *("frog-1.0.data/purelib/other/__init__.py", "frog-1.0.data/data/share/x.py"),
            "no-name.py",
        ),
        b"",
    )
    facts = read(wheel(files=files)).facts
    names = ["_speed", "frog", "frog_fu", "google.cloud.frog", "one", "other"]
    assert items(facts["import_names"]) == names
    assert facts["import_names"]["source"] == facts["top_level"]["source"] == "contents"
    assert items(facts["top_level"]) == ["_speed", "frog", "frog_fu", "google", "one", "other"]


def test_names_that_the_distribution_tells_are_taken(read: Read) -> None:
    headers = ["Import-Name: frog.fu", "Import-Name: _frog ; private", "Import-Namespace: frog"]
    made = wheel(
        metadata_version="2.5",
        extra_headers=headers,
        files={f"{INFO}/top_level.txt": b"frog\n_f\n"},
    )
    facts = read(made).facts
    assert facts["import_names"] == {
        "source": "Import-Name",
        "items": ["frog.fu", "_frog"],
        "left_off": 0,
    }
    assert items(facts["import_namespaces"]) == ["frog"]
    assert facts["top_level"] == {"source": "top_level.txt", "items": ["frog", "_f"], "left_off": 0}


def test_names_in_a_source_tree_are_those_that_it_installs(read: Read) -> None:
    files = dict.fromkeys(
        ("src/fu/__init__.py", "tests/test_fu.py", "setup.py", "docs/conf.py"), b""
    )
    facts = read(make_sdist("frog", "1.0", files=files)).facts
    assert items(facts["import_names"]) == ["fu"]
    flat = dict.fromkeys(("fu/__init__.py", "tests/__init__.py", "setup.py"), b"")
    assert items(read(make_sdist("frog", "1.0", files=flat)).facts["import_names"]) == [
        "frog",
        "fu",
    ]


def test_licences_are_told_with_their_texts(read: Read) -> None:
    headers = ["License-Expression: mit or apache-2.0", "License-File: a/L.txt", "License-File: no"]
    files = {f"{INFO}/licenses/a/L.txt": b"Be kind.\r\n", f"{INFO}/licenses/other": b"x"}
    facts = read(wheel(metadata_version="2.4", extra_headers=headers, files=files)).facts
    assert facts["licences"]["expression"] == "MIT OR Apache-2.0"
    assert items(facts["licences"]["files"]) == [
        {"path": f"{INFO}/licenses/a/L.txt", "size": 10, "text": "Be kind.\n", "is_cut": False}
    ]
    assert "names the License-File 'no', which is not in its place" in problems(facts)[0]


@pytest.mark.parametrize("format", ["tar.gz", "zip"])
def test_licence_files_of_any_name_are_found_in_an_sdist(read: Read, format: str) -> None:  # noqa: A002 - what setuptools calls it
    made = make_sdist(
        "frog",
        "1.0",
        format=format,
        metadata_version="2.4",
        extra_headers=["License-File: deep/terms.html", "License-File: LICENSE"],
        files={"deep/terms.html": b"terms", "LICENSE": b"x" * 100_000},
    )
    terms, licence = items(read(made).facts["licences"]["files"])
    assert (terms["path"], terms["text"]) == ("frog-1.0/deep/terms.html", "terms")
    assert len(licence["text"]) == MAX_LICENCE_TEXT
    assert licence["is_cut"]


def test_unnamed_licences_are_known_by_what_they_are_called(read: Read) -> None:
    files = {f"{INFO}/LICENSE.txt": b"MIT", f"{INFO}/NOTICE": b"\0\1", "frog/license.py": b""}
    facts = read(wheel(files=files)).facts
    assert [(each["path"], each["text"]) for each in items(facts["licences"]["files"])] == [
        (f"{INFO}/LICENSE.txt", "MIT"),
        (f"{INFO}/NOTICE", None),
    ]


def test_a_wheel_tells_how_it_was_built(read: Read) -> None:
    facts = read(make_wheel("frog", "1.0", tag="py2.py3-none-any", build="7")).facts
    assert facts["wheel"] == {
        "version": "1.0",
        "generator": "larder-tests",
        "root_is_purelib": True,
        "build": "7",
        "tags": {"items": ["py2-none-any", "py3-none-any"], "left_off": 0},
    }
    assert problems(facts) == []


def test_tags_that_disagree_with_the_name_are_a_problem(read: Read) -> None:
    content = make_wheel("frog", "1.0", tag="cp311-cp311-win32")[1]
    (problem,) = problems(read((WHEEL, content)).facts)
    assert "has other tags in its WHEEL than in its name" in problem


def test_what_differs_from_record_is_listed(read: Read) -> None:
    parts = wheel_parts()
    parts = [
        Part(b"more.py", b"x"),
        *(Part(p.name, p.data + b" " * (p.name == b"frog.py")) for p in parts),
    ]
    facts = read((WHEEL, zip_made_of(parts))).facts
    differences = items(facts["record"])
    assert "'more.py' is not listed" in differences
    assert "'frog.py' has 17 bytes, '16' are listed" in differences
    assert read(wheel()).facts["record"] == {"items": [], "left_off": 0}
    assert read(make_egg("frog", "1.0")).facts["record"] is None


def test_many_differences_are_counted(read: Read) -> None:
    lines = b"".join(b"no/%d.py,,\n" % n for n in range(1000))
    record = read(with_info("RECORD", lines)).facts["record"]
    assert len(record["items"]) == 20
    assert record["left_off"] == 1000 + 4 - 20


def test_a_record_that_cannot_be_read_is_a_problem(read: Read) -> None:
    facts = read(with_info("RECORD", b"\xff\xfe")).facts
    assert facts["record"] is None
    assert "cannot be read as UTF-8 CSV" in problems(facts)[0]


def test_a_wheel_without_its_files_is_read_with_problems(read: Read) -> None:
    found = read((WHEEL, zip_of({f"{INFO}/WHEEL": b"", "frog.py": b""})))
    assert found.metadata is None
    assert any("lacks 'frog-1.0.dist-info/METADATA'" in each for each in problems(found.facts))


@pytest.mark.parametrize("format", ["wheel", "tar.gz"])
def test_native_code_is_told_by_its_first_bytes(read: Read, format: str) -> None:  # noqa: A002 - what setuptools calls it
    files = {
        "a.so": ELF,
        "bin/tool": MACH,
        "b.txt": FAT,
        "c.pyd": PE,
        "d.so.1.2": b"",
        "e.class": JAVA,
    }
    files |= {"f.py": b"MZ\n", "g.dll": b"MZ" + bytes(70), "h": b"\x7fELF"}
    made = make_sdist("frog", "1.0", files=files) if format == "tar.gz" else wheel(files=files)
    found = {
        each["path"].removeprefix("frog-1.0/"): (each["format"], each["machine"])
        for each in items(read(made).facts["native"])
    }
    assert found == {
        "a.so": ("ELF", "x86_64"),
        "bin/tool": ("Mach-O", "arm64"),
        "b.txt": ("Mach-O", "x86_64, arm64"),
        "c.pyd": ("PE", "x86_64"),
        "d.so.1.2": ("unknown", ""),
        "g.dll": ("unknown", ""),
    }


def test_path_files_are_shown_and_told_whether_they_run(read: Read) -> None:
    files = {
        "a.pth": b"/somewhere\n",
        "b.pth": b"import os; os.system('croak')\n",
        "c.pth": b"#" * 10_000 + b"\nimport evil\n",
        "d.pth": b"\n" * (MAX_LIST_FILE + 1),
    }
    found = items(read(wheel(files=files)).facts["pth"])
    assert [(each["path"], each["runs_code"], each["is_cut"]) for each in found] == [
        ("a.pth", False, False),
        ("b.pth", True, False),
        ("c.pth", True, True),
        ("d.pth", True, True),
    ]
    assert found[1]["text"] == "import os; os.system('croak')\n"
    assert len(found[2]["text"]) == MAX_PTH


def test_a_flood_of_path_files_is_counted(read: Read) -> None:
    found = read(wheel(files={f"{n}.pth": b"" for n in range(500)})).facts["pth"]
    assert (len(found["items"]), found["left_off"]) == (MAX_TEXTS, 500 - MAX_TEXTS)


def test_bills_of_materials_are_told(read: Read) -> None:
    cyclonedx = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"name": "zlib", "version": "1.3"}, {"name": 7}, "x", {"name": "y"}],
    }
    spdx = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "openssl", "versionInfo": "3"}]}
    files = {"a.cdx.json": cyclonedx, "b.spdx.json": spdx, "c.json": ["not", "one"]}
    made = wheel(
        files={
            **{f"{INFO}/sboms/{name}": json.dumps(said).encode() for name, said in files.items()},
            f"{INFO}/sboms/d.xml": b"<bom/>",
            f"{INFO}/sboms/e.json": b"[" * 100_000,
        }
    )
    found = items(read(made).facts["sboms"])
    assert [each["format"] for each in found] == ["CycloneDX 1.6", "SPDX-2.3", "", "", ""]
    assert items(found[0]["components"]) == [
        {"name": "zlib", "version": "1.3"},
        {"name": "y", "version": ""},
    ]
    assert items(found[1]["components"]) == [{"name": "openssl", "version": "3"}]


def test_members_are_listed_with_sizes_and_links(read: Read) -> None:
    link = member("frog-1.0/link", kind=b"2", link=b"PKG-INFO")
    found = read((SDIST, gz(sdist_of(member("frog-1.0/a", b"xyz"), link))))
    assert [(each.path, each.size, each.kind, each.target) for each in found.members] == [
        ("frog-1.0/PKG-INFO", 46, "file", ""),
        ("frog-1.0/a", 3, "file", ""),
        ("frog-1.0/link", 0, "link", "frog-1.0/PKG-INFO"),
    ]
    assert found.facts["contents"] == {"files": 2, "links": 1, "size": 49}
    assert "has 1 symbolic link" in problems(found.facts)[0]


def test_files_that_are_too_large_to_be_read_are_problems(read: Read) -> None:
    facts = read(with_info("entry_points.txt", b"#" * (MAX_LIST_FILE + 1))).facts
    assert "has 'frog-1.0.dist-info/entry_points.txt' of 1048577 bytes" in problems(facts)[0]


def test_what_no_database_takes_is_replaced(read: Read) -> None:
    header = "Summary: a\0b"
    made = wheel(
        extra_headers=[header], files={f"{INFO}/LICENSE": "\ud800".encode("utf-8", "surrogatepass")}
    )
    said = json.dumps(read(made).facts, ensure_ascii=False)
    assert "\0" not in said
    assert "\\u0000" not in said
    said.encode()


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (("frog-1.0.rpm", b"x"), "must end in one of .whl, .egg"),
        (("frog-1.0.tar.gz", b""), "'frog-1.0.tar.gz' is empty."),
        (("frog-1.0.tar.gz", gz(sdist_of())[:-20]), "is damaged or cut short"),
        (("frog-1.0.zip", make_sdist("frog", "1.0")[1]), "is not a zip archive: it begins like"),
        (("../frog.zip\n", b"x"), "must end in one of"),
    ],
)
def test_what_the_gate_cannot_make_sense_of_is_a_failure(
    read: Read, made: tuple[str, bytes], says: str
) -> None:
    with pytest.raises(ReadingFailed) as failed:
        read(made)
    assert says in failed.value.sentence
    assert failed.value.sentence.isprintable()
