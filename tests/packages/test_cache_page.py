"""The page about what a remote keeps: who sees it, what it asks for, and how far a purge is."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from django.test import Client

from accounts.roles import Role
from packages.admin.remotes import RemoteForm
from packages.models import CachePurge, Remote
from packages.purge import purge_due
from packages.purge_form import PurgeForm
from repos.models import Kind, Repository, Upstream
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.virtuals import make_remote, put_file

URL, PART = "/acme/pypi-remote/-/cache/", "/acme/pypi-remote/-/cache/purge/"


@pytest.fixture
def remote(cast: Cast, client: Client, time: MovableClock) -> Repository:
    """A remote that keeps two files, before acme's admin."""
    remote = make_remote(cast.acme, "pypi-remote")
    for name in ("frog", "toad"):
        put_file(remote, name, "1.0")
    time.move(seconds=1)
    client.force_login(cast.acme.admin.user)
    return remote


def text_of(client: Client, url: str = URL, **sent: str) -> str:
    answer = client.post(url, sent, follow=True) if sent else client.get(url)
    assert answer.status_code in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_purge_is_begun_followed_and_remembered(client: Client, remote: Repository) -> None:
    page = text_of(client)
    assert "Type acme/pypi-remote to go on." in page
    assert "hx-get" not in page.partition('id="purge-state"')[2].partition("</section>")[0]
    page = text_of(client, typed="acme/pypi-remote")
    assert "acme/pypi-remote is being purged." in page
    assert "waits for a worker" in page
    assert f'hx-get="{PART}"' in page
    assert f'<a href="{URL}">See how far it is now</a>' in page  # without scripts
    assert 'name="typed"' not in page  # one at a time
    CachePurge.objects.update(is_counted=True, files=2, bytes=2, files_done=1, bytes_done=1)
    page = text_of(client, PART)
    assert '<progress max="2" value="1"' in page
    assert "1 of 2, 1" in page
    assert "<html" not in page
    assert f'hx-get="{PART}"' in page
    CachePurge.objects.update(files_done=0, bytes_done=0)
    purge_due()
    page = text_of(client, PART)
    assert "The purge has ended." in page
    assert "hx-get" not in page
    assert '<td role="cell">2 files, 2' in text_of(client)
    assert "Nothing is kept." in text_of(client)


def test_a_purge_that_no_worker_goes_on_with_says_so(
    client: Client, remote: Repository, time: MovableClock
) -> None:
    text_of(client, typed="acme/pypi-remote")
    assert "No worker has gone on" not in text_of(client)
    time.move(minutes=2)
    assert "No worker has gone on with it since" in text_of(client)


def test_what_is_typed_wrong_comes_back_with_the_reason(client: Client, remote: Repository) -> None:
    page = text_of(client, typed="pypi-remote", unused_days="90")
    assert "Nothing was purged: type acme/pypi-remote to say that you mean it." in page
    assert 'value="90"' in page
    for wrong in ("-1", "x", "99999"):
        assert "field-error" in text_of(client, typed="acme/pypi-remote", unused_days=wrong)
    assert not CachePurge.objects.exists()


def test_it_warns_where_what_goes_cannot_be_fetched_again(
    client: Client, remote: Repository
) -> None:
    assert "is switched offline" not in text_of(client)
    Upstream.objects.update(offline=True)
    assert "acme/pypi-remote is switched offline: what goes cannot be fetched" in text_of(client)


def test_only_administrators_of_a_remote_have_the_page(
    client: Client, cast: Cast, remote: Repository
) -> None:
    assert ">Cache</a>" in text_of(client, "/acme/pypi-remote/")
    assert ">Cache</a>" not in text_of(client, "/acme/local/")
    for url in ("/acme/local/-/cache/", "/acme/local/-/cache/purge/"):
        assert client.get(url).status_code == HTTPStatus.NOT_FOUND
    grant(remote, Role.WRITER, cast.acme.writer)
    client.force_login(cast.acme.writer.user)
    assert ">Cache</a>" not in text_of(client, "/acme/pypi-remote/")
    for url in (URL, PART):
        assert client.get(url).status_code == HTTPStatus.FORBIDDEN
    assert client.post(URL, {"typed": "acme/pypi-remote"}).status_code == HTTPStatus.FORBIDDEN
    assert not CachePurge.objects.exists()


def test_the_page_asks_the_same_however_much_is_kept(
    client: Client, remote: Repository, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    text_of(client, typed="acme/pypi-remote")
    with django_assert_max_num_queries(12) as few:
        text_of(client)
    for number in range(30):
        put_file(remote, f"newt-{number}", "1.0")
    with django_assert_num_queries(len(few)):
        text_of(client)


def test_a_form_of_the_admin_names_its_own_remote_alone(cast: Cast) -> None:
    acme, globex = (
        make_repository(house.tenant, "mirror", Kind.REMOTE) for house in (cast.acme, cast.globex)
    )
    forms = [RemoteForm(instance=Remote.objects.get(pk=each.pk)) for each in (acme, globex)]
    told = [form.fields["typed"].help_text for form in forms]
    assert told == ["Type acme/mirror to purge it.", "Type globex/mirror to purge it."]
    assert PurgeForm().fields["typed"].help_text == ""
