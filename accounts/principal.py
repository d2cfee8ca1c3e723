"""The principal: whoever calls, as every rule about access sees them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from accounts.models import Token, User
from accounts.roles import Role
from base.audit import Actor


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """How a token narrows its owner."""

    token_id: int
    name: str
    tenant_id: int
    role: Role
    all_repositories: bool
    project_patterns: tuple[str, ...]

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
        )

    def allows_project(self, normalized: str) -> bool:
        """Say whether the token may publish, yank or delete in the project of this name."""
        return not self.project_patterns or any(
            fnmatchcase(normalized, pattern) for pattern in self.project_patterns
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """An anonymous caller (`user` is None), or a user with or without a token's limits."""

    user: User | None = None
    token: TokenLimits | None = None
    address: str = ""

    @property
    def is_anonymous(self) -> bool:
        """Say whether nobody has signed in."""
        return self.user is None

    @property
    def actor(self) -> Actor:
        """Return the caller as the audit names them."""
        return Actor(
            name=self.user.username if self.user else "anonymous",
            token=self.token.name if self.token else "",
            address=self.address,
        )
