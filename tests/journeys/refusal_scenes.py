"""Sets up, inside an installation, what each kind of refusal needs, and prints where to knock.

It runs in a process with the installation's environment, after django.setup(). Every scene has a
repository of its own in the tenant `pond`; its function returns the token that is refused there.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import timedelta

from accounts import members, tokens
from accounts.models import Membership, Tenant, User
from accounts.principal import Principal
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from packages import curate
from packages.models import Distribution, Project, UpstreamPage
from packages.publish import publish
from packages.uploads import Upload
from repos import configure
from repos.models import Grant, Kind, Repository
from repos.rules import Rules
from repos.targets import Target
from tests.dists import make_wheel

FROG = make_wheel("frog", "1.0")
OTHER_FROG = make_wheel("frog", "1.0", description="other")
YEAR = timedelta(days=365)


class Scene:
    """A repository of the pond, with a writer and a reader."""

    def __init__(self, pond: Tenant, key: str, **settings: object) -> None:
        self.pond = pond
        self.repository = Repository(tenant=pond, key=key)
        for name, value in settings.items():
            setattr(self.repository, name, value)
        configure.create_repository(self.repository, by=SYSTEM)
        self.membership = Membership(tenant=pond, user=_user(f"{pond}-{key}"))
        members.save_membership(self.membership, by=SYSTEM)
        if self.repository.kind == Kind.LOCAL:
            self.grant(Role.WRITER)

    def grant(self, role: Role) -> None:
        """Give the scene's person a role."""
        row = Grant(repository=self.repository, subject=Grant.Subject.USER, role=role)
        row.membership = self.membership
        configure.save_grant(row, by=SYSTEM)

    def token(self, **limits: object) -> str:
        """Return a token of the scene's person."""
        return tokens.create(membership=self.membership, name="scene", by=SYSTEM, **limits)[1]  # type: ignore[arg-type]

    @property
    def person(self) -> Principal:
        """The scene's person."""
        return Principal(user=self.membership.user)

    def published(self, file: tuple[str, bytes] = FROG) -> Distribution:
        """Publish a file there."""
        fields = {"name": ["frog"], "version": ["1.0"]}
        upload = Upload(filename=file[0], chunks=[file[1]], fields=fields)
        return publish(target=Target(self.repository), upload=upload, by=self.person).distribution

    def deleted(self) -> None:
        """Publish a file and delete it."""
        file = self.published()
        curate.delete(file, by=_administrator())

    def close(self, status: Project.Status, reason: str) -> None:
        """Publish a file and give its project a status."""
        self.published()
        project = Project.objects.get(repository=self.repository)
        curate.set_status(project, status=status, reason=reason, by=_administrator())


def _user(name: str) -> User:
    user = User(username=name)
    members.save_user(user, by=SYSTEM)
    return user


def _administrator() -> Principal:
    return Principal(user=User.objects.get(username="admin"))


def reader_only(pond: Tenant, key: str) -> str:
    """Return the token of somebody who only reads."""
    scene = Scene(pond, key)
    return scene.token(role=Role.READER)


def token_for_others(pond: Tenant, key: str) -> str:
    """Return a token that publishes another project."""
    return Scene(pond, key).token(project_patterns=("toad-*",))


def file_exists(pond: Tenant, key: str) -> str:
    """Return a token where the name is taken by other bytes."""
    scene = Scene(pond, key)
    scene.published(OTHER_FROG)
    return scene.token()


def deleted_name(pond: Tenant, key: str) -> str:
    """Return a token where the file was deleted."""
    scene = Scene(pond, key)
    scene.deleted()
    return scene.token()


def archived(pond: Tenant, key: str) -> str:
    """Return a token where the project is archived."""
    scene = Scene(pond, key)
    scene.close(Project.Status.ARCHIVED, "use toad")
    return scene.token()


def quarantined(pond: Tenant, key: str) -> str:
    """Return a token where the project is quarantined."""
    scene = Scene(pond, key)
    scene.close(Project.Status.QUARANTINED, "it bites")
    return scene.token()


def release_closed(pond: Tenant, key: str) -> str:
    """Return a token where the release is too old for another file."""
    scene = Scene(pond, key, releases_close_after_days=14)
    now = clock.now()
    with clock.use(lambda: now - YEAR):
        scene.published(make_wheel("frog", "1.0", tag="py2-none-any"))
    return scene.token()


def served_upstream(pond: Tenant, key: str) -> str:
    """Return a token where an index beside the repository serves the name."""
    scene = Scene(pond, key)
    remote = Scene(pond, f"{key}-remote", kind=Kind.REMOTE).repository
    virtual = Scene(pond, f"{key}-virtual", kind=Kind.VIRTUAL).repository
    configure.set_members(virtual, [scene.repository, remote], by=SYSTEM)
    UpstreamPage.objects.create(
        repository=remote, normalized="frog", is_served=True, answered_at=clock.now()
    )
    return scene.token()


def too_large(pond: Tenant, key: str) -> str:
    """Return a token where the largest file is small."""
    return Scene(pond, key, max_file_bytes=100).token()


def no_room(_pond: Tenant, key: str) -> str:
    """Return a token where the tenant is full."""
    puddle = Tenant(slug="puddle", quota_bytes=100)
    members.save_tenant(puddle, by=SYSTEM)
    return Scene(puddle, key).token()


def not_local(pond: Tenant, key: str) -> str:
    """Return a token where nothing is published to."""
    scene = Scene(pond, key, kind=Kind.REMOTE)
    scene.grant(Role.WRITER)
    return scene.token()


def strict(pond: Tenant, key: str) -> str:
    """Return a token where the rules are strict."""
    return Scene(pond, key, rules=Rules.STRICT).token()


def password(pond: Tenant, key: str) -> str:
    """Return the password of somebody who has one."""
    scene = Scene(pond, key)
    secret = f"canary-{secrets.token_hex(12)}"
    members.save_user(scene.membership.user, by=SYSTEM, password=secret)
    return secret


def plain(pond: Tenant, key: str) -> str:
    """Return a token where nothing stands in the way."""
    return Scene(pond, key).token()


SCENES: dict[str, Callable[[Tenant, str], str]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        reader_only,
        token_for_others,
        file_exists,
        deleted_name,
        archived,
        quarantined,
        release_closed,
        served_upstream,
        too_large,
        no_room,
        not_local,
        strict,
        password,
        plain,
    )
}


def main() -> None:
    """Set every scene up and print its token, by name."""
    pond = Tenant(slug="pond")
    members.save_tenant(pond, by=SYSTEM)
    print(json.dumps({name: scene(pond, name) for name, scene in SCENES.items()}))  # noqa: T201
