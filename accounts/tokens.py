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
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Membership, Token
from accounts.roles import Role
from base import audit, clock, stamps
from base.audit import Actor

PREFIX = "lrd_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_IDENTIFIER_LENGTH = 8
_SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6
_BODY_LENGTH = _IDENTIFIER_LENGTH + _SECRET_LENGTH
_LENGTH = len(PREFIX) + _BODY_LENGTH + _CHECKSUM_LENGTH

# A token's last use is written at most this often.
_LAST_USE_EVERY = timedelta(minutes=1)


def create(  # noqa: PLR0913 - a token has this many limits
    *,
    membership: Membership,
    name: str,
    by: Actor,
    role: Role = Role.WRITER,
    all_repositories: bool = True,
    project_patterns: tuple[str, ...] = (),
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Make a token and return it with its secret, which is shown now and never again."""
    identifier = _random(_IDENTIFIER_LENGTH)
    body = identifier + _random(_SECRET_LENGTH)
    secret = PREFIX + body + _checksum(body)
    token = Token(
        membership=membership,
        name=name,
        identifier=identifier,
        digest=_digest(secret),
        role=role,
        all_repositories=all_repositories,
        project_patterns=list(project_patterns),
        created_at=clock.now(),
        expires_at=expires_at,
    )
    token.full_clean()
    with transaction.atomic():
        token.save()
        audit.record(
            by=by,
            action="token.create",
            tenant=membership.tenant.slug,
            subject=str(token),
            after={"owner": membership.user.username, "role": role.label},
        )
    return token, secret


def change(token: Token, *, by: Actor) -> None:
    """Save changed limits of `token`."""
    token.full_clean()
    with transaction.atomic():
        # These alone: what happened to the token meanwhile (revoked, used) stays.
        token.save(
            update_fields=["name", "role", "all_repositories", "project_patterns", "expires_at"]
        )
        stamps.move_access()
        audit.record(
            by=by,
            action="token.change",
            tenant=token.membership.tenant.slug,
            subject=str(token),
            after={"role": Role(token.role).label},
        )


def revoke(token: Token, *, by: Actor) -> None:
    """Make `token` useless from the next request on, in every process."""
    if token.revoked_at is not None:
        raise ValidationError("This token is revoked already.")
    with transaction.atomic():
        token.revoked_at = clock.now()
        token.save(update_fields=["revoked_at"])
        stamps.move_access()
        audit.record(
            by=by,
            action="token.revoke",
            tenant=token.membership.tenant.slug,
            subject=str(token),
        )


def looks_like_one(text: str) -> bool:
    """Say whether `text` has a token's prefix; its owner means it as one, even if mistyped."""
    return text.startswith(PREFIX)


def find(secret: str) -> Token | None:
    """Return the living token that `secret` belongs to, with its owner and tenant; else None."""
    body = secret[len(PREFIX) : len(PREFIX) + _BODY_LENGTH]
    is_plain = len(secret) == _LENGTH and body.isascii() and body.isalnum()
    if not is_plain or secret[len(PREFIX) + _BODY_LENGTH :] != _checksum(body):
        return None
    token = living().filter(identifier=body[:_IDENTIFIER_LENGTH]).first()
    if token is None or not hmac.compare_digest(token.digest, _digest(secret)):
        return None
    return token


def living() -> QuerySet[Token]:
    """Return the tokens that work now, with their owners and tenants."""
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    return Token.objects.select_related("membership__user", "membership__tenant").filter(
        unexpired, revoked_at__isnull=True, membership__user__is_active=True
    )


def note_use(token: Token) -> None:
    """Write down that `token` was used, at most once a minute."""
    now = clock.now()
    stale = now - _LAST_USE_EVERY
    if token.last_used_at is None or token.last_used_at <= stale:
        # Conditional, so that many processes using one token write once.
        Token.objects.filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lte=stale), pk=token.pk
        ).update(last_used_at=now)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits
