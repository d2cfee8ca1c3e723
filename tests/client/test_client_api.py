"""The client's requests: what goes where, and what becomes of each answer."""

from __future__ import annotations

import pytest

from larder_client.api import Api, basic, bearer
from larder_client.problems import AWAY, FORBIDDEN, MISSING, REFUSED, SIGN_IN, Problem
from tests.client.conftest import Portal


def test_the_credential_goes_with_each_request(portal: Portal) -> None:
    portal.answers["GET /me"] = (200, {"username": "ann"})
    assert Api(portal.origin, bearer("lra_x")).get("me") == {"username": "ann"}
    Api(portal.origin, basic("ann", "é:x")).get("me")
    shown = [headers["Authorization"] for _, headers, _ in portal.heard]
    assert shown == ["Bearer lra_x", "Basic YW5uOsOpOng="]


def test_a_redirect_is_not_followed(portal: Portal) -> None:
    portal.answers["GET /me"] = (302, b"")
    portal.answers["GET /elsewhere"] = (200, {})
    with pytest.raises(Problem, match="answered 302"):
        Api(portal.origin, bearer("lra_x")).get("me")
    assert len(portal.heard) == 1


def test_what_stands_in_a_path_is_one_part_of_it(portal: Portal) -> None:
    portal.answers["GET /repositories/a%2F..%2Fb/c%3Fd?project=e+%26"] = (200, {})
    assert Api(portal.origin, {}).get("repositories", "a/../b", "c?d", project="e &") == {}


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, REFUSED), (401, SIGN_IN), (403, FORBIDDEN), (404, MISSING), (409, REFUSED), (503, AWAY)],
)
def test_a_refusal_is_the_servers_sentence_on_one_line(
    portal: Portal, status: int, code: int
) -> None:
    portal.answers["GET /me"] = (status, {"detail": "You may\nnot. Ask ada."})
    with pytest.raises(Problem) as refused:
        Api(portal.origin, {}).get("me")
    assert (refused.value.sentence, refused.value.code) == ("You may not. Ask ada.", code)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"7", b"\xff", b'{"detail"'])
def test_what_is_no_answer_of_a_larder_is_said_so(portal: Portal, body: bytes) -> None:
    portal.answers["GET /me"] = (200, body)
    with pytest.raises(Problem, match="no JSON"):
        Api(portal.origin, {}).get("me")
    portal.answers["GET /me"] = (502, body)
    with pytest.raises(Problem, match="answered 502"):
        Api(portal.origin, {}).get("me")


def test_nobody_there_is_one_sentence() -> None:
    with pytest.raises(Problem, match="cannot be reached") as refused:
        Api("http://127.0.0.1:9", {}).get("me")
    assert refused.value.code == AWAY


def test_a_list_is_read_page_after_page_from_the_same_origin(portal: Portal) -> None:
    beyond = "https://elsewhere.example/api/v1/tokens?after=2"
    portal.answers["GET /tokens?tenant=acme"] = (200, {"results": [{"id": 1}], "next": beyond})
    portal.answers["GET /tokens?after=2"] = (200, {"results": [{"id": 2}], "next": None})
    rows = Api(portal.origin, {}).rows("tokens", tenant="acme")
    assert [row["id"] for row in rows] == [1, 2]
