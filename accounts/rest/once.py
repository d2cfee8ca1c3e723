"""Idempotency-Key: what makes something is done once, however often a client sends it.

docs/decisions/0012 says how keys are kept, for how long, and whose they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import kept_answers
from accounts.models import KeptAnswer, User
from accounts.rest.callers import principal_of
from base import clock
from base.errors import InvalidInput, LarderError

_KEY = re.compile(r"[!-~]{1,200}")


class KeyRefused(InvalidInput):
    """An Idempotency-Key that is none."""


class KeyUsed(LarderError):
    """The key was used for something else, or for something that is told once."""


def once(request: Request, make: Callable[[], Response], *, is_secret: bool = False) -> Response:
    """Return what `make` answers; what it answered before, where the key says it is sent again.

    The key is kept in the transaction that makes the thing: both are there, or neither.
    `is_secret`: the answer holds a secret, and is not kept.
    """
    key = request.headers.get("Idempotency-Key", "")
    user = principal_of(request).user
    if not key or user is None:
        return make()
    if not _KEY.fullmatch(key):
        raise KeyRefused("An Idempotency-Key has 1 to 200 characters of ASCII, without spaces.")
    digest = _digest(request)
    kept_answers.forget()
    with transaction.atomic():
        row = _new_row(user, key, digest)
        if row is None:
            return _again(KeptAnswer.objects.get(user=user, key=key), digest)
        response = make()
        row.status = response.status_code
        if not is_secret:
            row.body = JSONRenderer().render(response.data).decode()
            row.etag = response.headers.get("ETag", "")
        row.save(update_fields=["status", "body", "etag"])
    return response


def _new_row(user: User, key: str, digest: str) -> KeptAnswer | None:
    """Return the row of a key that is new; None where it was used. A second sender waits here."""
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(user=user, key=key, digest=digest, made_at=clock.now())
    except IntegrityError:
        return None


def _again(row: KeptAnswer, digest: str) -> Response:
    if row.digest != digest:
        raise KeyUsed("This Idempotency-Key was used for another request. Take a new one.")
    if not row.body:
        raise KeyUsed("This was done before, and its secret was shown then. It is not shown again.")
    headers = {"Idempotency-Replayed": "true"} | ({"ETag": row.etag} if row.etag else {})
    return Response(json.loads(row.body), status=row.status, headers=headers)


def _digest(request: Request) -> str:
    """Return a digest that tells requests apart, and their senders' tokens and logins.

    A password is among what is sent, so nobody without the installation's key is to try some.
    """
    token = principal_of(request).token
    sender = None if token is None else [token.token_id, token.login_id]
    said = [request.method, request.get_full_path(), request.data, sender]
    text = json.dumps(said, sort_keys=True, default=str)
    return salted_hmac("accounts.rest.once", text, algorithm="sha256").hexdigest()
