"""Rights through any history: what `require` and `readable_by` say, and what they should.

The model below is the rules of access, written down as sets. hypothesis makes up the
history: people join and leave, teams form, grants come and go, tokens are narrowed and end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import product

import pytest
from django.db import transaction
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts import members, tokens
from accounts.models import Membership, Team, Tenant, User
from accounts.principal import Principal, TokenLimits
from accounts.roles import Role
from base import clock
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
from tests.cast import make_repository, make_user
from tests.conftest import MovableClock
from tests.properties import examples

USERS = ("ann", "bob", "cyd")
TENANTS = ("acme", "globex")
KEYS = ("one", "two")
REPOSITORIES = tuple(f"{tenant}/{key}" for tenant in TENANTS for key in KEYS)
CIRCLES = ("members", "signed-in", "anyone")
SUBJECTS = (*CIRCLES, "team", *USERS)


@dataclass
class ModelToken:
    """A secret of one owner in one tenant that narrows the owner, never widens."""

    owner: str
    tenant: str
    role: Role
    repositories: set[str] | None  # None: all
    ends: datetime | None
    secret: str = field(repr=False)


@dataclass
class Model:
    """Who is what, and who was given what."""

    kinds: dict[tuple[str, str], str] = field(default_factory=dict)  # (tenant, user)
    teams: dict[str, set[str]] = field(default_factory=dict)  # by tenant: each has one
    grants: dict[tuple[str, str], Role] = field(default_factory=dict)  # (repository, whom)
    tokens: list[ModelToken] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)
    superusers: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)

    def role(self, user: str | None, token: ModelToken | None, repository: str) -> int:
        """Return the greatest role in a repository; 0 for none."""
        if repository in self.deleted:
            return 0
        public = self.grants.get((repository, "anyone"), 0)
        if user is None:
            return public
        own = self._own_role(user, repository)
        if token is not None:
            tenant = repository.partition("/")[0]
            named = token.repositories is None or repository in token.repositories
            own = min(own, token.role) if token.tenant == tenant and named else 0
        return max(public, own)

    def _own_role(self, user: str, repository: str) -> int:
        tenant = repository.partition("/")[0]
        kind = self.kinds.get((tenant, user))
        if user in self.superusers or kind == Membership.Kind.ADMIN:
            return Role.ADMIN
        whom = {"signed-in"}
        if kind is not None:
            whom |= {"members", user}
            whom |= {"team"} if user in self.teams.get(tenant, ()) else set()
        return max(self.grants.get((repository, each), 0) for each in whom)

    def leave(self, tenant: str, user: str) -> None:
        """Take grants, team place and tokens along."""
        del self.kinds[tenant, user]
        self.teams.get(tenant, set()).discard(user)
        self.tokens = [
            token for token in self.tokens if (token.tenant, token.owner) != (tenant, user)
        ]
        for repository in REPOSITORIES:
            if repository.startswith(f"{tenant}/"):
                self.grants.pop((repository, user), None)

    def works(self, token: ModelToken) -> bool:
        """Say whether a token lets anybody in now."""
        return token.owner not in self.disabled and (token.ends is None or clock.now() < token.ends)


class Rights(RuleBasedStateMachine):
    """Does everything twice: with the use cases, and in the model."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.clock = MovableClock()
        self.turn = 0
        self.stack = ExitStack()
        self.stack.enter_context(clock.use(self.clock))
        self.stack.enter_context(transaction.atomic())

    def teardown(self) -> None:
        """Undo it all."""
        transaction.set_rollback(True)
        self.stack.close()

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Two tenants of two repositories, and people who have done something already."""
        self._build()
        for name, slug in product(USERS, TENANTS):
            if kind := data.draw(st.sampled_from([None, *Membership.Kind])):
                self.join(name, slug, kind)
        for slug in TENANTS:
            self.form_team(slug, data.draw(st.sets(st.sampled_from(USERS))))
        for repository in REPOSITORIES:
            for whom in data.draw(st.sets(st.sampled_from(SUBJECTS), max_size=2)):
                self.give(repository, whom, data.draw(st.sampled_from(Role)))
        for slug, user in sorted(self.model.kinds):
            if data.draw(st.booleans()):
                self._mint(slug, user, data.draw(st.sampled_from(Role)))

    def _build(self) -> None:
        for slug in TENANTS:
            tenant = Tenant(slug=slug)
            members.save_tenant(tenant, by=SYSTEM)
            for key in KEYS:
                make_repository(tenant, key)
        for name in USERS:
            make_user(name)

    @rule(
        user=st.sampled_from(USERS),
        tenant=st.sampled_from(TENANTS),
        kind=st.sampled_from([Membership.Kind.MEMBER, Membership.Kind.ADMIN]),
    )
    def join(self, user: str, tenant: str, kind: Membership.Kind) -> None:
        """Somebody joins a tenant, or becomes something else there."""
        place = place_of(tenant, user) or Membership(
            tenant=Tenant.objects.get(slug=tenant), user=user_named(user)
        )
        place.kind = kind
        members.save_membership(place, by=SYSTEM)
        self.model.kinds[tenant, user] = kind

    @rule(user=st.sampled_from(USERS), tenant=st.sampled_from(TENANTS))
    def leave(self, user: str, tenant: str) -> None:
        """Somebody leaves."""
        if place := place_of(tenant, user):
            members.end_membership(place, by=SYSTEM)
            self.model.leave(tenant, user)

    @rule(tenant=st.sampled_from(TENANTS), users=st.sets(st.sampled_from(USERS)))
    def form_team(self, tenant: str, users: set[str]) -> None:
        """The tenant's team has these members from now on."""
        inside = {user for user in users if (tenant, user) in self.model.kinds}
        team = Team.objects.filter(tenant__slug=tenant).first() or Team(
            tenant=Tenant.objects.get(slug=tenant), name="data"
        )
        places = [place for user in inside if (place := place_of(tenant, user))]
        members.save_team(team, by=SYSTEM, members=places)
        self.model.teams[tenant] = inside

    @rule(tenant=st.sampled_from(TENANTS))
    def end_team(self, tenant: str) -> None:
        """The team is no more, and nor is what it was given."""
        if team := Team.objects.filter(tenant__slug=tenant).first():
            members.delete_team(team, by=SYSTEM)
            del self.model.teams[tenant]
            for repository in REPOSITORIES:
                if repository.startswith(f"{tenant}/"):
                    self.model.grants.pop((repository, "team"), None)

    @rule(
        repository=st.sampled_from(REPOSITORIES),
        whom=st.sampled_from(SUBJECTS),
        role=st.sampled_from(Role),
    )
    def give(self, repository: str, whom: str, role: Role) -> None:
        """A role is given, or another one."""
        tenant = repository.partition("/")[0]
        is_there = whom in CIRCLES or (
            tenant in self.model.teams if whom == "team" else (tenant, whom) in self.model.kinds
        )
        if repository in self.model.deleted or not is_there:
            return
        grant = grant_for(repository, whom)
        grant.role = role = Role.READER if whom in {"signed-in", "anyone"} else role
        configure.save_grant(grant, by=SYSTEM)
        self.model.grants[repository, whom] = role

    @precondition(lambda self: self.model.grants)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        """A role is taken away."""
        repository, whom = data.draw(st.sampled_from(sorted(self.model.grants)))
        configure.end_grant(grant_for(repository, whom), by=SYSTEM)
        del self.model.grants[repository, whom]

    @precondition(lambda self: self.model.kinds)
    @rule(
        data=st.data(),
        role=st.sampled_from(Role),
        hours=st.sampled_from([None, None, 1, 2]),
        only=st.none() | st.sets(st.sampled_from(KEYS)),
    )
    def mint(
        self, data: st.DataObject, role: Role, hours: int | None, only: set[str] | None
    ) -> None:
        """A member makes a token."""
        tenant, user = data.draw(st.sampled_from(sorted(self.model.kinds)))
        self._mint(tenant, user, role, hours, only)

    def _mint(
        self,
        tenant: str,
        user: str,
        role: Role,
        hours: int | None = None,
        only: set[str] | None = None,
    ) -> None:
        place = place_of(tenant, user)
        assert place is not None
        ends = clock.now() + timedelta(hours=hours) if hours else None
        token, secret = tokens.create(
            membership=place, name="t", by=SYSTEM, role=role, expires_at=ends
        )
        named = None if only is None else {f"{tenant}/{key}" for key in only}
        if named is not None:
            configure.limit_token(token, map(repository_named, sorted(named)), by=SYSTEM)
        self.model.tokens.append(ModelToken(user, tenant, role, named, ends, secret))

    @precondition(lambda self: any(map(self.model.works, self.model.tokens)))
    @rule(data=st.data(), role=st.sampled_from(Role), keys=st.sets(st.sampled_from(KEYS)))
    def narrow(self, data: st.DataObject, role: Role, keys: set[str]) -> None:
        """A token gets other limits."""
        mine = data.draw(st.sampled_from(list(filter(self.model.works, self.model.tokens))))
        token = tokens.find(mine.secret)
        assert token is not None
        token.role = mine.role = role
        mine.repositories = {f"{mine.tenant}/{key}" for key in keys}
        configure.limit_token(token, map(repository_named, sorted(mine.repositories)), by=SYSTEM)

    @precondition(lambda self: any(map(self.model.works, self.model.tokens)))
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        """A token is revoked."""
        mine = data.draw(st.sampled_from(list(filter(self.model.works, self.model.tokens))))
        token = tokens.find(mine.secret)
        assert token is not None
        tokens.revoke(token, by=SYSTEM)
        self.model.tokens.remove(mine)
        assert tokens.find(mine.secret) is None

    @rule(user=st.sampled_from(USERS), is_active=st.booleans(), is_superuser=st.booleans())
    def change_account(self, user: str, is_active: bool, is_superuser: bool) -> None:
        """An account is disabled or not, a superuser's or not."""
        row = user_named(user)
        row.is_active, row.is_superuser = is_active, is_superuser
        members.save_user(row, by=SYSTEM)
        (self.model.disabled.discard if is_active else self.model.disabled.add)(user)
        (self.model.superusers.add if is_superuser else self.model.superusers.discard)(user)

    @rule(repository=st.sampled_from(REPOSITORIES))
    def delete(self, repository: str) -> None:
        """A repository is deleted."""
        if repository not in self.model.deleted:
            configure.delete_repository(repository_named(repository), by=SYSTEM)
            self.model.deleted.add(repository)

    @rule()
    def wait(self) -> None:
        """Time passes."""
        self.clock.move(hours=1)

    @invariant()
    def what_is_decided_is_what_the_model_says(self) -> None:
        """Every caller, and one repository for each in turn."""
        for caller, user, token in self.callers():
            roles = {each: self.model.role(user, token, each) for each in REPOSITORIES}
            readable = {each for each, role in roles.items() if role}
            assert {str(each) for each in readable_by(caller)} == readable, (user, token)
            # Which repository and which role: others for each caller, and after each step.
            self.turn += 1
            repository = REPOSITORIES[self.turn % len(REPOSITORIES)]
            role = list(Role)[self.turn % len(Role)]
            assert may(caller, repository, role) == (roles[repository] >= role), (user, token)
            assert may(caller, repository, Role.READER) == (repository in readable)

    def callers(self) -> Iterator[tuple[Principal, str | None, ModelToken | None]]:
        """Return everybody who can call now: by a session or password, by a token, or as nobody."""
        yield Principal(), None, None
        for user in sorted(set(USERS) - self.model.disabled):
            if row := User.objects.filter(username=user).first():
                yield Principal(user=row), user, None
        for mine in self.model.tokens:
            found = tokens.find(mine.secret)
            assert (found is not None) == self.model.works(mine), mine
            if found is not None:
                limits = TokenLimits.of(found)
                yield Principal(user=found.membership.user, token=limits), mine.owner, mine


