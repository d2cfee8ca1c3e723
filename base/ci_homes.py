"""Where the repositories are whose CI an OpenID Connect issuer vouches for.

Apart from both that ask: the claims of CI are read in the web process, and certificates in one that
knows no Django.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_GITHUB_ISSUERS_HOST = "token.actions.githubusercontent.com"
_GITHUB = "https://github.com"


def home_of_github(issuer: str) -> str:
    """Return the address of the server, without a slash at the end.

    The public one is beside its issuer. GitHub Enterprise has https://host/_services/token, or
    https://token.actions.host.
    """
    host = urlsplit(issuer).netloc
    return (
        _GITHUB
        if host == _GITHUB_ISSUERS_HOST
        else f"https://{host.removeprefix('token.actions.')}"
    )


def home_of_gitlab(issuer: str) -> str:
    """Return the address of the server, which is its own issuer, without a slash at the end."""
    return issuer.rstrip("/")
