"""Who may do what in which repository: the one decision that every door asks for.

What each caller hears:

- nobody signed in: what anyone may read is served; everything else is "sign in", whether it
  exists or not;
- signed in, in a tenant they belong to: 403 with who can help, or that it is not there;
- signed in, elsewhere: one answer for "not yours" and "not there".

`require` asks the database the same number of questions for each, so that the answer's time
does not tell them apart either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.models import Membership, Tenant, User
from accounts.principal import Principal
from accounts.roles import Role
from base.errors import LarderError
from repos.models import Grant, Repository, TokenRepository

_DOES = {Role.READER: "read", Role.WRITER: "publish to", Role.ADMIN: "administer"}
_NAMES_SHOWN = 3


class SignInRequired(LarderError):
    """Nobody has signed in, and this is not for everybody."""


class RoleMissing(LarderError):
    """The caller is known and may not do this here."""


class NotYours(LarderError):
    """A repository of another tenant, or one that is not there: the caller is not told which."""


class PeopleOnly(RoleMissing):
    """What somebody does for themselves, with their password; a token of theirs may not."""


class RepositoryMissing(LarderError):
    """The caller's own tenant has no repository of this key."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller is to a tenant: a member, its admin, or neither."""

    membership: Membership | None
    is_admin: bool

    @property
    def belongs(self) -> bool:
        """Say whether the caller may know what the tenant has."""
        return self.membership is not None or self.is_admin


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody in a repository: what they may do there, for a page to offer no more than that."""

    repository: Repository
    role: Role
    # Administers the tenant, and has not come with a token: Django's admin lets them in.
    is_tenant_admin: bool

    @property
    def may_write(self) -> bool:
        """Say whether they may publish there."""
        return self.role >= Role.WRITER

    @property
    def is_admin(self) -> bool:
        """Say whether they administer the repository."""
        return self.role >= Role.ADMIN


def require(principal: Principal, tenant: str, key: str, role: Role) -> Repository:
    """Return the repository `tenant/key` when `principal` has at least `role` there.

    Raises SignInRequired, RoleMissing, NotYours or RepositoryMissing, each with its sentence.
    """
    return admitted(principal, tenant, key, role).repository


def admitted(principal: Principal, tenant: str, key: str, role: Role) -> Admitted:
    """Return the repository as `require` does, with the role that `principal` has in it."""
    repository = (
        Repository.objects.select_related("tenant", "state", "upstream")
        .filter(tenant__slug=tenant, key=key, deleted_at__isnull=True)
        .first()
    )
    standing = _standing(principal, tenant)
    granted = _granted(principal, repository, standing)
    if repository is not None and granted is not None and granted >= role:
        is_tenant_admin = standing.is_admin and principal.token is None
        return Admitted(repository, granted, is_tenant_admin=is_tenant_admin)
    case = _Case(principal, repository, standing, granted)
    raise _refusal(case, f"{tenant}/{key}", role)


def may(principal: Principal, repository: Repository, role: Role) -> bool:
    """Say whether `principal` has at least `role` there: what a page may offer them."""
    granted = _granted(principal, repository, _standing(principal, repository.tenant.slug))
    return granted is not None and granted >= role


def anyone_may_read(repository: Repository) -> bool:
    """Say whether `repository` is read without a token."""
    return Grant.objects.filter(repository=repository, subject=Grant.Subject.ANYONE).exists()


def readable_by(principal: Principal) -> QuerySet[Repository]:
    """Return the repositories that `principal` may read: where every listing starts."""
    alive = Repository.objects.filter(deleted_at__isnull=True)
    public = Q(grants__subject=Grant.Subject.ANYONE)
    if principal.user is None:
        return alive.filter(public).distinct()
    mine = _limited(principal, _granted_to(principal))
    return alive.filter(public | mine).distinct()


def require_person(principal: Principal) -> User:
    """Return who has come themselves: a page about an account is not for its tokens.

    A token that could make tokens would have no limits. Raises SignInRequired or PeopleOnly.
    """
    if principal.user is None:
        raise SignInRequired("Sign in to see your account.")
    if principal.token is not None:
        raise PeopleOnly(
            "You may not see or change an account with this token. Sign in with your password."
        )
    return principal.user


def may_read_audit(user: User, tenant: str) -> bool:
    """Say whether `user` may read what was changed in a tenant: its administrators may.

    Events outlive the tenant that they name: a superuser reads those of one that has gone.
    """
    return user.is_superuser or tenant in user.administers.values()


def require_sign_in(principal: Principal) -> None:
    """Refuse who has not signed in. Raises SignInRequired."""
    if principal.user is None:
        raise SignInRequired("Sign in with a user name and a token.")


def require_tenant_admin(principal: Principal, tenant: str) -> Tenant:
    """Return the tenant that `principal` administers: who makes repositories in it.

    A token may when nothing but its tenant limits it. Raises SignInRequired, RoleMissing, or
    NotYours, alike for a tenant that is not there.
    """
    require_sign_in(principal)
    found = Tenant.objects.filter(slug=tenant).first()
    standing = _standing(principal, tenant)
    if found is None or not standing.belongs:
        raise NotYours(f"There is no tenant {tenant} that you may administer.")
    if not standing.is_admin:
        raise RoleMissing(f"You may not administer {tenant}. Ask {_tenant_admins(found)}.")
    limits = principal.token
    if limits is not None and not (
        limits.role >= Role.ADMIN and limits.all_repositories and not limits.project_patterns
    ):
        raise RoleMissing(
            f"You may not administer {tenant} with this token. Use one that is allowed to."
        )
    return found


def require_office(principal: Principal, tenant: str) -> Tenant:
    """Return the tenant that `principal` has come themselves to administer: its people and tokens.

    Raises SignInRequired, PeopleOnly, NotYours or RoleMissing.
    """
    require_person(principal)
    return require_tenant_admin(principal, tenant)


def require_superuser(principal: Principal) -> User:
    """Return who runs the installation, and has come themselves.

    Raises SignInRequired, PeopleOnly or RoleMissing.
    """
    user = require_person(principal)
    if not user.is_superuser:
        raise RoleMissing("Only who runs this installation may do this.")
    return user


def roles_of(user: User, repositories: Iterable[Repository]) -> dict[int, Role]:
    """Return the greatest role that `user` has in each of `repositories`, by their ids."""
    repositories = list(repositories)
    subjects = (
        Q(subject__in=[Grant.Subject.ANYONE, Grant.Subject.SIGNED_IN])
        | Q(subject=Grant.Subject.MEMBERS, repository__tenant__memberships__user=user)
        | Q(membership__user=user)
        | Q(team__members__user=user)
    )
    granted = Grant.objects.filter(subjects, repository__in=repositories)
    roles: dict[int, Role] = {}
    for pk, role in granted.values_list("repository_id", "role").distinct():
        roles[pk] = max(Role(role), roles.get(pk, Role(role)))
    for each in repositories:
        if user.is_superuser or each.tenant_id in user.administers:
            roles[each.pk] = Role.ADMIN
    return roles


def tenants_of(principal: Principal) -> list[str]:
    """Return the slugs of the tenants that `principal` belongs to."""
    if principal.user is None:
        return []
    limits = principal.token
    return [
        slug
        for slug, place in principal.user.places.items()
        if limits is None or limits.works_in(place.tenant_id)
    ]


def _granted_to(principal: Principal) -> Q:
    """Return which repositories the user may read by grants, memberships or office."""
    user = principal.user
    if user is None:
        return Q(pk__in=[])
    if user.is_superuser:
        return Q(pk__isnull=False)  # an empty Q would vanish beside another
    return (
        Q(grants__subject=Grant.Subject.SIGNED_IN)
        | Q(grants__membership__user=user)
        | Q(grants__team__members__user=user)
        | Q(grants__subject=Grant.Subject.MEMBERS, tenant__memberships__user=user)
        | Q(tenant__memberships__user=user, tenant__memberships__kind=Membership.Kind.ADMIN)
    )


def _limited(principal: Principal, repositories: Q) -> Q:
    """Return `repositories` narrowed to what the principal's token allows."""
    limits = principal.token
    if limits is None:
        return repositories
    narrowed = repositories
    if limits.tenant_id is not None:
        narrowed &= Q(tenant_id=limits.tenant_id)
    if not limits.all_repositories:
        narrowed &= Q(tokens__token_id=limits.token_id)
    return narrowed


