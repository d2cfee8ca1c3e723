"""The principal: whoever calls, as every rule about access sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from accounts.models import Login, PublishingToken, Token, User
from accounts.roles import Role
from base.audit import Actor


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """How a token narrows its owner; the access token of a login does so least.

    That one works in all of its owner's tenants (`tenant_id` is None). It still is a token: what
    is for people themselves it does not open.
    """

    token_id: int  # 0: it is a login's
    name: str
    tenant_id: int | None
    role: Role
    all_repositories: bool
    project_patterns: tuple[str, ...]
    expires_at: datetime | None = None  # None: never, or (a login's) not known here
    login_id: int | None = None
    # CI's, which is nobody's: the ids of repositories with the one name each that it publishes.
    publishing_id: int | None = None
    publishes: frozenset[tuple[int, str]] = frozenset()
    holder: str = ""

    @classmethod
    def of(cls, token: Token) -> TokenLimits:
        """Return the limits that `token` carries."""
        return cls(
            token_id=token.pk,
            name=str(token),
            tenant_id=token.membership.tenant_id,
            role=Role(token.role),
            all_repositories=token.all_repositories,
            project_patterns=tuple(token.project_patterns),
            expires_at=token.expires_at,
        )

    @classmethod
    def of_login(cls, login: Login) -> TokenLimits:
        """Return the limits of every access token of `login`."""
        return cls(
            token_id=0,
            name=str(login),
            tenant_id=None,
            role=Role.ADMIN,
            all_repositories=True,
            project_patterns=(),
            login_id=login.pk,
        )

    @classmethod
    def of_publishing(cls, token: PublishingToken) -> TokenLimits:
        """Return the limits of a token of CI's: no right but to publish what it is for."""
        # The rows belong to the layer above, and are reached by the relation it declares.
        publishers = token.publishers.filter(repository__deleted_at__isnull=True)
        return cls(
            token_id=0,
            name=str(token),
            tenant_id=0,
            role=Role.READER,
            all_repositories=False,
            project_patterns=(),
            publishing_id=token.pk,
            publishes=frozenset(publishers.values_list("repository_id", "normalized")),
            holder=token.name,
        )

    def works_in(self, tenant_id: int) -> bool:
        """Say whether the token belongs to the tenant, or to no one of its owner's."""
        return self.tenant_id in {None, tenant_id}

    def may_publish(self, repository_id: int, normalized: str) -> bool:
        """Say whether the token may publish to the project of this name in this repository."""
        if self.publishing_id is not None:
            return (repository_id, normalized) in self.publishes
        return self.allows_project(normalized)

    def allows_project(self, normalized: str) -> bool:
        """Say whether the token may publish, yank or delete in the project of this name."""
        if self.publishing_id is not None:
            return False
        return not self.project_patterns or any(
            fnmatchcase(normalized, pattern) for pattern in self.project_patterns
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """An anonymous caller (`user` is None), or a user with or without a token's limits.

    CI with a token of its own (`accounts.publishing`) is no user, and to every door but the one
    for uploads as anybody is who has not signed in.
    """

    user: User | None = None
    token: TokenLimits | None = None
    address: str = ""

    @property
    def is_anonymous(self) -> bool:
        """Say whether nobody has signed in."""
        return self.user is None

    @property
    def hears_names(self) -> bool:
        """Say whether they are told who does what; who reads what anyone may read is not."""
        return not self.is_anonymous

    @property
    def name(self) -> str:
        """Return what the caller is called: a user's name, or what CI's issuer says it is."""
        if self.user is not None:
            return self.user.username
        return (self.token.holder if self.token else "") or "anonymous"

    @property
    def is_remembered(self) -> bool:
        """Say whether the access stamp, and the token's end, tell how long this holds true."""
        return self.is_anonymous if self.token is None else bool(self.token.token_id)

    def has_ended(self, now: datetime) -> bool:
        """Say whether the end of a token that is remembered has come."""
        ends = self.token.expires_at if self.token is not None else None
        return ends is not None and ends <= now

    @property
    def actor(self) -> Actor:
        """Return the caller as the audit names them."""
        return Actor(
            name=self.name,
            token=self.token.name if self.token else "",
            address=self.address,
        )
