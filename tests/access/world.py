"""The world of the access table: everybody who may call, and every place they may ask for.

Places are named so that "not yours" and "not there" have names of the same length: `acme` and
`ecma` are tenants, of which the second is not there; so are the keys `local` and `wrong`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client, override_settings

from accounts import logins, members, tokens
from accounts.models import Membership, SignInFailures, Tenant, User
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from repos import configure
from repos.models import Repository
from tests.access.asking import Answer, ask
from tests.attested import attest
from tests.cast import (
    House,
    Member,
    Person,
    assemble,
    basic,
    grant,
    make_member,
    make_repository,
)
from tests.dists import make_wheel
from tests.uploads import BOUNDARY, form_body, twine_fields

PASSWORD = "a-long-enough-password"
FROG_NAME, FROG_BYTES = make_wheel("frog", "1.0")
FORM = form_body(
    twine_fields("frog", "1.0", FROG_NAME, FROG_BYTES), filename=FROG_NAME, content=FROG_BYTES
)
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True)
class Place:
    """A repository's name, and what is there: nothing, or a repository that anyone may read."""

    tenant: str
    key: str
    is_there: bool = True
    is_public: bool = False

    def __str__(self) -> str:
        return f"{self.tenant}/{self.key}"

    @property
    def host(self) -> str:
        """The host name that selects the tenant, for URLs that do not name it."""
        return f"{self.tenant}.example" if self.tenant in WITH_HOST_NAMES else "testserver"


WITH_HOST_NAMES = ("acme", "globex")  # the others are asked for as the default tenant
PRIVATE_A = Place("acme", "local")
PRIVATE_B = Place("globex", "local")
PUBLIC = Place("globex", "shown", is_public=True)
WRONG_KEY_A = Place("acme", "wrong", is_there=False)
WRONG_KEY_B = Place("globex", "wrong", is_there=False)
DELETED = Place("acme", "ended", is_there=False)
WRONG_TENANT = Place("ecma", "local", is_there=False)
HIDDEN = Place("hush", "local")  # in a tenant that none of the callers belongs to
HIDDEN_WRONG_KEY = Place("hush", "wrong", is_there=False)
PLACES = (PRIVATE_A, PRIVATE_B, PUBLIC, WRONG_KEY_A, WRONG_KEY_B, DELETED, WRONG_TENANT)


@dataclass(frozen=True)
class Caller:
    """Somebody who calls in one way, and what they are by the rules.

    `roles` names the tenants they belong to, each with their role in its repositories.
    """

    name: str
    shows: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, Role | None] = field(default_factory=dict)
    by_cookie: bool = False
    is_known: bool = False
    is_refused: bool = False  # what they show is wrong, expired, revoked, or its owner disabled
    is_superuser: bool = False
    is_tenant_admin: bool = False
    may_publish_frog: bool = True

    def role_in(self, place: Place) -> int:
        """Return their role in a place; 0 for none."""
        if not place.is_there:
            return 0
        own = Role.ADMIN if self.is_superuser else self.roles.get(place.tenant) or 0
        return max(own, Role.READER if place.is_public else 0)

    @property
    def has_come_themselves(self) -> bool:
        """Say whether they show a session or a password, and no token of theirs."""
        return self.by_cookie or self.name.endswith("by password")

    def belongs_to(self, tenant: str) -> bool:
        """Say whether they may know what there is in a tenant."""
        return self.is_superuser or tenant in self.roles

    def without_cookie(self) -> Caller:
        """Return whom an unsafe request of theirs comes from: the cookie counts for nothing."""
        return ANONYMOUS if self.by_cookie and not self.is_refused else self


ANONYMOUS = Caller("anonymous")


