"""Makes and changes repositories, upstreams, members, claims and grants; each change is audited.

The admin, the management commands and the REST door all end here, so a rule stands once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from accounts import tokens
from accounts.models import Membership, Token
from accounts.roles import Role
from base import audit, clock
from base.audit import Actor
from base.rows import stored
from base.stamps import configuring, move_access, new_nonce
from repos import nesting
from repos.models import (
    AlsoUpstream,
    Claim,
    Grant,
    Kind,
    Member,
    Repository,
    RepositoryState,
    TokenRepository,
    Upstream,
    VirtualSettings,
)
from repos.sealed import seal
from repos.stamps import move_epoch

_SETTINGS = (
    "kind",
    "description",
    "quiet_period",
    "max_file_bytes",
    "rules",
    "overwrite_allowed",
    "releases_close_after_days",
)
_UPSTREAM = (
    "index_url",
    "suffix",
    "scopes",
    "files_url",
    "username",
    "private_allowed",
    "names_are_kept",
    "ca",
    "proxy",
    "connect_seconds",
    "read_seconds",
    "fresh_seconds",
    "negative_seconds",
    "offline",
    "lists_projects",
    "include",
    "exclude",
)
# Of those that a virtual inherits; there may be thousands.
_NAMES_IN_AUDIT = 100


def create_repository(
    repository: Repository, *, by: Actor, members_read: bool = True
) -> Repository:
    """Save a new repository; with `members_read`, let all members of its tenant read it."""
    with configuring():
        repository.created_at = clock.now()
        repository.full_clean()
        repository.save()
        RepositoryState.objects.create(repository=repository, nonce=new_nonce())
        move_access()
        _record(repository, "repository.create", by, after=_settings_of(repository))
        if members_read:
            grant = Grant(repository=repository, subject=Grant.Subject.MEMBERS, role=Role.READER)
            save_grant(grant, by=by)
    return repository


def change_repository(repository: Repository, *, by: Actor) -> None:
    """Save changed settings. Key, kind and tenant stay: URLs and contents hang on them."""
    with configuring():
        before = Repository.objects.get(pk=repository.pk)
        fixed = ("tenant_id", "key", "kind")
        if any(getattr(before, name) != getattr(repository, name) for name in fixed):
            raise ValidationError("A repository's tenant, key and kind cannot be changed.")
        repository.full_clean()
        after = _settings_of(repository)
        repository.save(update_fields=list(after))
        move_epoch(repository)
        _record(repository, "repository.change", by, before=_settings_of(before), after=after)


def delete_repository(repository: Repository, *, by: Actor) -> None:
    """Take a repository out of service. Its key stays taken and its rows are kept."""
    now = clock.now()
    with configuring():
        used_by = Member.objects.filter(repository=repository).select_related("virtual").first()
        if used_by is not None:
            raise ValidationError(
                f"{repository} is a member of {used_by.virtual}. Take it out there first."
            )
        living = Repository.objects.filter(pk=repository.pk, deleted_at__isnull=True)
        if not living.update(deleted_at=now):
            raise ValidationError(f"{repository} is out of service already.")
        before = _settings_of(repository) | {"members": _members_of(repository), "deleted_at": None}
        repository.deleted_at = now
        repository.members.all().delete()
        move_epoch(repository)
        move_access()
        _record(repository, "repository.delete", by, before=before, after={"deleted_at": now})


def save_upstream(upstream: Upstream, *, by: Actor, password: str | None = None) -> None:
    """Make or change where a remote points; `password`, when given, is sealed; "" clears it.

    A stored password is for the host that it was given for: it does not go along to another.
    """
    with configuring():
        before = stored(upstream)
        if password is not None:
            upstream.sealed_password = seal(password)
        elif points_elsewhere(upstream) and upstream.sealed_password:
            raise ValidationError(
                "The index or its files have moved to another host. Enter the password for it, or "
                "clear it: the stored one is for the old host."
            )
        upstream.full_clean()
        upstream.save()
        move_epoch(upstream.repository)
        new = {} if password is None else {"password_is_new": True}
        _record(
            upstream.repository,
            "upstream.change" if before else "upstream.create",
            by,
            before=_upstream_facts(before),
            after=_upstream_facts(upstream) | new,
        )


def points_elsewhere(upstream: Upstream) -> bool:
    """Say whether `upstream` is about to name a host that it has not been saved with.

    Its password is sent to these hosts, and the leave for private addresses covers them.
    """
    before = Upstream.objects.filter(pk=upstream.pk).first()
    return before is not None and not _origins(upstream) <= _origins(before)


def _origins(upstream: Upstream) -> set[tuple[str, str, int | None]]:
    return {_origin(url) for url in (upstream.index_url, upstream.files_url) if url}


def set_members(virtual: Repository, members: Sequence[Repository | Member], *, by: Actor) -> None:
    """Let `virtual` show `members`, in this order; an unsaved Member names a scope as well.

    What a local that goes has kept stays kept: its names become claims of the virtuals that it
    no longer stands beneath (docs/virtuals.md).
    """
    with configuring():
        places = [_as_member(virtual, each, at) for at, each in enumerate(members)]
        check_members(virtual, places)
        before, shown = _members_of(virtual), nesting.beneath_all_above(virtual)
        virtual.members.all().delete()
        for place in places:
            place.full_clean()
            place.save()
        _leave_claims(shown, nesting.beneath_all_above(virtual), by=by)
        move_epoch(virtual)
        move_access()
        after = {"members": _members_of(virtual)}
        _record(virtual, "members.change", by, before={"members": before}, after=after)


def _as_member(virtual: Repository, each: Repository | Member, position: int) -> Member:
    scope = each.scope if isinstance(each, Member) else ""
    repository = each.repository if isinstance(each, Member) else each
    return Member(virtual=virtual, repository=repository, scope=scope, position=position)


def check_members(virtual: Repository, members: Sequence[Repository | Member]) -> None:
    """Raise ValidationError when `virtual` cannot show `members`."""
    if virtual.kind != Kind.VIRTUAL:
        raise ValidationError("Only a virtual repository has members.")
    places = [_as_member(virtual, each, at) for at, each in enumerate(members)]
    repositories = [place.repository for place in places]
    asked = [virtual.pk, *(member.pk for member in repositories)]
    deleted = Repository.objects.filter(pk__in=asked, deleted_at__isnull=False)
    if (gone := deleted.first()) is not None:
        raise ValidationError(f"{gone} is out of service.")
    for place in places:
        member = place.repository
        if member.tenant_id != virtual.tenant_id and not _is_open(member):
            raise ValidationError(f"{member} belongs to another tenant.")
        if member.pk == virtual.pk or virtual.pk in nesting.beneath(member):
            raise ValidationError(f"{member} would show {virtual} inside itself.")
        _check_scope(place)
    if nesting.depth_with(virtual, repositories) > nesting.DEPTH_AT_MOST:
        raise ValidationError(
            f"More than {nesting.DEPTH_AT_MOST} virtual repositories would stand above one another."
        )


def _is_open(repository: Repository) -> bool:
    """Say whether all signed-in users, or anyone, may read it: other tenants may then show it."""
    widest = [Grant.Subject.SIGNED_IN, Grant.Subject.ANYONE]
    return repository.grants.filter(subject__in=widest).exists()


def _check_scope(place: Member) -> None:
    """Refuse a scope that the member's upstream may not be asked with."""
    if not place.scope:
        return
    upstream = Upstream.objects.filter(repository=place.repository).first()
    if upstream is None or not upstream.may_use_scope(place.scope):
        raise ValidationError(f"{place.repository} may not be asked with the scope {place.scope}.")


