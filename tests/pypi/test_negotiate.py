"""Content negotiation, with the Accept headers that clients really send."""

from __future__ import annotations

import pytest

from pypi.negotiate import HTML, HTML_V1, JSON_V1, best_match, simple_type, takes_gzip

PIP = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
)
UV = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
)
POETRY = "application/vnd.pypi.simple.v1+json, */*;q=0.1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (PIP, JSON_V1),
        (UV, JSON_V1),
        (POETRY, JSON_V1),
        (BROWSER, HTML),
        ("*/*", HTML),  # hatch, curl
        ("", HTML),
        ("text/html", HTML),
        ("text/*", HTML),
        ("application/vnd.pypi.simple.latest+json", JSON_V1),
        ("application/vnd.pypi.simple.latest+html", HTML_V1),
        ("application/vnd.pypi.simple.v1+html", HTML_V1),
        ("application/vnd.pypi.simple.v2+json", HTML),
        ("image/png", HTML),
        ("application/vnd.pypi.simple.v1+json;q=0, text/html;q=0.1", HTML),
        ("application/vnd.pypi.simple.v1+json;q=0.4, text/html;q=0.5", HTML),
        ("APPLICATION/VND.PYPI.SIMPLE.V1+JSON", JSON_V1),
        ("application/vnd.pypi.simple.v1+json;q=abc, text/html;q=0.1", HTML),
    ],
)
def test_each_client_gets_what_it_likes_best(accept: str, kind: str) -> None:
    assert simple_type(accept) == kind


def test_the_format_parameter_wins() -> None:
    assert simple_type("text/html", "application/vnd.pypi.simple.v1+json") == JSON_V1
    assert simple_type(PIP, "text/html") == HTML
    assert simple_type(PIP, "nonsense") == JSON_V1


def test_uv_gets_json_for_a_refusal_and_others_plain_text() -> None:
    offered = ["application/json", "text/plain"]
    uv = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"
    assert best_match(uv, offered) == "application/json"
    assert best_match("*/*", offered) == "text/plain"
    assert best_match("", offered) == ""


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip, deflate", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("", False),
        ("*", True),
        ("br, gzip;q=0.5", True),
    ],
)
def test_gzip_is_sent_to_who_takes_it(header: str, takes: bool) -> None:
    assert takes_gzip(header) is takes
