"""What was done in a repository, and who may do what there, in words and to whom."""

from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus

import pytest
from django.test import Client

from accounts.members import save_team
from accounts.models import Membership, Team
from accounts.roles import Role
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import curate
from packages.models import Release
from packages.pages import activity
from repos import configure
from repos.models import Claim, Grant
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import published

ACTIVITY, ACCESS = "/acme/local/-/activity/", "/acme/local/-/access/"


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == HTTPStatus.OK
    shown = re.sub(r"<[^>]+>", "", response.content.decode().partition("<main")[2])
    return re.sub(r"\s+", " ", unescape(shown))


def test_what_was_done_is_told_in_words_with_before_and_after(
    client: Client, cast: Cast, time: MovableClock
) -> None:
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    curate.yank(Release.objects.get(), reason="croaks", by=cast.acme.writer.principal)
    configure.add_claim(Claim(repository=cast.acme.repository, pattern="acme-*"), by=SYSTEM)
    client.force_login(cast.acme.admin.user)
    page = text_of(client, ACTIVITY)
    assert "wes published frog-1.0-py3-none-any.whl" in page
    assert "with token wes's" in page
    assert re.search(
        r"wes yanked frog 1\.0 .*yanked no yes .*yanked reason (nothing )?croaks", page
    )
    assert "larder claimed acme-* for acme/local" in page
    assert "larder made wes writer of acme/local" in page
    assert page.index("claimed") < page.index("yanked") < page.index("published")


def test_the_activity_of_a_repository_is_its_own(client: Client, cast: Cast) -> None:
    other = make_repository(cast.acme.tenant, "local-2")
    configure.add_claim(Claim(repository=other, pattern="acme-secret"), by=SYSTEM)
    client.force_login(cast.acme.admin.user)
    assert "acme-secret" not in text_of(client, ACTIVITY)
    assert "acme-secret" in text_of(client, "/acme/local-2/-/activity/")


def test_every_event_of_a_repository_says_so(client: Client, cast: Cast) -> None:
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    without = AuditEvent.objects.filter(subject__startswith="acme/local", repository="")
    assert not without.exists()
    assert AuditEvent.objects.filter(action="user.create").exclude(repository="").count() == 0


def test_activity_goes_on_in_pages(
    client: Client, cast: Cast, monkeypatch, time: MovableClock
) -> None:
    monkeypatch.setattr(activity, "_EVENTS_PER_PAGE", 2)
    for number in range(5):  # all at one moment
        claim = Claim(repository=cast.acme.repository, pattern=f"acme-{number}")
        configure.add_claim(claim, by=SYSTEM)
    client.force_login(cast.acme.admin.user)
    found, url = [], ACTIVITY
    while url:
        page = client.get(url).content.decode()
        found += re.findall(r"claimed (acme-\d)", page)
        after = re.search(r'rel="next" href="(\?[^"]+)"', page)
        url = ACTIVITY + after[1] if after else ""
    assert found == [f"acme-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("after", ["x", "x/1", "2026-01-01T00:00:00+00:00/x", "/", "2026-01-01/1"])
def test_a_page_that_is_none_is_refused(client: Client, cast: Cast, after: str) -> None:
    client.force_login(cast.acme.admin.user)
    answer = client.get(ACTIVITY, {"after": after})
    assert answer.status_code == HTTPStatus.BAD_REQUEST


def test_activity_is_for_those_who_administer(client: Client, cast: Cast) -> None:
    for person in (cast.acme.writer, cast.acme.reader, cast.globex.admin):
        client.force_login(person.user)
        assert client.get(ACTIVITY).status_code == HTTPStatus.FORBIDDEN
    client.force_login(cast.acme.reader.user)
    assert "Activity" not in text_of(client, "/acme/local/")


def test_admins_see_who_may_what_by_person_team_and_circle(client: Client, cast: Cast) -> None:
    team = Team(tenant=cast.acme.tenant, name="pond")
    save_team(team, by=SYSTEM, members=[Membership.objects.get(user=cast.acme.member.user)])
    configure.save_grant(
        Grant(repository=cast.acme.repository, subject="team", team=team, role=Role.ADMIN),
        by=SYSTEM,
    )
    grant(cast.acme.repository, Role.READER)
    client.force_login(cast.acme.admin.user)
    page = text_of(client, ACCESS)
    assert "ada person do everything" in page
    assert "tenant admin of acme" in page
    assert "wes person read and publish" in page
    assert "pond team mona do everything" in page
    assert "anyone, signed in or not read" in page


def test_readers_see_their_own_right_and_whom_to_ask(client: Client, cast: Cast) -> None:
    client.force_login(cast.acme.reader.user)
    page = text_of(client, ACCESS)
    assert "You may read here. To do more, ask ada." in page
    assert "wes" not in page
    grant(cast.acme.repository, Role.READER)
    client.logout()
    page = text_of(client, ACCESS)
    assert "Like anyone, you may read here." in page
    assert "ada" not in page
    client.force_login(cast.globex.reader.user)
    assert "ada" not in text_of(client, ACCESS)
