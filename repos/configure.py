"""Makes and changes repositories, upstreams, members and grants; each change is audited.

The admin, the management commands and the REST door all end here, so a rule stands once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import tokens
from accounts.models import Token
from accounts.roles import Role
from base import audit, clock, stamps
from base.audit import Actor
from base.stamps import new_nonce
from repos.models import (
    Grant,
    Kind,
    Member,
    Repository,
    RepositoryState,
    TokenRepository,
    Upstream,
)
from repos.sealed import seal
from repos.stamps import move_epoch


def create_repository(
    repository: Repository, *, by: Actor, members_read: bool = True
) -> Repository:
    """Save a new repository; with `members_read`, let all members of its tenant read it."""
    repository.created_at = clock.now()
    repository.full_clean()
    with transaction.atomic():
        repository.save()
        RepositoryState.objects.create(repository=repository, nonce=new_nonce())
        stamps.move_access()
        _record(repository, "repository.create", by, after=_settings_of(repository))
        if members_read:
            save_grant(
                Grant(repository=repository, subject=Grant.Subject.MEMBERS, role=Role.READER),
                by=by,
            )
    return repository


def change_repository(repository: Repository, *, by: Actor) -> None:
    """Save changed settings. Key, kind and tenant stay: URLs and contents hang on them."""
    before = Repository.objects.get(pk=repository.pk)
    fixed = ("tenant_id", "key", "kind")
    if any(getattr(before, name) != getattr(repository, name) for name in fixed):
        raise ValidationError("A repository's tenant, key and kind cannot be changed.")
    repository.full_clean()
    with transaction.atomic():
        repository.save(update_fields=list(_settings_of(repository)))
        move_epoch(repository)
        _record(
            repository,
            "repository.change",
            by,
            before=_settings_of(before),
            after=_settings_of(repository),
        )


def delete_repository(repository: Repository, *, by: Actor) -> None:
    """Take a repository out of service. Its key stays taken and its rows are kept."""
    if used_by := Member.objects.filter(repository=repository).select_related("virtual").first():
        raise ValidationError(
            f"{repository} is a member of {used_by.virtual}. Take it out there first."
        )
    with transaction.atomic():
        repository.members.all().delete()
        repository.deleted_at = clock.now()
        repository.save(update_fields=["deleted_at"])
        move_epoch(repository)
        stamps.move_access()
        _record(repository, "repository.delete", by, before=_settings_of(repository))


def save_upstream(upstream: Upstream, *, by: Actor, password: str | None = None) -> None:
    """Make or change where a remote points; `password`, when given, is sealed."""
    if password is not None:
        upstream.sealed_password = seal(password)
    upstream.full_clean()
    with transaction.atomic():
        upstream.save()
        move_epoch(upstream.repository)
        _record(
            upstream.repository,
            "upstream.change",
            by,
            after={"index_url": upstream.index_url, "username": upstream.username},
        )


def set_members(virtual: Repository, members: Sequence[Repository], *, by: Actor) -> None:
    """Let `virtual` show `members`, in this order."""
    check_members(virtual, members)
    with transaction.atomic():
        before = [str(place.repository) for place in virtual.members.select_related("repository")]
        virtual.members.all().delete()
        for position, member in enumerate(members):
            place = Member(virtual=virtual, repository=member, position=position)
            place.full_clean()
            place.save()
        move_epoch(virtual)
        stamps.move_access()
        _record(
            virtual,
            "members.change",
            by,
            before={"members": before},
            after={"members": [str(member) for member in members]},
        )


def check_members(virtual: Repository, members: Sequence[Repository]) -> None:
    """Raise ValidationError when `virtual` cannot show `members`."""
    if virtual.kind != Kind.VIRTUAL:
        raise ValidationError("Only a virtual repository has members.")
    for member in members:
        if member.tenant_id != virtual.tenant_id:
            raise ValidationError(f"{member} belongs to another tenant.")
        if member.pk == virtual.pk or virtual.pk in _beneath(member):
            raise ValidationError(f"{member} would show {virtual} inside itself.")


def save_grant(grant: Grant, *, by: Actor) -> None:
    """Give a role, or change the one given."""
    action = "grant.change" if grant.pk else "grant.create"
    grant.full_clean()
    with transaction.atomic():
        grant.save()
        stamps.move_access()
        _record(grant.repository, action, by, after={"grant": str(grant)})


def end_grant(grant: Grant, *, by: Actor) -> None:
    """Take a role away."""
    with transaction.atomic():
        _record(grant.repository, "grant.end", by, before={"grant": str(grant)})
        grant.delete()
        stamps.move_access()


def limit_token(token: Token, repositories: Iterable[Repository], *, by: Actor) -> None:
    """Let `token` work in `repositories` only; with none named it works nowhere."""
    chosen = list(repositories)
    for repository in chosen:
        if repository.tenant_id != token.membership.tenant_id:
            raise ValidationError(f"{repository} is not in the token's tenant.")
    with transaction.atomic():
        token.all_repositories = False
        TokenRepository.objects.filter(token=token).delete()
        TokenRepository.objects.bulk_create(
            TokenRepository(token=token, repository=repository) for repository in chosen
        )
        tokens.change(token, by=by)


def _beneath(repository: Repository) -> set[int]:
    """Return the ids of everything that `repository` shows, however nested."""
    found: set[int] = set()
    level = {repository.pk}
    while level:
        level = (
            set(Member.objects.filter(virtual_id__in=level).values_list("repository_id", flat=True))
            - found
        )
        found |= level
    return found


def _settings_of(repository: Repository) -> dict[str, object]:
    return {
        "kind": repository.kind,
        "description": repository.description,
        "quiet_period": repository.quiet_period,
        "max_file_bytes": repository.max_file_bytes,
    }


def _record(
    repository: Repository,
    action: str,
    by: Actor,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit.record(
        by=by,
        action=action,
        tenant=repository.tenant.slug,
        subject=str(repository),
        before=before,
        after=after,
    )
