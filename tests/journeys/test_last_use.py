"""When a token was last used stands in the admin soon after, on either database."""

from __future__ import annotations

import time

from bs4 import BeautifulSoup

from tests.journeys.admin import Admin
from tests.journeys.larder import ADMIN_PASSWORD, Larder, Repository
from tests.journeys.wire import request

_SECONDS = 30


def test_the_last_use_of_a_token_is_written_down(larder: Larder, repository: Repository) -> None:
    name = f"used-in-{repository.name.partition('/')[2]}"
    (token,) = larder.manage(["create_token", "ray", "--tenant", "acme", "--name", name])
    with Admin(larder.url, "admin", ADMIN_PASSWORD) as admin:

        def last_used() -> str:
            found = admin.session.get(f"{larder.url}/admin/accounts/token/", params={"q": name})
            shown = BeautifulSoup(found.text, "html.parser").select_one(".field-last_used_at")
            assert shown is not None
            return shown.get_text(strip=True)

        assert last_used() == "-"
        with request("GET", repository.simple, token) as answer:
            assert answer.status == 200
        until = time.monotonic() + _SECONDS
        while last_used() == "-":
            assert time.monotonic() < until
            time.sleep(0.5)