class World:
    """Everybody, each as the callers that they can be."""

    def __init__(self) -> None:
        """Make the tenants, the repositories and the people, and publish one file everywhere."""
        cast = assemble()
        self.acme, self.globex = cast.acme, cast.globex
        self.superuser, self.stranger = cast.superuser, cast.stranger
        for house in (self.acme, self.globex):
            house.tenant.host_name = f"{house.tenant.slug}.example"
            members.save_tenant(house.tenant, by=SYSTEM)
        self.other = make_repository(self.acme.tenant, "other")
        public = self.public = make_repository(self.globex.tenant, PUBLIC.key)
        grant(public, Role.READER)
        ended = make_repository(self.acme.tenant, DELETED.key)
        self.keepers = {
            house.tenant.slug: make_member(name, house.tenant)
            for house, name in ((self.acme, "kim"), (self.globex, "gabe"))
        }
        self._grant(self.acme, self.acme.repository, ended)
        self._grant(self.globex, self.globex.repository, public)
        hidden = Tenant(slug=HIDDEN.tenant)
        members.save_tenant(hidden, by=SYSTEM)
        make_repository(hidden, HIDDEN.key)
        for house, repository in (
            (self.acme, self.acme.repository),
            (self.acme, self.other),
            (self.acme, ended),
            (self.globex, self.globex.repository),
            (self.globex, public),
        ):
            self._publish(house.admin, repository)
        configure.delete_repository(ended, by=SYSTEM)
        # First of all: a new password ends the sessions of before.
        for person in (self.superuser, self.stranger, self.acme.writer):
            members.save_user(person.user, by=SYSTEM, password=PASSWORD)
        self.callers = {caller.name: caller for caller in self._callers()}

    def _grant(self, house: House, *repositories: Repository) -> None:
        keeper = self.keepers[house.tenant.slug]
        roles = ((house.reader, Role.READER), (house.writer, Role.WRITER), (keeper, Role.ADMIN))
        for repository in repositories:
            for person, role in roles:
                if not repository.grants.filter(membership__user=person.user).exists():
                    grant(repository, role, person)

    def _publish(self, by: Member, repository: Repository) -> None:
        answer = ask("POST", f"/{repository}/", by.headers, body=FORM, content_type=FORM_TYPE)
        assert answer.status == 200, answer.reason
        attest(repository.distributions.get())

    def _callers(self) -> Iterator[Caller]:
        yield ANONYMOUS
        yield from self._of_nowhere()
        for house in (self.acme, self.globex):
            yield from self._of(house)
        yield from self._other_ways_in()
        yield from self._of_two_tenants()
        yield from self._narrowed()
        yield from self._refused()

    def _of_nowhere(self) -> Iterator[Caller]:
        for name, person in (("stranger", self.stranger), ("superuser", self.superuser)):
            caller = Caller(name, is_known=True, is_superuser=person is self.superuser)
            yield replace(
                caller, name=f"{name} by session", shows=session_of(person.user), by_cookie=True
            )
            shows = basic(person.user.username, PASSWORD)
            yield replace(caller, name=f"{name} by password", shows=shows)

    def _of(self, house: House) -> Iterator[Caller]:
        slug = house.tenant.slug
        people: dict[str, tuple[Member, Role | None]] = {
            "member": (house.member, None),
            "reader": (house.reader, Role.READER),
            "writer": (house.writer, Role.WRITER),
            "repository admin": (self.keepers[slug], Role.ADMIN),
            "tenant admin": (house.admin, Role.ADMIN),
        }
        for what, (person, role) in people.items():
            caller = Caller(
                f"{slug}'s {what} by token",
                shows=person.headers,
                roles={slug: role},
                is_known=True,
                is_tenant_admin=what == "tenant admin",
            )
            yield caller
            yield replace(
                caller,
                name=f"{slug}'s {what} by session",
                shows=session_of(person.user),
                by_cookie=True,
            )

    def _other_ways_in(self) -> Iterator[Caller]:
        wes = self.acme.writer
        caller = Caller("", roles={"acme": Role.WRITER}, is_known=True)
        ways = {
            "password": basic("wes", PASSWORD),
            "Bearer": {"Authorization": f"Bearer {wes.secret}"},
            "X-JFrog-Art-Api": {"X-JFrog-Art-Api": wes.secret},
        }
        for way, shows in ways.items():
            yield replace(caller, name=f"acme's writer by {way}", shows=shows)
        robot = members.service_account(tenant=self.acme.tenant, name="ci", by=SYSTEM)
        place = Membership.objects.get(user=robot)
        _, secret = tokens.create(membership=place, name="ci", by=SYSTEM)
        grant(self.acme.repository, Role.WRITER, Person(robot))
        shows = basic("__token__", secret)
        yield replace(caller, name="acme's service account", shows=shows)

    def _of_two_tenants(self) -> Iterator[Caller]:
        """A writer in both; a token of one of them does not know the other."""
        dora = make_member("dora", self.acme.tenant)
        place = Membership(tenant=self.globex.tenant, user=dora.user)
        members.save_membership(place, by=SYSTEM)
        for repository in (self.acme.repository, self.globex.repository, self.public):
            grant(repository, Role.WRITER, dora)
        caller = Caller("", roles={"acme": Role.WRITER, "globex": Role.WRITER}, is_known=True)
        yield replace(
            caller,
            name="writer of both tenants by session",
            shows=session_of(dora.user),
            by_cookie=True,
        )
        yield replace(
            caller,
            name="writer of both tenants by acme's token",
            shows=dora.headers,
            roles={"acme": Role.WRITER},
        )
        login, _ = logins.create(user=dora.user, name="laptop", by=SYSTEM)
        access, _ = logins.access_token(login)
        yield replace(
            caller,
            name="writer of both tenants by an access token",
            shows={"Authorization": f"Bearer {access}"},
        )

    def _narrowed(self) -> Iterator[Caller]:
        ada = Membership.objects.get(user=self.acme.admin.user)
        caller = Caller("", is_known=True)
        for ceiling in (Role.READER, Role.WRITER):
            _, secret = tokens.create(membership=ada, name="narrow", by=SYSTEM, role=ceiling)
            yield replace(
                caller,
                name=f"token of acme's admin, at most {ceiling.label}",
                shows=basic("__token__", secret),
                roles={"acme": ceiling},
            )
        token, secret = tokens.create(membership=ada, name="other", by=SYSTEM, role=Role.ADMIN)
        configure.limit_token(token, [self.other], by=SYSTEM)
        yield replace(
            caller,
            name="token of acme's admin for another repository",
            shows=basic("__token__", secret),
            roles={"acme": None},
        )
        for pattern, may in (("frog*", True), ("toad-*", False)):
            _, secret = tokens.create(
                membership=ada, name="projects", by=SYSTEM, project_patterns=(pattern,)
            )
            yield replace(
                caller,
                name=f"token of acme's admin for {pattern}",
                shows=basic("__token__", secret),
                roles={"acme": Role.WRITER},
                may_publish_frog=may,
            )

    def _refused(self) -> Iterator[Caller]:
        """Each would be a writer of acme, were it not for one thing."""
        wes = self.acme.writer
        place = Membership.objects.get(user=wes.user)
        past = clock.now() - timedelta(days=1)
        _, expired = tokens.create(membership=place, name="old", by=SYSTEM, expires_at=past)
        token, revoked = tokens.create(membership=place, name="lost", by=SYSTEM)
        tokens.revoke(token, by=SYSTEM)
        token, unknown = tokens.create(membership=place, name="never made", by=SYSTEM)
        token.delete()
        _, refresh = logins.create(user=wes.user, name="laptop", by=SYSTEM)
        ended, _ = logins.create(user=wes.user, name="lost", by=SYSTEM)
        access, _ = logins.access_token(ended)
        logins.revoke(ended, by=SYSTEM)
        gone = make_member("gone", self.acme.tenant)
        grant(self.acme.repository, Role.WRITER, gone)
        members.save_user(gone.user, by=SYSTEM, password=PASSWORD)
        gone.user.is_active = False
        members.save_user(gone.user, by=SYSTEM)
        shown = {
            "expired token": basic("__token__", expired),
            "revoked token": basic("__token__", revoked),
            "token of a disabled owner": gone.headers,
            "password of a disabled owner": basic("gone", PASSWORD),
            "unknown token": basic("__token__", unknown),
            "refresh token": {"Authorization": f"Bearer {refresh}"},
            "access token of a login that was ended": basic("__token__", access),
            "mistyped token": basic("__token__", f"{wes.secret[:-1]}-"),
            "wrong password": basic("wes", "wrong-password"),
            "nobody's password": basic("nobody", PASSWORD),
            "unreadable header": {"Authorization": "Basic %%%"},
            "wrong Bearer token": {"Authorization": "Bearer hello"},
            "wrong token beside a good session": {
                **session_of(wes.user),
                **basic("__token__", revoked),
            },
        }
        for name, shows in shown.items():
            yield Caller(name, shows, is_refused=True, by_cookie="Cookie" in shows)


