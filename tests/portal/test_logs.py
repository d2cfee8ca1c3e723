"""Log lines hold no secret, whoever wrote them."""

from __future__ import annotations

import pytest

from portal.logs import without_secrets

TOKEN = "lrd_" + "Ab1" * 19


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f"token {TOKEN} was used", TOKEN),
        ("connecting to postgres://larder:hunter2@db/larder", "hunter2"),
        ("https://:hunter2@host/", "hunter2"),
        ("Authorization: Basic X190b2tlbl9fOmh1bnRlcjI=", "X190b2tlbl9fOmh1bnRlcjI="),
        ("authorization: bearer abcdefghijklmnop", "abcdefghijklmnop"),
    ],
)
def test_a_credential_is_struck_out(line: str, secret: str) -> None:
    assert secret not in without_secrets(line)


def test_the_rest_of_the_line_stays() -> None:
    line = "postgres://larder:hunter2@db/larder is down"
    assert without_secrets(line) == "postgres://***@db/larder is down"
