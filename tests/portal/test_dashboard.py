"""The first page of the admin at a glance, and what a change of grants is called there."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from accounts.models import Tenant
from packages.models import Distribution, UpstreamHealth
from repos.models import Kind
from tests.cast import Cast, make_repository
from tests.dists import make_wheel
from tests.portal.test_admin import add, fill_in, saved
from tests.uploads import published


@pytest.fixture
def shelves(cast: Cast, client: Client) -> None:
    """A failed file in each of two tenants, and a remote that does not answer in one."""
    for house, name in ((cast.acme, "frog"), (cast.globex, "secret")):
        to = f"/{house.repository}/"
        published(client, name, "1.0", make_wheel(name, "1.0"), by=house.writer, to=to)
    Distribution.objects.update(extraction=Distribution.Extraction.FAILED)
    remote = make_repository(cast.globex.tenant, "away", Kind.REMOTE)
    UpstreamHealth.objects.update_or_create(
        repository=remote, defaults={"failures": 3, "failure": "It is on fire."}
    )


def glance(client: Client) -> str:
    page = BeautifulSoup(client.get("/admin/").content, "html.parser")
    return " ".join(page.select_one(".glance").get_text(" ").split())  # type: ignore[union-attr]


def test_each_administrator_sees_their_own_tenants_and_no_other(
    client: Client, cast: Cast, shelves: None
) -> None:
    client.force_login(cast.acme.admin.user)
    seen = glance(client)
    assert "acme" in seen
    assert "1 Files that could not be read" in seen
    assert "1 in 30 days" in seen
    for foreign in ("globex", "away", "on fire"):
        assert foreign not in seen
    client.force_login(cast.superuser.user)
    seen = glance(client)
    assert "2 Files that could not be read" in seen
    assert "2 in 30 days" in seen
    assert "globex/away It has no index URL yet." in seen or "It is on fire." in seen


def test_every_number_leads_to_its_rows(client: Client, cast: Cast, shelves: None) -> None:
    client.force_login(cast.acme.admin.user)
    page = BeautifulSoup(client.get("/admin/").content, "html.parser")
    links = [str(link["href"]) for link in page.select(".glance a")]
    assert len(links) >= 4
    for link in links:
        assert client.get(link).status_code == 200, link
    (failed,) = [link for link in links if "extraction__exact=failed" in link]
    assert "frog-1.0" in client.get(failed).content.decode()


def test_it_asks_little(
    client: Client, cast: Cast, shelves: None, django_assert_max_num_queries: Any
) -> None:
    client.force_login(cast.superuser.user)
    Tenant.objects.bulk_create(Tenant(slug=f"t{number}", name="") for number in range(30))
    with django_assert_max_num_queries(12):
        client.get("/admin/")


def test_a_change_of_grants_is_explained_in_words(client: Client, cast: Cast) -> None:
    client.force_login(cast.superuser.user)
    member = cast.acme.member.user.memberships.get(tenant=cast.acme.tenant)
    made = fill_in(
        client,
        add("repos_grant"),
        repository=cast.acme.repository.pk,
        subject="user",
        membership=member.pk,
        role=1,
    )
    assert saved(made)
    name = cast.acme.member.user.username  # and not with the capital that Django begins with
    page = client.get(made.url).content.decode()
    assert f">{name} may now read acme/local" in page
    (grant,) = member.grants.all()
    url = f"/admin/repos/grant/{grant.pk}/change/"
    changed = fill_in(client, url, role=2)
    assert saved(changed)
    page = client.get(changed.url).content.decode()
    assert f"{name} may now publish to acme/local; before, read." in page
    ended = client.post(f"/admin/repos/grant/{grant.pk}/delete/", {"post": "yes"}, follow=True)
    assert f"{name} may no longer publish to acme/local by this grant." in ended.content.decode()