def session_of(user: User) -> dict[str, str]:
    """Return the cookies of a browser in which `user` has signed in."""
    client = Client()
    client.force_login(user)
    cookies = {settings.CSRF_COOKIE_NAME: "c" * 32}
    cookies |= {name: morsel.value for name, morsel in client.cookies.items()}
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


@contextmanager
def quick_and_stored_in(folder: Path) -> Iterator[None]:
    """Keep files in `folder`; let passwords be checked quickly, and let no answer wait."""
    blobs: dict[str, Any] = {
        "BACKEND": "packages.storage.DurableFileSystemStorage",
        "OPTIONS": {"location": folder / "blobs"},
    }
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SPOOL_FOLDER=folder / "spool",
        STORAGES={**settings.STORAGES, "blobs": blobs, "default": blobs},
    ):
        yield


def call(caller: Caller, method: str, url: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask as `caller`; an unsafe request brings the form of an upload."""
    if caller.is_refused:
        # What a wrong credential is answered the tenth time is another table.
        SignInFailures.objects.all().delete()
    sends = method not in {"GET", "HEAD", "OPTIONS"}
    return ask(
        method,
        url,
        {**caller.shows, **(headers or {})},
        body=FORM if sends else b"",
        content_type=FORM_TYPE if sends else "",
    )
