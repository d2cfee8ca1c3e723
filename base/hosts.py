"""Reads the host name that a request was sent to, and the addresses that it came by."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def host_of(request: HttpRequest) -> str:
    """Return the host name in lower case, without its port; empty when either cannot be read."""
    try:
        parts = urlsplit(f"//{request.get_host()}")
        _ = parts.port  # no port beyond 65535
    except (ValueError, DisallowedHost):
        return ""
    return parts.hostname or ""


def parse_address(text: str) -> Address | None:
    """Return the IP address that `text` is, or None.

    One machine has one address: IPv4 within IPv6 (`::ffff:10.0.0.5`) is the IPv4 address, and
    the zone of a link-local one (`%eth0`) is left out.
    """
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
