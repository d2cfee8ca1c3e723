"""Makes the tokens by which CI publishes, and finds them again (docs/decisions/0014).

They look as tokens do, with a prefix of their own, and are no member's: what each is for hangs on
it (`repos.publishers`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet

from accounts import tokens
from accounts.models import Issuer, PublishingToken, UsedAssertion
from base import clock

PREFIX = "lrp_"
LASTS = timedelta(minutes=15)
# After its end: so long its publishers can be asked what it was used for.
KEPT_FOR = timedelta(days=1)


def audience() -> str:
    """Return whom what CI shows must be for: this installation and no other."""
    return urlsplit(settings.BASE_URL).netloc.lower()


def what_http_costs() -> str:
    """Return what becomes of clients where they are sent by http; empty where it is https."""
    if urlsplit(settings.BASE_URL).scheme == "https":
        return ""
    return (
        f"LARDER_BASE_URL is {settings.BASE_URL}. uv and GitHub's publishing action ask by https "
        "alone; PDM and scripts ask by http, where whoever listens can use what they send and get."
    )


def create(*, issuer: Issuer, name: str, said: Mapping[str, str]) -> tuple[PublishingToken, str]:
    """Make a token and return it with its secret, which is shown now and never again.

    `said` is what is kept of CI with what the token publishes.
    """
    identifier, secret = tokens.new_secret(PREFIX)
    now = clock.now()
    token = PublishingToken.objects.create(
        issuer=issuer,
        name=name,
        said=dict(said),
        identifier=identifier,
        digest=tokens.digest_of(secret),
        created_at=now,
        # PEP 807: never less than fifteen minutes, and told in whole seconds.
        expires_at=datetime.fromtimestamp(math.ceil((now + LASTS).timestamp()), UTC),
    )
    return token, secret


def looks_like_one(text: str) -> bool:
    """Say whether `text` has the prefix of these tokens."""
    return text.startswith(PREFIX)


def find(secret: str) -> PublishingToken | None:
    """Return the living token that `secret` belongs to; else None."""
    return _of(secret, living())


def was_one(secret: str) -> bool:
    """Say whether `secret` is of a token that has ended: no guess, but a job that took too long."""
    return _of(secret, PublishingToken.objects.all()) is not None


def _of(secret: str, rows: QuerySet[PublishingToken]) -> PublishingToken | None:
    identifier = tokens.identifier_in(secret) if looks_like_one(secret) else None
    if identifier is None:
        return None
    token = rows.filter(identifier=identifier).first()
    return token if tokens.is_secret_of(token, secret) else None


def living() -> QuerySet[PublishingToken]:
    """Return the tokens that work now."""
    return PublishingToken.objects.filter(
        expires_at__gt=clock.now(), burnt_at__isnull=True, issuer__is_active=True
    )


def burn(token: PublishingToken) -> bool:
    """Make `token` useless from now on, and say whether it was of use until now."""
    return bool(living().filter(pk=token.pk).update(burnt_at=clock.now()))


def burn_all(issuer: Issuer) -> None:
    """Make the tokens useless that `issuer` led to."""
    issuer.tokens.filter(burnt_at__isnull=True).update(burnt_at=clock.now())


def use_up(*, issuer: Issuer, digest: str, until: datetime) -> bool:
    """Remember that an assertion was used, and say whether it is the first time.

    Of several who say so at once, the unique constraint lets one be the first; the others wait
    for its transaction.
    """
    _, is_first = UsedAssertion.objects.get_or_create(
        issuer=issuer, digest=digest, defaults={"until": until}
    )
    return is_first


def forget() -> int:
    """Remove tokens that ended long ago and assertions that nobody takes any more."""
    now = clock.now()
    ended = PublishingToken.objects.filter(expires_at__lte=now - KEPT_FOR)
    gone = ended.count()
    ended.delete()
    return gone + UsedAssertion.objects.filter(until__lte=now).delete()[0]
