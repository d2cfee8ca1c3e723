"""Where the repositories are whose CI an OpenID Connect issuer vouches for, and which is which.

Apart from both that ask: the claims of CI are read in the web process, and certificates in one that
knows no Django.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_GITHUB_ISSUERS_HOST = "token.actions.githubusercontent.com"
_GITHUB = "https://github.com"
# The issuers that readers of attestations take the kinds of PEP 740's publishers to be of.
_PUBLIC = {
    "github": f"https://{_GITHUB_ISSUERS_HOST}",
    "gitlab": "https://gitlab.com",
    "google": "https://accounts.google.com",
}
# Events of GitHub that a pull request from outside causes, in a job that has all rights and the
# default branch for its ref.
BY_STRANGERS = frozenset({"pull_request_target", "workflow_run"})


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


def is_public(kind: str, issuer: str) -> bool:
    """Say whether it is the one public issuer of its kind, which everybody means by the kind."""
    return _PUBLIC.get(kind) == issuer


def own_host(kind: str, issuer: str) -> str:
    """Return the host where its CI runs; empty where that is the public one of its kind.

    An issuer of one's own at the public host, as GitHub gives to enterprises, is told by its URL.
    """
    if is_public(kind, issuer):
        return ""
    host, said = _host(kind, issuer), urlsplit(issuer)
    return f"{said.netloc}{said.path}" if host == _host(kind, _PUBLIC.get(kind, "")) else host


def _host(kind: str, issuer: str) -> str:
    return urlsplit(home_of_github(issuer) if kind == "github" else issuer).netloc


def may_be_same(kept: str, told: str) -> bool:
    """Say whether two numbers of an owner or a repository are one; not every host tells both."""
    return not (kept and told) or kept == told
