"""Which addresses Larder talks to: the guard against being sent to places of our own network."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from packages.filenames import shown
from packages.upstream.errors import AddressRefused, NotConfigured, PrivateRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Origin = tuple[str, str, int]  # scheme, host, port

_USUAL_PORTS = {"http": 80, "https": 443}
# IPv6 that carries an IPv4 address in its last 32 bits: RFC 6052 (NAT64), RFC 8215, RFC 4291.
_CARRYING_IPV4 = tuple(
    ipaddress.IPv6Network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")
)


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL that may be asked. Raises AddressRefused for any other.

    A name before the host, and a backslash, is read in two ways: what is judged here would not be
    what is connected to.
    """
    try:
        parts = urlsplit(url)
        host = (parse_url(url).host or "").strip("[]").lower()
        is_one = (
            parts.scheme in _USUAL_PORTS
            and bool(parts.hostname)
            and parts.port != 0
            and parts.hostname == host
        )
    except (ValueError, LocationParseError):
        is_one = False
    is_plain = url.isprintable() and not any(each in url for each in " \\")
    if not is_one or not is_plain or "@" in parts.netloc:
        raise AddressRefused("What is no http:// or https:// URL of a host is not asked.")
    return parts


def origin_of(url: str) -> Origin:
    """Return the origin of a URL (RFC 6454): where credentials may go or may not."""
    parts = split_url(url)
    host = (parts.hostname or "").lower()
    return parts.scheme, host, parts.port or _USUAL_PORTS[parts.scheme]


def root_of(url: str) -> str:
    """Return the URL of the host of `url`, as a setting names it."""
    parts = split_url(url)
    return f"{parts.scheme}://{parts.netloc}/"


@dataclass(frozen=True, slots=True)
class Guard:
    """What one upstream may lead to; `configured` are the hosts and ports that its admin set."""

    configured: frozenset[tuple[str, int]]
    private_allowed: bool

    def judge_target(self, host: str, port: int) -> None:
        """Refuse a port that is neither the web's nor configured."""
        if port not in _USUAL_PORTS.values() and (host.lower(), port) not in self.configured:
            raise NotConfigured(f"{shown(host)} is not asked on port {port}: nobody configured it.")

    def judge_address(self, host: str, port: int, address: str) -> None:
        """Refuse an address that is not public, unless the host is one that may be private.

        Raises NotConfigured where the upstream may have one, and this host is not named by it.
        """
        ip = _meant(ipaddress.ip_address(address.partition("%")[0]))
        if _is_public(ip):
            return
        never = ip.is_multicast or ip.is_unspecified or ip.is_link_local or _is_reserved(ip)
        found = f"{shown(host)} has the address {ip}, which is not public"
        if never:
            raise AddressRefused(f"{found}. Such addresses are never asked.")
        if not self.private_allowed:
            raise PrivateRefused(found)
        if (host.lower(), port) not in self.configured:
            raise NotConfigured(
                f"{found}: only the hosts of the index URL and of the URL of files may have one."
            )


def _meant(ip: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped or ip.sixtofour:
        return ip.ipv4_mapped or ip.sixtofour or ip
    if ip.teredo:
        return ip.teredo[1]
    if any(ip in network for network in _CARRYING_IPV4) and not (ip.is_loopback or int(ip) == 0):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _is_public(ip: Address) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local:  # RFC 3879: networks of old
        return False
    return ip.is_global and not ip.is_multicast and not _is_reserved(ip)


def _is_reserved(ip: Address) -> bool:
    # IPv6's unallocated blocks are "reserved" too, and so is loopback, which may be allowed.
    return ip.is_reserved and not ip.is_loopback
