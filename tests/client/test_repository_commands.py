"""Commands about repositories: which requests they come to, and which they refuse to send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from larder_client import store
from larder_client.problems import MISSING, REFUSED
from tests.client.conftest import Portal
from tests.client.test_logging_in import larder

WHEEL = "frog-1.0-py3-none-any.whl"
SDIST, OTHER = "frog-1.0.tar.gz", "newt-1.0-py3-none-any.whl"
FILES = f"GET /repositories/acme/staging/files?filename={WHEEL}"


@pytest.fixture(autouse=True)
def logged_in(portal: Portal, config: object) -> None:
    """Somebody has logged in with a token."""
    with store.locked():
        store.keep(portal.origin, {"username": "ann", "token": "lrd_x"}, is_current=True)


CREATED = "POST /repositories"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([], {}),
        (["--private"], {"members_read": False}),
        (
            ["--kind", "remote", "--upstream", "https://index.example/simple/"],
            {"kind": "remote", "upstream": {"index_url": "https://index.example/simple/"}},
        ),
        (
            ["--kind", "virtual", "--member", "acme/a", "--member", "acme/b"],
            {"kind": "virtual", "members": [{"repository": "acme/a"}, {"repository": "acme/b"}]},
        ),
        (
            ["--kind", "virtual", "--member", "acme/a", "--deploy-to", "acme/a"],
            {"kind": "virtual", "members": [{"repository": "acme/a"}], "deployment": "acme/a"},
        ),
    ],
)
@pytest.mark.parametrize(("status", "end"), [(201, 0), (400, REFUSED)])
def test_a_repository_is_made_by_one_request_whatever_comes_of_it(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    parts: dict[str, Any],
    status: int,
    end: int,
) -> None:
    portal.answers[CREATED] = (status, {"detail": "index_url: This is no http URL."})
    assert larder(monkeypatch, "repo", "create", "acme/new", *words) == end
    ((asked, _, body),) = portal.heard
    bare = {"tenant": "acme", "key": "new", "kind": "local", "description": ""}
    assert (asked, json.loads(body)) == (CREATED, bare | parts)


def a_file(pk: int, project: str = "frog", scope: str = "") -> dict[str, Any]:
    where = f"https://packages.example/acme/staging/{scope}files/frog/{WHEEL}"
    return {"id": pk, "project": project, "url": where if project else None}


def promote(portal: Portal, monkeypatch: pytest.MonkeyPatch, *files: dict[str, Any]) -> int:
    portal.answers[FILES] = (200, {"results": list(files), "next": None})
    for file in files:
        path = f"POST /repositories/acme/staging/files/{file['id']}/promote"
        portal.answers[path] = (201, {"notes": []})
    return larder(monkeypatch, "promote", WHEEL, "acme/staging", "acme/production")


def test_a_file_that_is_no_package_is_not_the_one_that_is_promoted(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert promote(portal, monkeypatch, a_file(7, project=""), a_file(8)) == 0
    asked, _, body = portal.heard[-1]
    assert asked == "POST /repositories/acme/staging/files/8/promote"
    assert json.loads(body) == {"to": "acme/production", "move": False}


def test_of_several_files_none_is_promoted_and_each_is_named(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [a_file(6, project=""), a_file(7), a_file(8, scope="team/")]
    assert promote(portal, monkeypatch, *files) == REFUSED
    assert [asked for asked, _, _ in portal.heard] == [FILES]
    (said,) = capsys.readouterr().err.splitlines()
    assert f"acme/staging has several {WHEEL}" in said
    assert f"/acme/staging/files/frog/{WHEEL} (id 7)" in said
    assert f"/acme/staging/team/files/frog/{WHEEL} (id 8)" in said
    assert "id 6" not in said


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], f"There is no {WHEEL} in acme/staging."),
        ([a_file(7, project="")], f"No {WHEEL} in acme/staging has a project yet"),
    ],
)
def test_without_a_package_of_the_name_nothing_is_promoted(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: list[dict[str, Any]],
    sentence: str,
) -> None:
    portal.answers["GET /repositories/acme/staging"] = (200, {"kind": "local"})
    assert promote(portal, monkeypatch, *files) == MISSING
    assert not [asked for asked, _, _ in portal.heard if asked.startswith("POST")]
    assert sentence in capsys.readouterr().err


def shelves(portal: Portal, **files: list[str]) -> None:
    """Let repositories of acme hold files, by their keys."""
    for key in ("staging", "production"):
        portal.answers[f"GET /repositories/acme/{key}"] = (200, {"kind": "local"})
    for at, (key, held) in enumerate(files.items()):
        for name in (WHEEL, SDIST, OTHER):
            found = [a_file(at * 10 + len(name))] if name in held else []
            here = f"/repositories/acme/{key}/files"
            portal.answers[f"GET {here}?filename={name}"] = (200, {"results": found, "next": None})
            portal.answers[f"POST {here}/{at * 10 + len(name)}/promote"] = (201, {"notes": []})


def test_each_of_several_files_is_promoted_and_named(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shelves(portal, staging=[WHEEL, SDIST])
    words = ("promote", WHEEL, SDIST, WHEEL, "acme/staging", "acme/production", "--move")
    assert larder(monkeypatch, *words) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{WHEEL} is in acme/production.",
        f"{SDIST} is in acme/production.",
    ]
    sent = [json.loads(body) for asked, _, body in portal.heard if asked.startswith("POST")]
    assert sent == [{"to": "acme/production", "move": True}] * 2


@pytest.mark.parametrize(
    ("status", "end"), [(404, MISSING), (403, REFUSED)], ids=["all missing", "of two kinds"]
)
def test_one_that_is_refused_keeps_no_other_back_and_is_named_in_the_end(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    end: int,
) -> None:
    shelves(portal, staging=[WHEEL, SDIST])
    refused = f"POST /repositories/acme/staging/files/{len(WHEEL)}/promote"
    portal.answers[refused] = (status, {"detail": "It is not for you."})
    words = ("promote", OTHER, WHEEL, SDIST, "acme/staging", "acme/production")
    assert larder(monkeypatch, *words) == end
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [f"{SDIST} is in acme/production."]
    assert printed.err.splitlines() == [
        f"{OTHER}: There is no {OTHER} in acme/staging.",
        f"{WHEEL}: It is not for you.",
        f"larder: Not promoted to acme/production: {OTHER}, {WHEEL}.",
    ]


@pytest.mark.parametrize("files", [[SDIST], [SDIST, WHEEL]])
def test_in_json_one_is_what_rest_answers_and_several_are_a_list(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: list[str],
) -> None:
    shelves(portal, staging=[SDIST, WHEEL])
    assert larder(monkeypatch, "promote", *files, "acme/staging", "acme/production", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == ({"notes": []} if len(files) == 1 else [{"notes": []}] * 2)


def test_a_virtual_is_refused_with_who_behind_it_holds_the_file(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shelves(portal, all=[], staging=[WHEEL], production=[], secret=[WHEEL])
    portal.answers["GET /repositories/acme/all"] = (200, {"kind": "virtual"})
    sources = ("acme/production", "acme/staging", "acme/staging/of/devpi", "")
    told = {"members": [{"source": each} for each in sources]}
    portal.answers["GET /repositories/acme/all/explain?project=frog"] = (200, told)
    words = ("promote", WHEEL, "acme/all", "acme/production")
    assert larder(monkeypatch, *words) == REFUSED
    said = capsys.readouterr().err
    assert f"Promote {WHEEL} from acme/staging, which is behind it." in said
    assert "secret" not in said
    assert larder(monkeypatch, "promote", SDIST, "acme/all", "acme/production") == MISSING
    assert f"nothing behind it that you may read holds {SDIST}." in capsys.readouterr().err
