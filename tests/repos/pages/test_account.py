"""The page about oneself, and one's password."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import members, throttle
from accounts.models import Membership, Team, User
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure
from repos.models import Grant
from tests.cast import Cast, grant, make_repository

OLD, NEW = "the-old-password", "the-new-password"


def rows_of(page: str, section: str) -> dict[str, list[str]]:
    """Return the cells of a table, by the head of its rows."""
    table = BeautifulSoup(page, "html.parser").select(f"[aria-labelledby={section}] tbody tr")
    return {
        row.select_one("th").get_text(" ", strip=True): [  # type: ignore[union-attr]
            re.sub(r"\s+", " ", cell.get_text(strip=True)) for cell in row.select("td:not(:has(a))")
        ]
        for row in table
    }


def test_it_says_where_one_belongs_and_what_one_may_do(client: Client, cast: Cast) -> None:
    ray = cast.acme.reader
    place = Membership.objects.get(user=ray.user)
    team = Team(tenant=cast.acme.tenant, name="data")
    members.save_team(team, by=SYSTEM, members=[place])
    roles = {"of-the-team": Role.WRITER, "everybodys": Role.READER}
    for key, role in roles.items():
        configure.save_grant(
            Grant(
                repository=make_repository(cast.acme.tenant, key),
                subject=Grant.Subject.TEAM if role == Role.WRITER else Grant.Subject.ANYONE,
                team=team if role == Role.WRITER else None,
                role=role,
            ),
            by=SYSTEM,
        )
    grant(cast.acme.repository, Role.READER)  # a second reason: the greatest role counts
    make_repository(cast.acme.tenant, "closed")
    client.force_login(ray.user)
    page = client.get("/accounts/").content.decode()
    assert rows_of(page, "tenants") == {"acme": ["member", "data"]}
    assert rows_of(page, "may") == {
        "acme/everybodys": ["local", "read"],
        "acme/local": ["local", "read"],
        "acme/of-the-team": ["local", "read, publish"],
    }
    assert "/admin/base/auditevent/" not in page


@pytest.mark.parametrize("who", ["admin", "superuser"])
def test_administrators_are_led_to_the_audit_and_may_do_everything(
    client: Client, cast: Cast, who: str
) -> None:
    client.force_login((cast.acme.admin if who == "admin" else cast.superuser).user)
    page = client.get("/accounts/").content.decode()
    assert "/admin/base/auditevent/" in page
    assert rows_of(page, "may")["acme/local"] == ["local", "read, publish, administer"]


def test_it_asks_as_much_for_many_repositories_as_for_one(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.reader.user)
    counts = []
    for number in range(3):
        with CaptureQueriesContext(connection) as asked:
            client.get("/accounts/")
        counts.append(len(asked))
        grant(make_repository(cast.acme.tenant, f"more-{number}"), Role.READER, cast.acme.reader)
    assert len(set(counts)) == 1
    assert counts[0] <= 10


@pytest.fixture
def mona(client: Client, cast: Cast) -> Client:
    """The browser in which mona has signed in by her password."""
    members.save_user(cast.acme.member.user, by=SYSTEM, password=OLD)
    client.login(username="mona", password=OLD)
    return client


def change(client: Client, old: str, new: str = NEW, again: str = NEW):
    """Fill in the form."""
    sent = {"old_password": old, "new_password1": new, "new_password2": again}
    return client.post("/accounts/password/", sent)


def test_a_new_password_ends_the_other_sessions(mona: Client) -> None:
    elsewhere = Client()
    elsewhere.login(username="mona", password=OLD)
    answer = change(mona, OLD)
    assert (answer.status_code, answer.headers["Location"]) == (HTTPStatus.FOUND, "/accounts/")
    assert "Your password is changed" in mona.get("/accounts/").content.decode()
    assert elsewhere.get("/accounts/").status_code == HTTPStatus.UNAUTHORIZED
    assert User.objects.get(username="mona").check_password(NEW)


@pytest.mark.parametrize(
    ("old", "new", "again", "says"),
    [
        ("wrong-password", NEW, NEW, "entered incorrectly"),
        (OLD, "short", "short", "too short"),
        (OLD, NEW, "another-password", "two password fields"),
        (OLD, "1234567890", "1234567890", "too common"),
    ],
)
def test_a_password_is_refused_with_its_reason(
    mona: Client, old: str, new: str, again: str, says: str
) -> None:
    answer = change(mona, old, new, again)
    assert answer.status_code == HTTPStatus.OK
    assert says in answer.content.decode()
    assert User.objects.get(username="mona").check_password(OLD)


def test_guesses_at_the_present_password_are_counted(mona: Client) -> None:
    for number in range(throttle.PER_ACCOUNT):
        assert change(mona, f"wrong-{number}").status_code == HTTPStatus.OK
    answer = change(mona, OLD)
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert int(answer.headers["Retry-After"]) > 0
    assert User.objects.get(username="mona").check_password(OLD)