def may(caller: Principal, repository: str, role: Role) -> bool:
    """Say whether `require` lets the caller in."""
    tenant, _, key = repository.partition("/")
    try:
        return str(require(caller, tenant, key, role)) == repository
    except (SignInRequired, RoleMissing, NotYours, RepositoryMissing):
        return False


def user_named(name: str) -> User:
    return User.objects.get(username=name)


def place_of(tenant: str, user: str) -> Membership | None:
    return Membership.objects.filter(tenant__slug=tenant, user__username=user).first()


def repository_named(name: str) -> Repository:
    tenant, _, key = name.partition("/")
    return Repository.objects.get(tenant__slug=tenant, key=key)


def grant_for(repository: str, whom: str) -> Grant:
    """Return the grant to `whom`, given or not."""
    row = repository_named(repository)
    wanted = Grant(repository=row)
    if whom in CIRCLES:
        wanted.subject = Grant.Subject(whom)
    elif whom == "team":
        wanted.subject, wanted.team = Grant.Subject.TEAM, row.tenant.teams.get()
    else:
        wanted.subject, wanted.membership = Grant.Subject.USER, place_of(row.tenant.slug, whom)
    given = Grant.objects.filter(
        repository=row, subject=wanted.subject, membership=wanted.membership, team=wanted.team
    ).first()
    return given or wanted


@pytest.mark.hypothesis
def test_rights_are_what_design_says_through_any_history(db: None) -> None:
    # A history of twelve steps is read as it is; to make it shorter would take minutes.
    found = settings(examples(25), stateful_step_count=12, phases=[Phase.generate])
    run_state_machine_as_test(Rights, settings=found)