def _standing(principal: Principal, tenant: str) -> Standing:
    user, limits = principal.user, principal.token
    if user is None:
        return Standing(membership=None, is_admin=False)
    membership = user.places.get(tenant)
    belongs_to = membership.tenant_id if membership is not None else 0
    if limits is not None and not limits.works_in(belongs_to):
        # A token belongs to one tenant, and tells nothing of another that its owner is in.
        return Standing(membership=None, is_admin=False)
    is_admin = user.is_superuser or (membership is not None and membership.is_admin)
    return Standing(membership=membership, is_admin=is_admin)


def _granted(
    principal: Principal, repository: Repository | None, standing: Standing
) -> Role | None:
    """Return the greatest role that the principal has in `repository`, if any."""
    if repository is not None and standing.is_admin and principal.token is None:
        return Role.ADMIN  # whatever is granted
    subjects = Q(subject=Grant.Subject.ANYONE)
    if principal.user is not None:
        subjects |= Q(subject=Grant.Subject.SIGNED_IN)
    if standing.membership is not None:
        subjects |= Q(subject=Grant.Subject.MEMBERS)
        subjects |= Q(membership=standing.membership)
        subjects |= Q(team__members=standing.membership)
    # Asked for repository 0 when there is none, so that both cases cost the same.
    grants = list(
        Grant.objects.filter(subjects, repository_id=repository.pk if repository else 0)
        .values_list("subject", "role")
        .distinct()
    )
    if repository is None:
        return None
    public = [Role(role) for subject, role in grants if subject == Grant.Subject.ANYONE]
    own = [Role(role) for _, role in grants] + ([Role.ADMIN] if standing.is_admin else [])
    return max(public + _within_token(principal, repository, own), default=None)


