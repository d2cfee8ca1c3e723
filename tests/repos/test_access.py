"""The one decision about access: what each caller may, and hears."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accounts import members
from accounts.authentication import again
from accounts.models import Membership, Team
from accounts.principal import Principal, TokenLimits
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure
from repos.access import (
    NotYours,
    RepositoryMissing,
    RoleMissing,
    SignInRequired,
    readable_by,
    require,
)
from repos.models import Grant, Repository
from tests.cast import Cast, grant, make_member, make_repository

NOBODY = Principal()


def may(principal: Principal, role: Role, name: str = "acme/local") -> bool:
    tenant, _, key = name.partition("/")
    try:
        return str(require(principal, tenant, key, role)) == name
    except (SignInRequired, RoleMissing, NotYours, RepositoryMissing):
        return False


def greatest(principal: Principal, name: str = "acme/local") -> Role | None:
    return max((role for role in Role if may(principal, role, name)), default=None)


def test_each_of_the_cast_has_their_role(cast: Cast) -> None:
    house = cast.acme
    assert greatest(house.admin.principal) == Role.ADMIN
    assert greatest(house.writer.principal) == Role.WRITER
    assert greatest(house.reader.principal) == Role.READER
    assert greatest(house.member.principal) is None
    assert greatest(cast.superuser.principal) == Role.ADMIN
    for person in (cast.globex.admin, cast.globex.writer, cast.stranger):
        assert greatest(person.principal) is None
    assert greatest(NOBODY) is None


def test_anyone_may_read_what_is_granted_to_anyone(cast: Cast) -> None:
    grant(cast.acme.repository, Role.READER)
    for who in (NOBODY, cast.stranger.principal, cast.globex.member.principal):
        assert greatest(who) == Role.READER


def test_signed_in_users_may_read_what_is_granted_to_them(cast: Cast) -> None:
    circle = Grant(
        repository=cast.acme.repository, subject=Grant.Subject.SIGNED_IN, role=Role.READER
    )
    configure.save_grant(circle, by=SYSTEM)
    assert greatest(cast.stranger.principal) == Role.READER
    assert greatest(NOBODY) is None


def test_all_members_may_be_given_a_role(cast: Cast) -> None:
    circle = Grant(repository=cast.acme.repository, subject=Grant.Subject.MEMBERS, role=Role.WRITER)
    configure.save_grant(circle, by=SYSTEM)
    assert greatest(cast.acme.member.principal) == Role.WRITER
    assert greatest(cast.globex.member.principal) is None


def test_a_team_gives_its_role_until_one_leaves_it(cast: Cast) -> None:
    place = Membership.objects.get(user=cast.acme.member.user)
    team = Team(tenant=cast.acme.tenant, name="data")
    members.save_team(team, by=SYSTEM, members=[place])
    role = Grant(
        repository=cast.acme.repository, subject=Grant.Subject.TEAM, team=team, role=Role.WRITER
    )
    configure.save_grant(role, by=SYSTEM)
    assert greatest(cast.acme.member.principal) == Role.WRITER
    members.save_team(team, by=SYSTEM, members=[])
    assert greatest(cast.acme.member.principal) is None


def test_leaving_the_tenant_drops_the_grant(cast: Cast) -> None:
    members.end_membership(Membership.objects.get(user=cast.acme.writer.user), by=SYSTEM)
    assert greatest(cast.acme.writer.principal) is None
    assert not Grant.objects.filter(membership__user=cast.acme.writer.user).exists()


def test_nobody_hears_sign_in_for_what_is_there_and_what_is_not(cast: Cast) -> None:
    sentences = set()
    for tenant, key in (("acme", "local"), ("acme", "none"), ("none", "local")):
        with pytest.raises(SignInRequired) as refused:
            require(NOBODY, tenant, key, Role.READER)
        sentences.add(refused.value.sentence)
    assert len(sentences) == 1


def test_another_tenant_is_like_one_that_is_not_there(
    cast: Cast, django_assert_num_queries
) -> None:
    for name in ("acme/local", "acme/none", "none/local"):
        tenant, _, key = name.partition("/")
        caller = again(cast.globex.writer.limited)  # as each request has its own
        with django_assert_num_queries(3), pytest.raises(NotYours) as refused:
            require(caller, tenant, key, Role.READER)
        assert refused.value.sentence == f"There is no repository {name} that you may use."


def test_a_member_hears_who_can_help(cast: Cast) -> None:
    with pytest.raises(RoleMissing) as refused:
        require(cast.acme.member.principal, "acme", "local", Role.READER)
    assert refused.value.sentence == "You may not read acme/local. Ask ada."
    with pytest.raises(RoleMissing) as refused:
        require(cast.acme.reader.principal, "acme", "local", Role.WRITER)
    assert refused.value.sentence == "You may read acme/local but not publish to it. Ask ada."


def test_a_member_hears_that_a_repository_is_not_there(cast: Cast) -> None:
    with pytest.raises(RepositoryMissing):
        require(cast.acme.member.principal, "acme", "none", Role.READER)


def test_a_token_narrows_its_owner_and_never_widens(cast: Cast) -> None:
    admin, reader = cast.acme.admin, cast.acme.reader
    for ceiling in Role:
        limits = replace(admin.limits, role=ceiling)
        assert greatest(Principal(user=admin.user, token=limits)) == ceiling
        limits = replace(reader.limits, role=ceiling)
        assert greatest(Principal(user=reader.user, token=limits)) == Role.READER


def test_a_token_limited_to_a_repository_does_nothing_elsewhere(cast: Cast) -> None:
    other = make_repository(cast.acme.tenant, "other")
    token = cast.acme.admin.token
    configure.limit_token(token, [other], by=SYSTEM)
    who = Principal(user=cast.acme.admin.user, token=TokenLimits.of(token))
    assert greatest(who) is None
    assert greatest(who, "acme/other") == Role.ADMIN
    assert set(readable_by(who)) == {other}


def test_a_token_works_in_its_own_tenant_only(cast: Cast) -> None:
    place = Membership(tenant=cast.globex.tenant, user=cast.acme.writer.user)
    members.save_membership(place, by=SYSTEM)
    grant(cast.globex.repository, Role.WRITER, cast.acme.writer)
    assert greatest(cast.acme.writer.principal, "globex/local") == Role.WRITER
    assert greatest(cast.acme.writer.limited, "globex/local") is None
    for key in ("local", "none"):  # nor does it tell what is there
        with pytest.raises(NotYours):
            require(cast.acme.writer.limited, "globex", key, Role.READER)


def test_a_narrow_token_is_named_as_the_reason(cast: Cast) -> None:
    limits = replace(cast.acme.writer.limits, role=Role.READER)
    who = Principal(user=cast.acme.writer.user, token=limits)
    with pytest.raises(RoleMissing, match="with this token"):
        require(who, "acme", "local", Role.WRITER)


def test_a_deleted_repository_is_not_there(cast: Cast) -> None:
    configure.delete_repository(cast.acme.repository, by=SYSTEM)
    with pytest.raises(RepositoryMissing):
        require(cast.acme.admin.principal, "acme", "local", Role.READER)


def test_what_is_listed_is_what_may_be_read(cast: Cast) -> None:
    make_repository(cast.acme.tenant, "public")
    grant(Repository.objects.get(key="public"), Role.READER)
    make_member("late", cast.acme.tenant)
    people = [
        NOBODY,
        cast.superuser.principal,
        cast.stranger.principal,
        cast.acme.writer.limited,
        *(
            person.principal
            for house in (cast.acme, cast.globex)
            for person in (house.admin, house.writer, house.reader, house.member)
        ),
    ]
    for who in people:
        readable = {
            str(each) for each in Repository.objects.all() if may(who, Role.READER, str(each))
        }
        assert {str(each) for each in readable_by(who)} == readable
