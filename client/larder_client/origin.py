"""The origin of a URL: scheme, host and port, which are all that a login is for."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from larder_client.problems import Problem

_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str | None:
    """Return `scheme://host:port` of a URL; None for what is none, a bare host among them.

    A bare host does not say whether the secret would be sent in clear, and a URL that clients read
    in more than one way does not say to whom.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or not port:
        return None
    if not all(map(_is_plain, url)) or parts.netloc.count("@") > 1:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port == _PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if usual else f":{port}")


def typed_origin(url: str) -> str:
    """Return the origin of a URL that somebody typed. Raises Problem."""
    origin = origin_of(url)
    if origin is None:
        raise Problem(f"'{url}' is no URL of a Larder. Write it as https://packages.example.")
    if "@" in urlsplit(url).netloc:
        raise Problem("Leave the user name out of the URL: it is asked for.")
    return origin


def is_read_on_the_way(origin: str) -> bool:
    """Say whether others may read what is sent there: in clear, and not to this very machine."""
    parts = urlsplit(origin)
    return parts.scheme == "http" and not _is_this_machine(parts.hostname or "")


def _is_this_machine(host: str) -> bool:
    """Say whether a host is loopback: by its address, or by the name that every machine has."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_plain(character: str) -> bool:
    """Say whether all clients read a character alike.

    For some a backslash ends the host, for others it is a part of the user name. Control characters
    and spaces are dropped, escaped, or refused.
    """
    return character != "\\" and character.isprintable() and not character.isspace()
