"""Which addresses an upstream may be at, and which URLs are asked at all."""

from __future__ import annotations

import pytest

from packages.upstream.addresses import Guard, origin_of, split_url
from packages.upstream.errors import AddressRefused

OPEN = Guard(frozenset({("index.example", 443), ("10.0.0.5", 8080)}), private_allowed=True)
SHUT = Guard(OPEN.configured, private_allowed=False)

PRIVATE = (
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1"),
    *("::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "fec0::1"),
)
NEVER = (
    *("169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::"),  # noqa: S104 - compared
    *("fe80::1", "fe80::1%eth0", "ff02::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    "::ffff:0:10.0.0.1",
)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_asked(address: str) -> None:
    SHUT.judge_address("anything.example", 443, address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_asked_where_that_was_ticked(address: str) -> None:
    OPEN.judge_address("Index.example", 443, address)
    for guard, host in ((SHUT, "index.example"), (OPEN, "elsewhere.example")):
        with pytest.raises(AddressRefused, match="not public"):
            guard.judge_address(host, 443, address)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_asked(address: str) -> None:
    with pytest.raises(AddressRefused, match="never asked"):
        OPEN.judge_address("index.example", 443, address)


def test_another_port_of_a_configured_host_is_another_place() -> None:
    OPEN.judge_target("10.0.0.5", 8080)
    OPEN.judge_target("anything.example", 80)
    for host, port in (("10.0.0.5", 22), ("anything.example", 8080)):
        with pytest.raises(AddressRefused, match="nobody configured"):
            OPEN.judge_target(host, port)
    with pytest.raises(AddressRefused):
        OPEN.judge_address("index.example", 80, "10.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "gopher://x/", "http://", "http://x:0/", "http://[", "http://a b/"),
        # Two readers of URLs would go to two hosts.
        r"http://evil.example\@index.example/",
        "http://evil.example@index.example/",
        r"http://index.example\.evil.example/",
    ],
)
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        split_url(url)


def test_an_origin_has_its_port() -> None:
    assert origin_of("HTTPS://Index.Example/simple/") == ("https", "index.example", 443)
    assert origin_of("http://index.example:8080") == ("http", "index.example", 8080)
