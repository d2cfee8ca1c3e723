"""Takes from what a token may do, and never adds to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase

from django.core.exceptions import ValidationError

from accounts.models import Token
from base.audit import Actor
from base.stamps import configuring
from repos import configure
from repos.models import Repository

# In these a character stands for other characters than itself and "*".
_MORE_THAN_STARS = frozenset("?[")


def narrow_token(token: Token, repositories: Collection[Repository] | None, *, by: Actor) -> None:
    """Save the smaller limits of `token`; None: it goes on working wherever it did.

    Raises ValidationError when one of them is greater than what is stored by now: somebody may
    have narrowed the token since it was read.
    """
    with configuring():
        held = Token.objects.get(pk=token.pk)
        wider = wider_limits(
            held,
            role=token.role,
            repositories=repositories,
            project_patterns=token.project_patterns,
            expires_at=token.expires_at,
        )
        if names := list(wider):
            raise ValidationError(f"A token is only ever narrowed; this would widen {names[0]}.")
        configure.limit_token(token, repositories, by=by)


def normal_patterns(patterns: Iterable[str]) -> list[str]:
    """Return patterns of projects normalised as their names are. Raises ValidationError."""
    found = []
    for each in patterns:
        if not re.fullmatch(r"[A-Za-z0-9*?._-]+", each):
            raise ValidationError(f"{each} is not a project's name or a pattern like acme-*.")
        found.append(re.sub(r"[-_.]+", "-", each).lower())
    return found


def wider_limits(
    token: Token,
    *,
    role: int,
    repositories: Iterable[Repository] | None,
    project_patterns: Collection[str],
    expires_at: datetime | None,
) -> Iterator[str]:
    """Yield the names of the limits that would let `token` do more than it may."""
    if role > token.role:
        yield "role"
    if not token.all_repositories:
        named = set(token.repositories.values_list("repository_id", flat=True))
        if repositories is None:
            yield "all_repositories"
        elif not {each.pk for each in repositories} <= named:
            yield "repositories"
    if token.project_patterns and not _within(project_patterns, token.project_patterns):
        yield "project_patterns"
    if token.expires_at is not None and (expires_at is None or expires_at > token.expires_at):
        yield "expires_at"


def _within(patterns: Collection[str], held: Collection[str]) -> bool:
    """Say whether each of `patterns` names only what one of `held` names; none names all."""
    return bool(patterns) and all(any(_covers(old, new) for old in held) for new in patterns)


def _covers(old: str, new: str) -> bool:
    """Say whether all that `new` matches is matched by `old`; where in doubt, that it is not.

    The star of `old` also takes the stars and question marks that stand in `new`.
    """
    return old == new or (_MORE_THAN_STARS.isdisjoint(old) and fnmatchcase(new, old))
