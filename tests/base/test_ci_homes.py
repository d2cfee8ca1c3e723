"""Which issuer is the public one, and how another is told from it."""

from __future__ import annotations

import pytest

from base.ci_homes import is_public, own_host

PUBLIC = "https://token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("kind", "issuer", "host"),
    [
        ("github", PUBLIC, ""),
        ("github", f"{PUBLIC}/acme-corp", "token.actions.githubusercontent.com/acme-corp"),
        ("github", "https://git.acme.example/_services/token", "git.acme.example"),
        ("github", "https://token.actions.acme.example", "acme.example"),
        ("gitlab", "https://gitlab.com", ""),
        ("gitlab", "https://gitlab.com/", "gitlab.com/"),
        ("gitlab", "https://git.acme.example", "git.acme.example"),
        ("google", "https://accounts.google.com", ""),
    ],
)
def test_whoever_is_not_public_is_told_by_a_name_of_its_own(
    kind: str, issuer: str, host: str
) -> None:
    assert own_host(kind, issuer) == host
    assert is_public(kind, issuer) == (not host)
