"""Home and tenants: what one may read, what is new, and what waits for whom."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from django.test import Client

from accounts import members
from accounts.models import Invitation, Membership
from accounts.roles import Role
from base.audit import SYSTEM
from packages import holdings, statistics
from packages.models import Distribution
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import published


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == HTTPStatus.OK
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.fixture
def frog(client: Client, cast: Cast, time: MovableClock) -> Cast:
    """A published frog, counted."""
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    statistics.recount()
    return cast


def test_home_tells_what_is_new_to_those_who_may_read_it(client: Client, frog: Cast) -> None:
    client.force_login(frog.acme.reader.user)
    page = text_of(client, "/")
    assert "/acme/local/project/frog/" in page
    assert "1 project</span>" in page
    client.force_login(frog.globex.admin.user)
    page = text_of(client, "/")
    assert "frog" not in page
    assert "acme" not in page


def test_what_waits_is_told_to_those_who_may_do_something(
    client: Client, frog: Cast, time: MovableClock
) -> None:
    for url in ("/", "/acme/"):
        client.force_login(frog.acme.reader.user)
        assert "What waits" not in text_of(client, url)
        client.force_login(frog.acme.writer.user)
        assert "new files are read in 60 s" in text_of(client, url)
    Distribution.objects.update(extraction="failed", upstream_change="removed")
    page = text_of(client, "/")
    assert "files that could not be read" in page
    assert "its upstream withdrew files" in page


def test_a_tenant_tells_its_admins_who_belongs_to_it(client: Client, frog: Cast) -> None:
    client.force_login(frog.acme.admin.user)
    page = text_of(client, "/acme/")
    for shown in ("Members", "mona", "Service accounts", "Tokens that work", "wes&#x27;s"):
        assert shown in page
    client.force_login(frog.acme.reader.user)
    page = text_of(client, "/acme/")
    assert "mona" not in page
    assert "Tokens that work" not in page
    with_token = client.get("/acme/", headers=frog.acme.admin.headers)
    assert "mona" not in with_token.content.decode()


def test_what_an_admin_of_a_tenant_is_led_to_does_what_it_says(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.admin.user)
    page = text_of(client, "/acme/")
    assert "Make an account" not in page  # that is for superusers
    found = re.findall(r'href="(/admin/accounts/(?:invitation|membership)/[^"]*)"', page)
    invite, change = (text_of(client, url) for url in found)
    assert 'name="username"' in invite
    assert "mona" in change
    client.force_login(cast.superuser.user)
    assert 'href="/admin/accounts/user/add/">Make an account<' in text_of(client, "/acme/")


def test_whoever_is_invited_is_not_told_to_ask_for_it(client: Client, cast: Cast) -> None:
    client.force_login(cast.stranger.user)
    assert "You belong to no tenant yet." in text_of(client, "/")
    invitation = Invitation(tenant=cast.acme.tenant, username=cast.stranger.user.username)
    members.invite(invitation, by=SYSTEM)
    page = text_of(client, "/")
    assert "invites you to be a member" in page
    assert "You belong to no tenant yet." not in page


def test_many_repositories_come_in_pages(client: Client, cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr(holdings, "PER_PAGE", 2)
    for number in range(3):
        grant(make_repository(cast.acme.tenant, f"more-{number}"), Role.READER, cast.acme.reader)
    client.force_login(cast.acme.reader.user)
    for start in ("/", "/acme/"):
        first = text_of(client, start)
        assert "/acme/more-0/" in first
        assert "/acme/more-1/" not in first
        (after,) = re.findall(r'rel="next" href="(\?[^"]+)"', first)
        second = text_of(client, start + after)
        assert "/acme/more-2/" in second
        assert "/acme/local/" not in second


def test_home_asks_the_same_however_much_there_is(
    client: Client, frog: Cast, django_assert_max_num_queries
) -> None:
    client.force_login(frog.acme.admin.user)
    for url in ("/", "/acme/"):
        with django_assert_max_num_queries(12) as few:
            text_of(client, url)
        for number in range(5):
            key = f"pond-{url.count('acme')}-{number}"
            grant(make_repository(frog.acme.tenant, key), Role.READER, frog.acme.reader)
        with django_assert_max_num_queries(len(few)):
            text_of(client, url)


def test_a_tenant_with_nothing_to_read_is_reached_from_home(client: Client, cast: Cast) -> None:
    for member in (cast.acme.member, cast.acme.admin):
        members.save_membership(Membership(tenant=cast.globex.tenant, user=member.user), by=SYSTEM)
    client.force_login(cast.acme.member.user)
    links = '<a href="/acme/">acme</a>, <a href="/globex/">globex</a>'
    assert f"You belong to {links}" in text_of(client, "/")
    client.force_login(cast.acme.admin.user)
    assert 'You also belong to <a href="/globex/">globex</a>' in text_of(client, "/")


def test_a_new_repository_begins_in_the_tenant_that_one_comes_from(
    client: Client, cast: Cast
) -> None:
    client.force_login(cast.superuser.user)
    (url,) = re.findall(r'href="(/admin/repos/repository/add/[^"]*)"', text_of(client, "/globex/"))
    assert f'<option value="{cast.globex.tenant.pk}" selected>globex' in text_of(client, url)
    settings = f"/admin/accounts/tenant/{cast.globex.tenant.pk}/change/"
    assert '<a href="/globex/">' in text_of(client, settings)
