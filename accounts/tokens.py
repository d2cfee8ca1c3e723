"""Makes tokens and finds them again.

A token reads `lrd_` + 8 characters that find its row + 43 random ones (256 bits) + 6 of
checksum, all base 62. The prefix and the checksum let secret scanners recognise it without
asking us. What is stored is a SHA-256: the secret is random, so nothing slower is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Login, Membership, PublishingToken, Token
from accounts.roles import Role
from base import audit, clock
from base.audit import Actor
from base.errors import LarderError
from base.stamps import configuring, move_access

Narrowing = Callable[[Token], None]

PREFIX = "lrd_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_IDENTIFIER_LENGTH = 8
_SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6
_BODY_LENGTH = _IDENTIFIER_LENGTH + _SECRET_LENGTH
_LENGTH = len(PREFIX) + _BODY_LENGTH + _CHECKSUM_LENGTH

# What an unknown identifier's secret is compared with, so that it costs what a known one's does.
_NO_DIGEST = "0" * 64


class TokenMissing(LarderError):
    """The caller has no such token; whether somebody else has is not told."""


def create(  # noqa: PLR0913 - a token has this many limits
    *,
    membership: Membership,
    name: str,
    by: Actor,
    role: Role = Role.WRITER,
    all_repositories: bool = True,
    project_patterns: tuple[str, ...] = (),
    expires_at: datetime | None = None,
    narrow: Narrowing | None = None,
) -> tuple[Token, str]:
    """Make a token and return it with its secret, which is shown now and never again.

    `narrow` writes what else limits it (`repos.configure`: the repositories), before the audit.
    """
    identifier, secret = new_secret(PREFIX)
    token = Token(
        membership=membership,
        name=name,
        identifier=identifier,
        digest=digest_of(secret),
        role=role,
        all_repositories=all_repositories,
        project_patterns=list(project_patterns),
        created_at=clock.now(),
        expires_at=expires_at,
    )
    with transaction.atomic():
        token.full_clean()
        token.save()
        if narrow is not None:
            narrow(token)
        after = {"owner": membership.user.username} | limits_of(token)
        _record(token, "token.create", by, after=after)
    return token, secret


def change(token: Token, *, by: Actor, narrow: Narrowing | None = None) -> None:
    """Save changed limits of `token`; `narrow` as for `create`."""
    with configuring():
        before = limits_of(Token.objects.get(pk=token.pk))
        token.full_clean()
        # These alone: what happened to the token meanwhile (revoked, used) stays.
        token.save(
            update_fields=["name", "role", "all_repositories", "project_patterns", "expires_at"]
        )
        if narrow is not None:
            narrow(token)
        move_access()
        _record(token, "token.change", by, before=before, after=limits_of(token))


def revoke(token: Token, *, by: Actor) -> None:
    """Make `token` useless from the next request on, in every process."""
    now = clock.now()
    with configuring():
        if not Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now):
            raise ValidationError("This token is revoked already.")
        token.revoked_at = now
        move_access()
        before, after = {"revoked_at": None}, {"revoked_at": now}
        _record(token, "token.revoke", by, before=before, after=after)


def limits_of(token: Token) -> dict[str, object]:
    """Return what `token` may do, as the audit says it."""
    named = token.repositories.select_related("repository__tenant")
    return {
        "name": token.name,
        "role": Role(token.role).label,
        "repositories": (
            "all" if token.all_repositories else sorted(str(each.repository) for each in named)
        ),
        "project_patterns": token.project_patterns,
        "expires_at": token.expires_at,
    }


def looks_like_one(text: str) -> bool:
    """Say whether `text` has a token's prefix; its owner means it as one, even if mistyped."""
    return text.startswith(PREFIX)


def find(secret: str) -> Token | None:
    """Return the living token that `secret` belongs to, with its owner and tenant; else None."""
    identifier = identifier_in(secret)
    if identifier is None:
        return None
    token = living().filter(identifier=identifier).first()
    return token if is_secret_of(token, secret) else None


def new_secret(prefix: str) -> tuple[str, str]:
    """Return what finds the row of a new secret, and the secret."""
    identifier = _random(_IDENTIFIER_LENGTH)
    body = identifier + _random(_SECRET_LENGTH)
    return identifier, prefix + body + _checksum(body)


def identifier_in(secret: str) -> str | None:
    """Return what finds the row of `secret`; None where it is mistyped."""
    body = secret[len(PREFIX) : len(PREFIX) + _BODY_LENGTH]
    is_plain = len(secret) == _LENGTH and body.isascii() and body.isalnum()
    if not is_plain or secret[len(PREFIX) + _BODY_LENGTH :] != _checksum(body):
        return None
    return body[:_IDENTIFIER_LENGTH]


def is_secret_of(row: Token | Login | PublishingToken | None, secret: str) -> bool:
    """Say whether `secret` belongs to the row that was found for it; in the same time for none."""
    stored = row.digest if row is not None else _NO_DIGEST
    return hmac.compare_digest(stored, digest_of(secret))


def digest_of(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def living() -> QuerySet[Token]:
    """Return the tokens that work now, with their owners and tenants."""
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    return Token.objects.select_related("membership__user", "membership__tenant").filter(
        unexpired, revoked_at__isnull=True, membership__user__is_active=True
    )


def _record(
    token: Token,
    action: str,
    by: Actor,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        by=by,
        action=action,
        tenant=token.membership.tenant.slug,
        subject=str(token),
        before=before,
        after=after,
    )


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits
