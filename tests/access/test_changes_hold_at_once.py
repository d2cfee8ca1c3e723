"""What is taken away is gone with the next request: rights, tokens, accounts, repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from accounts import members, tokens
from accounts.models import Membership, Team, Token, User
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure
from repos.models import Grant, Repository
from tests.access.asking import ask, connection_kept
from tests.access.world import FORM, FORM_TYPE, PASSWORD, session_of
from tests.cast import Cast, Member, basic, make_repository
from tests.conftest import MovableClock

PAGE, PEOPLES_PAGE, UPLOAD = "/acme/local/simple/", "/acme/local/", "/acme/local/"


@dataclass
class Scene:
    """wes, who may publish to acme/local by one right, and everything that gives it to him."""

    cast: Cast
    clock: MovableClock
    repository: Repository
    token: Token
    way: str
    shows: Mapping[str, str] = field(default_factory=dict)

    @property
    def wes(self) -> Member:
        """The writer."""
        return self.cast.acme.writer

    @property
    def place(self) -> Membership:
        """His place in the tenant."""
        return Membership.objects.get(user=self.wes.user, tenant=self.cast.acme.tenant)

    @property
    def right(self) -> Grant:
        """The one grant that lets him in."""
        return Grant.objects.get(repository=self.repository, role=Role.WRITER)

    def reads(self) -> int:
        """Return the status of an index page."""
        return ask("GET", PAGE, self.shows).status

    def publishes(self) -> int:
        """Return the status of an upload."""
        return ask("POST", UPLOAD, self.shows, body=FORM, content_type=FORM_TYPE).status

    def sees_the_page(self) -> int:
        """Return the status of the page for people."""
        return ask("GET", PEOPLES_PAGE, self.shows).status


@pytest.fixture(params=["token", "password", "session"])
def scene(request: pytest.FixtureRequest, cast: Cast, time: MovableClock, settings, monkeypatch):
    """The same right, used in each way."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr("portal.middleware.LEASE_SECONDS", 0)
    way = str(request.param)
    members.save_user(cast.acme.writer.user, by=SYSTEM, password=PASSWORD)
    made = Scene(cast, time, cast.acme.repository, cast.acme.writer.token, way)
    shown = {
        "token": made.wes.headers,
        "password": basic("wes", PASSWORD),
        "session": session_of(made.wes.user),
    }
    made.shows = shown[way]
    with connection_kept():
        yield made


def the_grant_ends(scene: Scene) -> None:
    configure.end_grant(scene.right, by=SYSTEM)


def the_account_is_disabled(scene: Scene) -> None:
    user = User.objects.get(username="wes")
    user.is_active = False
    members.save_user(user, by=SYSTEM)


def he_leaves_the_tenant(scene: Scene) -> None:
    members.end_membership(scene.place, by=SYSTEM)


def the_repository_is_deleted(scene: Scene) -> None:
    configure.delete_repository(scene.repository, by=SYSTEM)


def his_team_has_the_right(scene: Scene) -> Team:
    """Let the same right come by a team instead."""
    configure.end_grant(scene.right, by=SYSTEM)
    team = Team(tenant=scene.cast.acme.tenant, name="packagers")
    members.save_team(team, by=SYSTEM, members=[scene.place])
    by_team = Grant(
        repository=scene.repository, subject=Grant.Subject.TEAM, team=team, role=Role.WRITER
    )
    configure.save_grant(by_team, by=SYSTEM)
    assert scene.reads() == 200
    return team


def he_leaves_the_team(scene: Scene) -> None:
    members.save_team(his_team_has_the_right(scene), by=SYSTEM, members=[])


def the_team_is_deleted(scene: Scene) -> None:
    members.delete_team(his_team_has_the_right(scene), by=SYSTEM)


def the_teams_grant_ends(scene: Scene) -> None:
    his_team_has_the_right(scene)
    configure.end_grant(scene.right, by=SYSTEM)


def the_circle_of_members_closes(scene: Scene) -> None:
    configure.end_grant(scene.right, by=SYSTEM)
    circle = Grant(repository=scene.repository, subject=Grant.Subject.MEMBERS, role=Role.WRITER)
    configure.save_grant(circle, by=SYSTEM)
    assert scene.reads() == 200
    configure.end_grant(circle, by=SYSTEM)


def he_is_tenant_admin_no_longer(scene: Scene) -> None:
    configure.end_grant(scene.right, by=SYSTEM)
    place = scene.place
    for kind in (Membership.Kind.ADMIN, Membership.Kind.MEMBER):
        place.kind = kind
        members.save_membership(place, by=SYSTEM)
        assert scene.reads() == (200 if kind == Membership.Kind.ADMIN else 403)