def _within_token(principal: Principal, repository: Repository, roles: list[Role]) -> list[Role]:
    """Return `roles` as the principal's token narrows them."""
    limits = principal.token
    if limits is None:
        return roles
    if not limits.works_in(repository.tenant_id):
        return []
    if (
        not limits.all_repositories
        and not TokenRepository.objects.filter(
            token_id=limits.token_id, repository=repository
        ).exists()
    ):
        return []
    return [min(role, limits.role) for role in roles]


@dataclass(frozen=True, slots=True)
class _Case:
    """All that the answer to a refused caller depends on."""

    principal: Principal
    repository: Repository | None
    standing: Standing
    granted: Role | None


def _refusal(case: _Case, name: str, role: Role) -> LarderError:
    principal, repository = case.principal, case.repository
    standing, granted = case.standing, case.granted
    if principal.is_anonymous:
        about_the_token = "This token only publishes. " if principal.token is not None else ""
        return SignInRequired(f"{about_the_token}Sign in with a user name and a token.")
    if not standing.belongs and granted is None:
        return NotYours(f"There is no repository {name} that you may use.")
    if repository is None:
        return RepositoryMissing(f"There is no repository {name}.")
    may_not = f"You may not {_DOES[role]} {name}."
    if granted is not None:
        may_not = f"You may {_DOES[granted]} {name} but not {_DOES[role]} it."
    if principal.token is not None and _without_token(principal, repository, standing) >= role:
        return RoleMissing(f"{may_not[:-1]} with this token. Use one that is allowed to.")
    if not standing.belongs:
        return RoleMissing(may_not)
    return RoleMissing(f"{may_not} Ask {administrators(repository)}.")


def _without_token(principal: Principal, repository: Repository, standing: Standing) -> int:
    """Return the role that the token's owner would have here with a password; 0 for none."""
    owner = Principal(user=principal.user, address=principal.address)
    return _granted(owner, repository, standing) or 0


def _tenant_admins(tenant: Tenant) -> str:
    admins = Membership.objects.filter(
        tenant=tenant, kind=Membership.Kind.ADMIN, user__is_active=True
    )
    names = admins.order_by("user__username").values_list("user__username", flat=True)
    return " or ".join(names[:_NAMES_SHOWN]) or "whoever runs this installation"


def administrators(repository: Repository) -> str:
    """Return who can give a role in `repository`, for the sentence that says whom to ask."""
    admins = (
        Membership.objects.filter(tenant_id=repository.tenant_id, user__is_active=True)
        .filter(
            Q(kind=Membership.Kind.ADMIN)
            | Q(grants__repository=repository, grants__role=Role.ADMIN)
            | Q(teams__grants__repository=repository, teams__grants__role=Role.ADMIN)
        )
        .order_by("user__username")
        .values_list("user__username", flat=True)
        .distinct()[:_NAMES_SHOWN]
    )
    return " or ".join(admins) or "whoever runs this installation"
