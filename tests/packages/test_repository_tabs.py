"""The tabs of a repository on the pages that buttons lead to."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from accounts.roles import Role
from repos.models import VirtualSettings
from tests.cast import Cast, Member, grant
from tests.virtuals import make_virtual

_OF_READERS = ["Projects", "Browse", "Access"]


def tabs(client: Client, page: str) -> tuple[list[str], str]:
    """Return the tabs, and the one that the page says it is."""
    found = BeautifulSoup(client.get(f"/acme/{page}/").content, "html.parser")
    (nav,) = found.select("nav.subnav")
    (here,) = nav.select("[aria-current=page]")
    return [link.get_text() for link in nav.select("a")], here.get_text()


@pytest.mark.parametrize(
    ("page", "name"),
    [("local/-/explain", "Explain"), ("local/-/set-up", "Set me up"),
     ("local/-/set-up/uv", "Set me up")],
)  # fmt: skip
def test_readers_see_where_they_are(client: Client, cast: Cast, page: str, name: str) -> None:
    client.force_login(cast.acme.reader.user)
    assert tabs(client, page) == ([*_OF_READERS, name], name)


def test_a_writer_goes_on_from_an_upload(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.writer.user)
    own = [*_OF_READERS, "Extraction"]
    assert tabs(client, "local/-/upload") == ([*own, "Upload"], "Upload")
    assert tabs(client, "local/-/extraction") == (own, "Extraction")


@pytest.mark.parametrize("page", ["explain", "set-up", "upload", "extraction"])
def test_an_administrator_has_all_of_them(client: Client, cast: Cast, page: str) -> None:
    client.force_login(cast.acme.admin.user)
    found, _ = tabs(client, f"local/-/{page}")
    assert {"Activity", "Extraction", "Settings"} <= set(found)


def test_through_a_virtual_one_uploads_among_its_tabs(client: Client, cast: Cast) -> None:
    virtual = make_virtual(cast.acme, "all", [cast.acme.repository])
    VirtualSettings.objects.update_or_create(
        repository=virtual, defaults={"deployment": cast.acme.repository}
    )
    wes: Member = cast.acme.writer
    grant(virtual, Role.READER, wes)
    client.force_login(wes.user)
    found, here = tabs(client, "all/-/upload")
    assert (found, here) == (["Projects", "Browse", "Members", "Access", "Upload"], "Upload")


@pytest.mark.parametrize("page", ["local/browse", "local/-/activity", "local/-/access"])
def test_what_is_above_the_tabs_is_the_same_on_all_of_them(
    client: Client, cast: Cast, page: str
) -> None:
    client.force_login(cast.acme.admin.user)
    first, other = (
        BeautifulSoup(client.get(f"/acme/{each}/").content, "html.parser")
        for each in ("local", page)
    )
    told = [each.get_text(strip=True) for each in first.select(".heading a, .address code")]
    assert told == ["Upload", "Explain", "Set me up", "http://testserver/acme/local/simple/"]
    assert [each.get_text(strip=True) for each in other.select(".heading a, .address code")] == told


def test_a_virtual_offers_uploads_on_its_tabs_where_it_passes_them_on(
    client: Client, cast: Cast
) -> None:
    virtual = make_virtual(cast.acme, "all", [cast.acme.repository])
    grant(virtual, Role.WRITER, cast.acme.writer)
    client.force_login(cast.acme.writer.user)
    link = 'href="/acme/all/-/upload/"'
    assert link not in client.get("/acme/all/-/members/").content.decode()
    VirtualSettings.objects.update_or_create(
        repository=virtual, defaults={"deployment": cast.acme.repository}
    )
    assert link in client.get("/acme/all/-/members/").content.decode()
