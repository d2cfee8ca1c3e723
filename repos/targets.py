"""Where an upload goes: into the repository it is sent to, or through a virtual into a local."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from django.db import connection

from accounts.principal import Principal
from accounts.roles import Role
from base import clock
from base.errors import InvalidInput, LarderError
from base.stamps import Stamp
from repos.access import Admitted, NotYours, RoleMissing, admitted, may, require
from repos.models import Kind, Repository, VirtualSettings
from repos.nesting import beneath
from repos.stamps import stamps_by


class NoDeployment(InvalidInput):
    """The virtual passes uploads on to no repository."""


class NotLocal(InvalidInput):
    """Publishers are trusted by locals alone, whichever virtual their uploads come through."""


@dataclass(frozen=True, slots=True)
class Target:
    """The repository that takes an upload, and the virtual it was sent to, if it was one."""

    repository: Repository
    through: Repository | None = None
    # What the access stamp was before it was asked who may; None: it was not looked at.
    access: Stamp | None = None

    def still_stands(self, by: Principal) -> bool:
        """Say whether all is still as it was asked for `by`, by one small question.

        Nobody's rights have changed since, and neither repository's settings.
        """
        if self.access is None or not by.is_remembered or by.has_ended(clock.now()):
            return False
        named = (self.repository, self.through)
        epochs = {each.pk: each.state.epoch for each in named if each is not None}
        access, stamps = stamps_by(connection, epochs)
        present = {pk: stamp.epoch for pk, stamp in stamps.items()}
        return access == self.access and present == epochs

    def again(self, principal: Principal) -> Repository:
        """Return the repository once more, when `principal` may still publish to it this way.

        For the end of an upload that took long: grants, members and settings may have changed.
        """
        named = self.through or self.repository
        found = target_of_client(principal, named.tenant.slug, named.key)
        if found.repository != self.repository:
            raise NoDeployment(
                f"{named} passes uploads on to another repository by now. Try again."
            )
        return found.repository


def target_of_upload(principal: Principal, tenant: str, key: str) -> Target:
    """Return where what is sent to `tenant/key` goes, when `principal` may publish there.

    Through a virtual: who may read it, and publish to the local that it passes uploads on to.
    Raises NoDeployment, or as `require`.
    """
    return admitted_to_upload(principal, tenant, key)[1]


def target_of_client(principal: Principal, tenant: str, key: str) -> Target:
    """Return the same for what publishing clients send, with the tokens of CI among them.

    One of these has no role anywhere. It is answered alike for all that is not its own, be it
    there or not. Raises NotYours, or as `target_of_upload`.
    """
    limits = principal.token
    if limits is None or limits.publishing_id is None:
        return target_of_upload(principal, tenant, key)
    alive = Repository.objects.select_related("tenant", "state", "upstream").filter(
        deleted_at__isnull=True
    )
    named = alive.filter(tenant__slug=tenant, key=key).first()
    own = alive.filter(pk__in=[pk for pk, _ in limits.publishes])
    with suppress(NoDeployment):
        if named is not None and named.kind == Kind.VIRTUAL:
            if (behind := own.filter(pk=_deployment_of(named).pk).first()) is not None:
                return Target(behind, through=named)
        elif named is not None and own.filter(pk=named.pk).exists():
            return Target(named)
    raise NotYours(f"{limits.holder} is not trusted to publish to {tenant}/{key}.")


def admitted_to_upload(principal: Principal, tenant: str, key: str) -> tuple[Admitted, Target]:
    """Return the same target, and before it who `principal` is at `tenant/key`."""
    is_virtual = Repository.objects.filter(
        tenant__slug=tenant, key=key, kind=Kind.VIRTUAL, deleted_at__isnull=True
    ).exists()
    come_in = admitted(principal, tenant, key, Role.READER if is_virtual else Role.WRITER)
    asked = come_in.repository
    return come_in, _through(principal, asked) if is_virtual else Target(asked)


def takes_uploads(repository: Repository) -> bool:
    """Say whether anybody publishes to it: to a local, and through a virtual that passes on."""
    match Kind(repository.kind):
        case Kind.LOCAL:
            return True
        case Kind.REMOTE:
            return False
        case Kind.VIRTUAL:
            passes_on = VirtualSettings.objects.filter(deployment__deleted_at__isnull=True)
            return passes_on.filter(repository=repository, deployment__isnull=False).exists()


def require_local(principal: Principal, repository: Repository) -> None:
    """Refuse what trusts no publishers, and name the local that does so for a virtual.

    `principal` may read the virtual; a local that they may not read is not named. Raises NotLocal.
    """
    if repository.kind == Kind.LOCAL:
        return
    told = "Only a local repository takes what a publisher uploads"
    with suppress(NoDeployment):
        local = _deployment_of(repository)
        if may(principal, local, Role.READER):
            told = f"{told}: add it to {local}, where {repository} passes uploads"
    raise NotLocal(f"{told}.")


def where_uploads_go(principal: Principal, repository: Repository) -> Repository | None:
    """Return the local that takes what `principal` uploads to `repository`; None: they may not.

    They may read it.
    """
    match Kind(repository.kind):
        case Kind.LOCAL:
            return repository if may(principal, repository, Role.WRITER) else None
        case Kind.REMOTE:
            return None
        case Kind.VIRTUAL:
            try:
                return _through(principal, repository).repository
            except LarderError:
                return None


def _through(principal: Principal, virtual: Repository) -> Target:
    """Return where a virtual that `principal` may read passes on what they publish."""
    local = _deployment_of(virtual)
    try:
        found = require(_beneath(principal, local), local.tenant.slug, local.key, Role.WRITER)
    except NotYours:
        # Not by its name: it may be another tenant's.
        raise RoleMissing(f"You may read {virtual} but not publish through it.") from None
    return Target(found, through=virtual)


def _deployment_of(virtual: Repository) -> Repository:
    settings = (
        VirtualSettings.objects.select_related("deployment__tenant")
        .filter(repository=virtual)
        .first()
    )
    local = settings.deployment if settings else None
    # It may have been taken out of the virtual, or out of service, since it was set.
    if local is None or local.deleted_at is not None or local.pk not in beneath(virtual):
        raise NoDeployment(
            f"{virtual} is a virtual repository and passes uploads on to none of its members. "
            "Publish to a local one."
        )
    return local


def _beneath(principal: Principal, local: Repository) -> Principal:
    """Return the principal as they stand beneath a virtual that their token lets them use.

    The token deploys through it as far as its owner may. Its list of repositories and its tenant
    end there; its role and its projects do not.
    """
    if principal.token is None:
        return principal
    limits = replace(principal.token, tenant_id=local.tenant_id, all_repositories=True)
    return replace(principal, token=limits)