def _leave_claims(
    before: Mapping[int, frozenset[int]], after: Mapping[int, frozenset[int]], *, by: Actor
) -> None:
    """Let virtuals claim the names of what they showed and show no longer."""
    gone = {virtual: shown - after[virtual] for virtual, shown in before.items()}
    kept = nesting.names_kept_by(set().union(*gone.values()))
    for virtual in Repository.objects.select_related("tenant").filter(pk__in=gone):
        names = set().union(*(kept.get(each, set()) for each in gone[virtual.pk]))
        names -= set(virtual.claims.filter(pattern__in=names).values_list("pattern", flat=True))
        if names:
            Claim.objects.bulk_create(
                Claim(repository=virtual, pattern=name) for name in sorted(names)
            )
            move_epoch(virtual)
            facts = {"patterns": len(names), "first": sorted(names)[:_NAMES_IN_AUDIT]}
            _record(virtual, "claims.inherit", by, after=facts)


def save_virtual(settings: VirtualSettings, *, by: Actor) -> None:
    """Make or change how a virtual shows its members, and where uploads to it go."""
    virtual, target = settings.repository, settings.deployment
    with configuring():
        before = stored(settings)
        settings.full_clean()
        if virtual.kind != Kind.VIRTUAL:
            raise ValidationError("Only a virtual repository has these settings.")
        if target is not None and (
            target.kind != Kind.LOCAL or target.pk not in nesting.beneath(virtual)
        ):
            raise ValidationError(f"{target} is not a local repository beneath {virtual}.")
        settings.save()
        move_epoch(virtual)
        _record(
            virtual,
            "virtual.change" if before else "virtual.create",
            by,
            before=_virtual_facts(before),
            after=_virtual_facts(settings),
        )


