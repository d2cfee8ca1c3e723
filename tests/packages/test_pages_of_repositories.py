"""Pages for people: a repository and a project, as a browser shows them."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from django.test import Client

from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from packages import curate
from packages.models import Distribution, UpstreamHealth
from repos import configure
from repos.models import Kind, Upstream, VirtualSettings
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_sdist, make_wheel
from tests.uploads import published


@pytest.fixture
def frogs(client: Client, cast: Cast) -> Cast:
    """Two releases of a project, seen by a signed-in reader."""
    wes = cast.acme.writer
    headers = ["Summary: Frogs <b>for</b> units", "Project-URL: Bad, javascript:alert(1)",
               "Project-URL: Docs, https://example.org/docs"]  # fmt: skip
    for version in ("1.0", "1.1rc1"):
        # The rules for URLs are younger than this version of the metadata.
        file = make_wheel(
            "frog",
            version,
            metadata_version="1.2",
            extra_headers=headers,
            description="<script>x</script>",
        )
        published(client, "frog", version, file, by=wes)
    published(client, "frog", "1.0", make_sdist("frog", "1.0"), by=wes)
    client.force_login(cast.acme.reader.user)
    return cast


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def test_a_repository_lists_its_projects_with_the_newest_final_release(
    client: Client, frogs: Cast
) -> None:
    page = text_of(client, "/acme/local/")
    assert "/acme/local/project/frog/" in page
    assert re.search(r"<td[^>]*>\s*1\.0\s*</td>", page)
    assert "1.1rc1" not in page


def test_no_page_suggests_a_further_index(client: Client, frogs: Cast) -> None:
    for url in ("/acme/local/", "/"):
        assert "extra-index" not in text_of(client, url)


def test_an_empty_repository_says_how_to_publish(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.reader.user)
    page = text_of(client, "/acme/local/")
    assert "twine upload --repository-url http://testserver/acme/local/" in page


def test_a_project_without_files_is_listed_with_that(client: Client, frogs: Cast) -> None:
    for row in Distribution.objects.all():
        curate.delete(row, by=frogs.acme.admin.principal)
    assert "no files" in text_of(client, "/acme/local/")


def test_a_remote_says_what_stands_behind_it_and_what_is_kept(client: Client, cast: Cast) -> None:
    remote = make_repository(cast.acme.tenant, "remote", Kind.REMOTE)
    grant(remote, Role.READER)
    assert "No index stands behind this repository yet" in text_of(client, "/acme/remote/")
    configure.save_upstream(
        Upstream(repository=remote, index_url="https://mirror.example.org/"), by=SYSTEM
    )
    page = text_of(client, "/acme/remote/")
    assert "Nothing is kept yet" in page
    assert "/acme/remote/simple/" in page
    assert "twine" not in page
    UpstreamHealth.objects.create(
        repository=remote, failures=3, failed_at=clock.now(), failure="It said 500."
    )
    assert "It said 500." in text_of(client, "/acme/remote/")


def test_a_virtual_lists_its_members_in_order_and_names_none_that_one_may_not_read(
    client: Client, cast: Cast
) -> None:
    virtual = make_repository(cast.acme.tenant, "virtual", Kind.VIRTUAL)
    secret = make_repository(cast.acme.tenant, "secret")
    configure.set_members(virtual, [secret, cast.acme.repository], by=SYSTEM)
    grant(virtual, Role.READER, cast.acme.reader)
    client.force_login(cast.acme.reader.user)
    page = text_of(client, "/acme/virtual/")
    assert "secret" not in page
    assert page.index("A repository that you may not read") < page.index("/acme/local/")
    assert "twine" not in page
    settings = VirtualSettings(repository=virtual, deployment=cast.acme.repository)
    configure.save_virtual(settings, by=SYSTEM)
    assert "twine upload" in text_of(client, "/acme/virtual/")


@pytest.mark.parametrize("url", ["/acme/local/", "/acme/none/", "/nowhere/none/"])
def test_an_anonymous_caller_is_sent_to_sign_in_alike_for_every_name(
    client: Client, cast: Cast, url: str
) -> None:
    response = client.get(url)
    assert response.status_code == HTTPStatus.FOUND
    assert response.headers["Location"] == f"/accounts/sign-in/?next={url}"


def test_a_refusal_has_the_same_sentence_as_the_terminal(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.member.user)
    response = client.get("/acme/local/")
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "You may not read acme/local. Ask ada." in response.content.decode()
    client.force_login(cast.globex.admin.user)
    for name in ("acme/local", "acme/none"):
        response = client.get(f"/{name}/")
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert f"There is no repository {name} that you may use." in response.content.decode()


def test_pages_cost_the_same_however_much_there_is(
    client: Client, frogs: Cast, django_assert_max_num_queries, time: MovableClock
) -> None:
    for number in range(20):
        name = f"toad-{number}"
        published(client, name, "1.0", make_wheel(name, "1.0"), by=frogs.acme.writer)
    for url in ("/acme/local/", "/"):
        with django_assert_max_num_queries(14):
            text_of(client, url)
