"""Makes, shows, changes and removes repositories as Artifactory's scripts do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.exceptions import ValidationError

from accounts.authentication import again
from accounts.principal import Principal
from accounts.roles import Role
from artifactory.bodies import object_of
from artifactory.configuration import (
    PACKAGE_TYPE,
    ConfigurationRefused,
    Given,
    configuration_of,
    configure_upstream,
    name_in,
)
from artifactory.shapes import answered, base_of, said
from base.audit import Actor
from base.stamps import configuring
from packages.filenames import shown
from pypi.answer import Answer, Ask
from repos import configure
from repos.access import (
    admitted,
    readable_by,
    require,
    require_sign_in,
    require_tenant_admin,
)
from repos.models import Kind, Member, Repository, Upstream, VirtualSettings


def listing(ask: Ask) -> Answer:
    """Answer which repositories of the tenant the caller may read, of a `type` if one is named.

    Raises SignInRequired where none is for everybody: an empty list would pass for the answer.
    """
    rows = list(readable_by(ask.principal).filter(tenant__slug=ask.tenant).order_by("key"))
    if not rows:
        require_sign_in(ask.principal)
    kind = ask.query.get("type", "").lower()
    package_type = ask.query.get("packageType", PACKAGE_TYPE).lower()
    found = [
        {
            "key": row.key,
            "description": row.description,
            "type": row.kind.upper(),
            "url": f"{base_of(ask)}/{row.key}",
            "packageType": "Pypi",
        }
        for row in rows
        if kind in {"", row.kind} and package_type == PACKAGE_TYPE
    ]
    return answered(ask, found)


def show(ask: Ask) -> Answer:
    """Answer how a repository is configured."""
    found = admitted(ask.principal, ask.tenant, ask.key, Role.READER)
    return answered(ask, configuration_of(found.repository, is_admin=found.is_admin))


def create(ask: Ask) -> Answer:
    """Make a repository: 201, as people's guides say; 400 when the key is taken."""
    require_tenant_admin(ask.principal, ask.tenant)
    given = Given(object_of(ask))
    given.judge(ask.key)
    with _changing(ask) as by:
        repository = Repository(
            tenant=require_tenant_admin(by, ask.tenant),
            key=ask.key,
            kind=given.kind(),
            description=given.text("description") or "",
        )
        if Repository.objects.filter(tenant=repository.tenant, key=ask.key).exists():
            raise ConfigurationRefused(f"Repository key already exists: {repository} is taken.")
        configure.create_repository(repository, by=by.actor)
        _settle(repository, given, by)
    return said(f"Successfully created repository '{ask.key}'", status=201)


def change(ask: Ask) -> Answer:
    """Change what the body names of a repository; everything else stays."""
    require(ask.principal, ask.tenant, ask.key, Role.ADMIN)
    given = Given(object_of(ask))
    given.judge(ask.key)
    description = given.text("description")
    with _changing(ask) as by:
        repository = require(by, ask.tenant, ask.key, Role.ADMIN)
        if given.text("rclass") not in {None, repository.kind}:
            kind = f"{repository} is a {repository.kind} repository"
            raise ConfigurationRefused(f"{kind}, and stays so.")
        if description not in {None, repository.description}:
            repository.description = description or ""
            configure.change_repository(repository, by=by.actor)
        _settle(repository, given, by)
    return said(f"Successfully updated repository '{ask.key}'")


def remove(ask: Ask) -> Answer:
    """Take a repository out of service: its URL ends; rows, bytes and the key are kept."""
    require(ask.principal, ask.tenant, ask.key, Role.ADMIN)
    with _changing(ask) as by:
        repository = require(by, ask.tenant, ask.key, Role.ADMIN)
        require_tenant_admin(by, ask.tenant)
        configure.delete_repository(repository, by=by.actor)
    return said(f"Repository '{ask.key}' has been removed. Its key stays taken.")


def _settle(repository: Repository, given: Given, by: Principal) -> None:
    """Save what is particular to a kind."""
    match Kind(repository.kind):
        case Kind.REMOTE:
            _save_upstream(repository, given, by=by.actor)
        case Kind.VIRTUAL:
            _save_members(repository, given, by)
            _save_deployment(repository, given, by=by.actor)
        case Kind.LOCAL:
            pass


def _save_upstream(repository: Repository, given: Given, *, by: Actor) -> None:
    there = Upstream.objects.filter(repository=repository).first()
    upstream = there or Upstream(repository=repository)
    before = _facts(upstream)
    configure_upstream(upstream, given)
    if not upstream.index_url:
        raise ConfigurationRefused("A remote needs a url: where the files of another index are.")
    password = given.text("password")
    if there is not None and password is None and _facts(upstream) == before:
        return
    if configure.points_elsewhere(upstream):
        upstream.private_allowed = False  # a superuser ticked it for the old hosts
    configure.save_upstream(upstream, by=by, password=password)


def _facts(upstream: Upstream) -> dict[str, object]:
    return {field.attname: getattr(upstream, field.attname) for field in upstream._meta.fields}  # noqa: SLF001 - Django's public way


def _save_members(virtual: Repository, given: Given, by: Principal) -> None:
    """Let the virtual show what `repositories` names; a member stays in the scope that it has."""
    names = given.texts("repositories")
    if names is None:
        return
    places = list(virtual.members.select_related("repository__tenant"))
    present: dict[str, list[Member]] = defaultdict(list)
    for place in places:
        present[name_in(virtual, place.repository)].append(place)
    if names == [name_in(virtual, place.repository) for place in places]:
        return
    members = [
        present[name].pop(0) if present[name] else _readable(virtual, name, by) for name in names
    ]
    configure.set_members(virtual, members, by=by.actor)


def _readable(virtual: Repository, name: str, by: Principal) -> Repository:
    """Return the repository that a name means, if the caller may read it: else it is not there."""
    tenant, _, key = name.rpartition("/")
    found = (
        readable_by(by)
        .select_related("tenant")
        .filter(tenant__slug=tenant or virtual.tenant.slug, key=key)
        .first()
        if name.isprintable()
        else None
    )
    if found is None:
        raise ConfigurationRefused(f"There is no repository {shown(name)} that you may use.")
    return found


def _save_deployment(virtual: Repository, given: Given, *, by: Actor) -> None:
    """Let uploads to the virtual go where `defaultDeploymentRepo` says."""
    key = given.text("defaultDeploymentRepo")
    settings = VirtualSettings.objects.select_related("deployment").filter(
        repository=virtual
    ).first() or VirtualSettings(repository=virtual)
    if key is None or key == (settings.deployment.key if settings.deployment else ""):
        return
    own = Repository.objects.select_related("tenant").filter(
        tenant=virtual.tenant, member_of__virtual=virtual, key=key
    )
    settings.deployment = own.first()
    if key and settings.deployment is None:
        raise ConfigurationRefused(f"{shown(key)} is not among the repositories of {virtual}.")
    configure.save_virtual(settings, by=by)


@contextmanager
def _changing(ask: Ask) -> Iterator[Principal]:
    """Change all or nothing, in `configuring()`; yield who calls as they stand now.

    To be entered by who was let in: to look at a password takes long, and nobody waits for it.
    What the rules of repositories say against the change is said to the caller.
    """
    try:
        with configuring():
            yield again(ask.principal)
    except ValidationError as refused:
        raise ConfigurationRefused(_sentence(refused.messages)) from None


def _sentence(messages: Sequence[str]) -> str:
    return " ".join(messages)