def mark_also_upstream(mark: AlsoUpstream, *, by: Actor) -> None:
    """Let a virtual take a name of ours from its remotes as well: strangers' files with it."""
    with configuring():
        if mark.virtual.kind != Kind.VIRTUAL:
            raise ValidationError("Only a virtual repository takes a name also from upstream.")
        mark.full_clean()
        mark.save()
        move_epoch(mark.virtual)
        _record(mark.virtual, "also_upstream.add", by, after={"project": mark.normalized})


def unmark_also_upstream(mark: AlsoUpstream, *, by: Actor) -> None:
    """Take the name from our own repositories alone again."""
    with configuring():
        stored(mark)
        _record(mark.virtual, "also_upstream.remove", by, before={"project": mark.normalized})
        mark.delete()
        move_epoch(mark.virtual)


def add_claim(claim: Claim, *, by: Actor) -> None:
    """Declare a name, or a beginning of names, the repository's own."""
    with configuring():
        claim.full_clean()
        claim.save()
        move_epoch(claim.repository)
        _record(claim.repository, "claim.add", by, after={"pattern": claim.pattern})


def remove_claim(claim: Claim, *, by: Actor) -> None:
    """Take a claim back."""
    with configuring():
        stored(claim)
        _record(claim.repository, "claim.remove", by, before={"pattern": claim.pattern})
        claim.delete()
        move_epoch(claim.repository)


def save_grant(grant: Grant, *, by: Actor) -> None:
    """Give a role, or change the one given."""
    with configuring():
        before = stored(grant)
        grant.full_clean()
        grant.save()
        move_access()
        _record(
            grant.repository,
            "grant.change" if before else "grant.create",
            by,
            before=_grant_facts(before),
            after=_grant_facts(grant),
        )


def end_grant(grant: Grant, *, by: Actor) -> None:
    """Take a role away."""
    with configuring():
        stored(grant)
        _record(grant.repository, "grant.end", by, before=_grant_facts(grant))
        grant.delete()
        move_access()


def create_token(  # noqa: PLR0913 - a token has this many limits
    *,
    membership: Membership,
    name: str,
    by: Actor,
    role: Role = Role.WRITER,
    repositories: Iterable[Repository] | None = None,
    project_patterns: tuple[str, ...] = (),
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Make a token that works in `repositories` only; None: wherever its owner may.

    Returns it with its secret, as `accounts.tokens.create` does.
    """
    return tokens.create(
        membership=membership,
        name=name,
        by=by,
        role=role,
        all_repositories=repositories is None,
        project_patterns=project_patterns,
        expires_at=expires_at,
        narrow=lambda token: _name_repositories(token, repositories or ()),
    )


def limit_token(token: Token, repositories: Iterable[Repository] | None, *, by: Actor) -> None:
    """Save the changed limits of `token`, and where it works: as for `create_token`."""
    token.all_repositories = repositories is None
    tokens.change(token, by=by, narrow=lambda row: _name_repositories(row, repositories or ()))


def _name_repositories(token: Token, repositories: Iterable[Repository]) -> None:
    chosen = list(repositories)
    for repository in chosen:
        if repository.tenant_id != token.membership.tenant_id:
            raise ValidationError(f"{repository} is not in the token's tenant.")
    TokenRepository.objects.filter(token=token).delete()
    TokenRepository.objects.bulk_create(
        TokenRepository(token=token, repository=repository) for repository in chosen
    )


def _record(
    repository: Repository,
    action: str,
    by: Actor,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        by=by,
        action=action,
        tenant=repository.tenant.slug,
        repository=str(repository),
        subject=str(repository),
        before=before,
        after=after,
    )


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or usual


def _members_of(virtual: Repository) -> list[str]:
    places = virtual.members.select_related("repository__tenant")
    return [f"{each.repository}/{each.scope}".rstrip("/") for each in places]


def _virtual_facts(settings: VirtualSettings | None) -> dict[str, object]:
    if settings is None:
        return {}
    target = settings.deployment
    return {"merge": settings.merge, "deployment": str(target) if target else ""}


def _settings_of(repository: Repository) -> dict[str, object]:
    return {name: getattr(repository, name) for name in _SETTINGS}


def _upstream_facts(upstream: Upstream | None) -> dict[str, object]:
    if upstream is None:
        return {}
    facts: dict[str, object] = {name: getattr(upstream, name) for name in _UPSTREAM}
    return facts | {"has_password": bool(upstream.sealed_password)}


def _grant_facts(grant: Grant | None) -> dict[str, object]:
    if grant is None:
        return {}
    whom = grant.membership.user.username if grant.membership else None
    team = grant.team.name if grant.team else None
    return {
        "subject": grant.subject,
        "name": whom or team or "",
        "role": Role(grant.role).label,
    }
