"""The people of the tests are such as Larder would take."""

from __future__ import annotations

from accounts.models import Membership, Tenant, Token, User
from repos.models import Grant, Repository
from tests.cast import Cast


def test_every_row_of_the_cast_is_valid(cast: Cast) -> None:
    for model in (Tenant, User, Membership, Token, Repository, Grant):
        rows = list(model._default_manager.all())
        assert rows
        for row in rows:
            row.full_clean()
