"""The exchange by which CI gets a token to publish with, as clients of the public index do it.

They ask at the root of the host, whatever the path of the repository. What refuses has `errors`,
each with a code and a description: twine and GitHub's action look there, whatever the status.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from accounts import publishing
from accounts.assertions import AssertionRefused, IssuerAway, issuer_named_in, verified
from accounts.models import Issuer
from accounts.throttle import FailuresUncounted, TooManyFailures, count_exchange
from base import clock
from base.bodies import BodyBroken
from base.errors import LarderError
from packages.filenames import shown
from packages.issuer_keys import keys_of
from pypi.answer import SAFE_METHODS, Answer, Ask
from pypi.errors import (
    FromAnotherSite,
    LoopDetected,
    MethodNotAllowed,
    reason_phrase,
    status_of,
)
from pypi.wrapping import ask_of, refuse_wrong_ways, response_of
from repos import publishers

_BODY_AT_MOST = 32 * 1024
_AUDIENCE_URL, _MINT_URL = "/_/oidc/audience", "/_/oidc/mint-token"
# PEP 807: a token is good for all files of a release.
_FEATURES = frozenset({"multi-use-token"})
_PYTP = "application/vnd.pypi.pytp.v1+json"
_PROBLEM = "application/problem+json"

View = Callable[[HttpRequest], HttpResponseBase]


class NotEnabled(LarderError):
    """Nobody has added an issuer."""


def _door(answer: Callable[[Ask], Answer], *methods: str) -> View:
    """Return the view of one step, whose refusals clients can read as well."""

    @csrf_exempt  # whoever calls shows what counts in the body; a cookie counts for nothing
    def view(request: HttpRequest) -> HttpResponseBase:
        ask = ask_of(request, "", "")
        try:
            refuse_wrong_ways(ask)
            if ask.method not in methods:
                raise MethodNotAllowed(
                    f"This URL takes {' and '.join(methods)}.", allowed=", ".join(methods)
                )
            given = answer(ask)
        except LarderError as error:
            given = _refusal(error)
        return response_of(ask, given)

    return view


def _audience(_ask: Ask) -> Answer:
    if not Issuer.objects.filter(is_active=True).exists():
        raise NotEnabled("Trusted publishing is not set up here: an administrator adds an issuer.")
    return _json({"audience": publishing.audience()})


def _mint(ask: Ask) -> Answer:
    """Answer with a token; of what is refused too often from one address, say no more why."""
    try:
        minted = _exchanged(ask)
    except IssuerAway:
        raise  # not the fault of who asks
    except AssertionRefused:
        with suppress(FailuresUncounted):  # it is refused, counted or not
            count_exchange(address=ask.address)
        raise
    expires = int(minted.token.expires_at.timestamp())
    return _json({"success": True, "message": "", "token": minted.secret, "expires": expires})


def _exchanged(ask: Ask) -> publishers.Minted:
    said = _said_in(ask)
    shown_token = _token_in(said)
    if not _FEATURES.issuperset(_features_in(said)):
        told = "Only tokens that can be used more than once are made here (features)."
        raise AssertionRefused(told, code="invalid-payload")
    url = issuer_named_in(shown_token)
    issuer = Issuer.objects.filter(url=url).first() if url.isprintable() else None
    if issuer is None:
        raise AssertionRefused(f"{shown(url)} is no issuer that an administrator added here.")
    if not issuer.is_active:
        raise AssertionRefused(f"{issuer} vouches for nobody here now: it is switched off.")
    assertion = verified(
        shown_token,
        issuer=issuer.url,
        audience=publishing.audience(),
        key_of=keys_of(issuer),
        now=clock.now(),
    )
    return publishers.mint(issuer=issuer, assertion=assertion, address=ask.address)


def _burn(ask: Ask) -> Answer:
    # Alike for each: whether there is such a token is nobody's to ask.
    publishers.burn(_token_in(_said_in(ask)), address=ask.address)
    return _json({"success": True})


def _discover(ask: Ask) -> Answer:
    """PEP 807: say where the exchange is for an upload URL, be the repository there or not."""
    try:
        is_known = resolve(ask.query.get("discover", "")).url_name == "repository"
    except Resolver404:
        is_known = False
    if not is_known or not Issuer.objects.filter(is_active=True).exists():
        problem = {"status": 404, "title": "No trusted publishing for this path"}
        return _json(problem, status=HTTPStatus.NOT_FOUND, kind=_PROBLEM)
    url = urlsplit(ask.url)
    root = f"{url.scheme}://{url.netloc}"
    found = {"audience-endpoint": root + _AUDIENCE_URL, "token-mint-endpoint": root + _MINT_URL}
    features = sorted(_FEATURES)
    return _json(found | {"features": features, "default-features": features}, kind=_PYTP)


def _said_in(ask: Ask) -> Mapping[str, object]:
    try:
        said = json.loads(ask.body.whole(at_most=_BODY_AT_MOST))
    except BodyBroken as broken:
        raise AssertionRefused(broken.sentence, code="invalid-payload") from None
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {}


def _features_in(said: Mapping[str, object]) -> list[str]:
    """PEP 807: what kind of token is asked for."""
    asked = said.get("features", [])
    return [str(each) for each in asked] if isinstance(asked, list) else [str(asked)]


def _token_in(said: Mapping[str, object]) -> str:
    token = said.get("token")
    if not isinstance(token, str) or not token:
        raise AssertionRefused('Send JSON: {"token": "..."}.', code="invalid-payload")
    return token


def _refusal(error: LarderError) -> Answer:
    match error:
        case IssuerAway():
            status, code = HTTPStatus.SERVICE_UNAVAILABLE, error.code
        case AssertionRefused():
            status, code = HTTPStatus.UNPROCESSABLE_ENTITY, error.code
        case NotEnabled():
            status, code = HTTPStatus.NOT_FOUND, "not-enabled"
        case TooManyFailures():
            status, code = HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests"
        case FromAnotherSite() | LoopDetected() | MethodNotAllowed():
            status, code = HTTPStatus(status_of(error)), "invalid-payload"
        case _:
            raise error
    told = {"code": code, "description": error.sentence}
    # PEP 807: as RFC 9457 says. The rest is what today's clients look for.
    problem = {"status": status.value, "title": status.phrase, "detail": error.sentence}
    answer = _json(problem | {"message": error.sentence, "errors": [told]}, status=status)
    answer.reason = reason_phrase(error.sentence)
    if isinstance(error, TooManyFailures):
        answer.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, MethodNotAllowed):
        answer.headers["Allow"] = error.allowed
    return answer


def _json(
    said: Mapping[str, object],
    *,
    status: HTTPStatus = HTTPStatus.OK,
    kind: str = "application/json",
) -> Answer:
    headers = {"Content-Type": kind, "Cache-Control": "no-store"}
    return Answer(status=status, headers=headers, body=json.dumps(said).encode())


audience_page = _door(_audience, *sorted(SAFE_METHODS))
mint_token = _door(_mint, "POST")
burn_token = _door(_burn, "POST")
discovery = _door(_discover, *sorted(SAFE_METHODS))
