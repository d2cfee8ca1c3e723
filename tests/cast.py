"""The people of the tests: one cast for all of them.

A superuser; two tenants, acme and globex; in each an admin (ada, gil), a writer (wes, gwen), a
reader (ray, gus), a member without grants (mona, gary); and a stranger who belongs nowhere.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from unittest.mock import patch

from django.db.models import Model

from accounts import members, tokens
from accounts.models import Membership, Tenant, Token, User
from accounts.principal import Principal, TokenLimits
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure
from repos.models import Grant, Kind, Repository


@dataclass
class Person:
    """A user who belongs to no tenant."""

    user: User

    @property
    def principal(self) -> Principal:
        """The person, as signed in with their password."""
        return Principal(user=self.user)


@dataclass
class Member(Person):
    """A person with a place in a tenant, and a token that does whatever they may."""

    token: Token
    secret: str

    @property
    def limits(self) -> TokenLimits:
        """What the token carries."""
        return TokenLimits.of(self.token)

    @property
    def limited(self) -> Principal:
        """The person, as signed in with their token."""
        return Principal(user=self.user, token=self.limits)

    @property
    def headers(self) -> dict[str, str]:
        """What a client of theirs sends."""
        return basic("__token__", self.secret)


@dataclass
class House:
    """A tenant with its people and a local repository, `<tenant>/local`."""

    tenant: Tenant
    repository: Repository
    admin: Member
    writer: Member
    reader: Member
    member: Member


@dataclass
class Cast:
    """Everybody."""

    superuser: Person
    acme: House
    globex: House
    stranger: Person


def basic(username: str, password: str) -> dict[str, str]:
    """Return the header of Basic authentication."""
    text = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def make_user(name: str, *, password: str | None = None, is_superuser: bool = False) -> User:
    """Make a person without a tenant."""
    user = User(username=name, is_superuser=is_superuser)
    members.save_user(user, by=SYSTEM, password=password)
    return user


def make_member(name: str, tenant: Tenant, *, is_admin: bool = False) -> Member:
    """Make a member of `tenant` with an unlimited token."""
    kind = Membership.Kind.ADMIN if is_admin else Membership.Kind.MEMBER
    membership = Membership(tenant=tenant, user=make_user(name), kind=kind)
    members.save_membership(membership, by=SYSTEM)
    token, secret = tokens.create(
        membership=membership, name=f"{name}'s", by=SYSTEM, role=Role.ADMIN
    )
    return Member(user=membership.user, token=token, secret=secret)


def make_repository(tenant: Tenant, key: str, kind: Kind = Kind.LOCAL) -> Repository:
    """Make a repository that nobody but the tenant's admins may use."""
    repository = Repository(tenant=tenant, key=key, kind=kind)
    return configure.create_repository(repository, by=SYSTEM, members_read=False)


def grant(repository: Repository, role: Role, person: Person | None = None) -> Grant:
    """Give `person` a role; without one, let anyone read."""
    row = Grant(repository=repository, role=role, subject=Grant.Subject.ANYONE)
    if person is not None:
        row.subject = Grant.Subject.USER
        row.membership = Membership.objects.get(user=person.user, tenant=repository.tenant)
    configure.save_grant(row, by=SYSTEM)
    return row


def make_house(slug: str, admin: str, writer: str, reader: str, member: str) -> House:
    """Make a tenant with its four people and its local repository."""
    tenant = Tenant(slug=slug, name=slug.capitalize())
    members.save_tenant(tenant, by=SYSTEM)
    house = House(
        tenant=tenant,
        repository=make_repository(tenant, "local"),
        admin=make_member(admin, tenant, is_admin=True),
        writer=make_member(writer, tenant),
        reader=make_member(reader, tenant),
        member=make_member(member, tenant),
    )
    grant(house.repository, Role.WRITER, house.writer)
    grant(house.repository, Role.READER, house.reader)
    return house


def assemble() -> Cast:
    """Make everybody, for each test anew, and so without what half of the time goes to.

    Forms are cleaned by the use cases. These are always the same, and test_cast.py cleans them.
    """
    with patch.object(Model, "full_clean"):
        return Cast(
            superuser=Person(make_user("root", is_superuser=True)),
            acme=make_house("acme", "ada", "wes", "ray", "mona"),
            globex=make_house("globex", "gil", "gwen", "gus", "gary"),
            stranger=Person(make_user("sam")),
        )