def he_is_superuser_no_longer(scene: Scene) -> None:
    configure.end_grant(scene.right, by=SYSTEM)
    user = User.objects.get(username="wes")
    for is_superuser in (True, False):
        user.is_superuser = is_superuser
        members.save_user(user, by=SYSTEM)
        assert scene.reads() == (200 if is_superuser else 403)


Change = Callable[[Scene], object]
ENDS: tuple[Change, ...] = (
    the_grant_ends,
    the_account_is_disabled,
    he_leaves_the_tenant,
    the_repository_is_deleted,
    he_leaves_the_team,
    the_team_is_deleted,
    the_teams_grant_ends,
    the_circle_of_members_closes,
    he_is_tenant_admin_no_longer,
    he_is_superuser_no_longer,
)


@pytest.mark.parametrize("change", ENDS)
def test_what_ends_ends_with_the_next_request(scene: Scene, change: Change) -> None:
    assert scene.reads() == 200
    assert scene.sees_the_page() == 200
    if scene.way != "session":
        assert scene.publishes() == 200
    change(scene)
    assert scene.reads() in {401, 403, 410}
    assert scene.publishes() in {401, 403, 404}
    assert scene.sees_the_page() in {302, 401, 403, 404}


def test_a_lesser_role_is_lesser_with_the_next_request(scene: Scene) -> None:
    grant = scene.right
    grant.role = Role.READER
    configure.save_grant(grant, by=SYSTEM)
    assert scene.reads() == 200
    assert scene.publishes() == (401 if scene.way == "session" else 403)


def test_a_right_given_is_there_with_the_next_request(scene: Scene) -> None:
    configure.end_grant(scene.right, by=SYSTEM)
    assert scene.reads() == 403
    given = Grant(
        repository=scene.repository,
        subject=Grant.Subject.USER,
        membership=scene.place,
        role=Role.READER,
    )
    configure.save_grant(given, by=SYSTEM)
    assert scene.reads() == 200


def test_a_new_password_ends_what_the_old_one_opened(scene: Scene) -> None:
    assert scene.reads() == 200
    user = User.objects.get(username="wes")
    members.save_user(user, by=SYSTEM, password="another-long-password")
    assert scene.reads() == (200 if scene.way == "token" else 401)


def test_what_is_public_no_longer_is_closed_with_the_next_request(scene: Scene) -> None:
    public = Grant(repository=scene.repository, role=Role.READER, subject=Grant.Subject.ANYONE)
    configure.save_grant(public, by=SYSTEM)
    assert ask("GET", PAGE).status == 200
    configure.end_grant(public, by=SYSTEM)
    assert ask("GET", PAGE).status == 401


def it_is_revoked(scene: Scene) -> None:
    tokens.revoke(scene.token, by=SYSTEM)


def it_expires(scene: Scene) -> None:
    scene.clock.move(hours=1, seconds=1)


def it_is_limited_to_another_repository(scene: Scene) -> None:
    configure.limit_token(
        scene.token, [make_repository(scene.cast.acme.tenant, "other")], by=SYSTEM
    )


def it_is_limited_to_nothing(scene: Scene) -> None:
    configure.limit_token(scene.token, [], by=SYSTEM)


def it_may_only_read(scene: Scene) -> None:
    scene.token.role = Role.READER
    tokens.change(scene.token, by=SYSTEM)


def it_may_publish_other_projects(scene: Scene) -> None:
    scene.token.project_patterns = ["toad-*"]
    tokens.change(scene.token, by=SYSTEM)


@pytest.mark.parametrize(
    ("change", "read", "published"),
    [
        (it_is_revoked, 401, 401),
        (it_expires, 401, 401),
        (it_is_limited_to_another_repository, 403, 403),
        (it_is_limited_to_nothing, 403, 403),
        (it_may_only_read, 200, 403),
        (it_may_publish_other_projects, 200, 403),
    ],
)
@pytest.mark.parametrize("scene", ["token"], indirect=True)
def test_a_token_is_narrower_with_the_next_request(
    scene: Scene, change: Change, read: int, published: int
) -> None:
    scene.token.expires_at = scene.clock() + timedelta(hours=1)
    tokens.change(scene.token, by=SYSTEM)
    assert (scene.reads(), scene.publishes()) == (200, 200)
    change(scene)
    assert (scene.reads(), scene.publishes()) == (read, published)
