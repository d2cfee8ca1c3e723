"""The origin of a URL: what a login is for, and nothing beside it."""

from __future__ import annotations

import pytest

from larder_client.origin import is_read_on_the_way, origin_of, typed_origin
from larder_client.problems import Problem


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://packages.example/acme/x/simple/", "https://packages.example"),
        ("https://Packages.Example:443", "https://packages.example"),
        ("http://packages.example:80/", "http://packages.example"),
        ("http://packages.example:443/", "http://packages.example:443"),
        ("https://ann:secret@packages.example:8443/x", "https://packages.example:8443"),
        ("http://[::1]:8000/simple", "http://[::1]:8000"),
        (" https://packages.example ", "https://packages.example"),
    ],
)
def test_scheme_host_and_port_are_the_origin(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "text",
    ["", "packages.example", "packages.example:443", "shelf", "ftp://packages.example", "https://",
     "https:///x", "https://packages.example:x/", "https://packages.example:99999/",
     "https://[packages", "file:///etc/passwd"],
)  # fmt: skip
def test_what_has_no_origin_has_none(text: str) -> None:
    assert origin_of(text) is None
    with pytest.raises(Problem, match="is no URL of a Larder"):
        typed_origin(text)


@pytest.mark.parametrize(
    "url",
    [
        r"https://evil.example\@packages.example/acme/x/",
        r"https://packages.example\.evil.example/",
        "https://packages.example/acme\\x/",
        "https://packages\t.example/",
        "https://packages.example/acme/\nx/",
        "https://evil.example\r@packages.example/",
        "https://evil.example @packages.example/",
        "https://packages.example\x00.evil.example/",
        "https://packages.example\u00a0/",
        "https://packages.example\u200b.evil.example/",
        "https://ann@evil.example@packages.example/",
        "https://ann:a@b@packages.example/",
    ],
)
def test_what_clients_read_in_more_than_one_way_has_no_origin(url: str) -> None:
    assert origin_of(url) is None
    with pytest.raises(Problem, match="is no URL of a Larder"):
        typed_origin(url)


def test_the_host_after_the_at_sign_counts() -> None:
    assert origin_of("https://packages.example@evil.example/") == "https://evil.example"


def test_nobody_types_a_secret_into_a_url() -> None:
    with pytest.raises(Problem, match="Leave the user name out"):
        typed_origin("https://ann:secret@packages.example")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000", "http://127.9.9.9", "http://[::1]:8000", "http://localhost",
     "http://LocalHost:8000/", "https://packages.example"],
)  # fmt: skip
def test_what_stays_on_this_machine_or_is_encrypted_nobody_reads_on_the_way(url: str) -> None:
    assert not is_read_on_the_way(typed_origin(url))


@pytest.mark.parametrize(
    "url",
    ["http://packages.example", "http://10.0.0.1", "http://128.0.0.1", "http://[fe80::1]",
     "http://0.0.0.0:8000", "http://127.0.0.1.packages.example", "http://localhost.example",
     "http://localhosts"],
)  # fmt: skip
def test_what_is_sent_in_clear_to_another_machine_is_read_on_the_way(url: str) -> None:
    assert is_read_on_the_way(typed_origin(url))
