"""Turns Django's requests into Asks and Answers into its responses, for each door of clients."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)

from accounts.authentication import signed_in
from accounts.models import Tenant
from base import bodies
from base.connections import give_back
from base.hosts import host_of
from packages.upstream.identity import came_full_circle, remember_via
from pypi.answer import SAFE_METHODS, Answer, Ask
from pypi.errors import FromAnotherSite, LoopDetected

_STREAM_BLOCK = 1024 * 1024


def ask_of(request: HttpRequest, tenant: str, key: str, scope: str = "") -> Ask:
    """Return what `request` asks of the repository `tenant/key`."""
    return Ask(
        knows_chunks=request.META.get("SERVER_PROTOCOL") != "HTTP/1.0",
        method=request.method or "",
        tenant=tenant,
        key=key,
        scope=scope,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.GET.dict(),
        address=request.META.get("REMOTE_ADDR", ""),
        url=request.build_absolute_uri(),
        body=bodies.body_of(request),
        signed_in=lambda: signed_in(request),
    )


def tenant_of_host(request: HttpRequest) -> str:
    """Return the tenant that owns the host name of `request`, else the default one.

    For the URL forms that name no tenant: Artifactory's and Artifact Keeper's.
    """
    owner = Tenant.objects.filter(host_name=host_of(request)).first()
    return owner.slug if owner else settings.DEFAULT_TENANT


def refuse_wrong_ways(ask: Ask) -> None:
    """Refuse what another site's page sends, and what has been here before."""
    if ask.method not in SAFE_METHODS and ask.is_from_another_site:
        raise FromAnotherSite("This is not taken from a page of another site.")
    _refuse_a_circle(ask)


def _refuse_a_circle(ask: Ask) -> None:
    """RFC 9110, Via: an index that is its own upstream would ask itself for ever."""
    via = ask.header("via")
    if via and came_full_circle(via):
        raise LoopDetected("This request has been here before: an upstream leads back to Larder.")
    remember_via(via)


def response_of(ask: Ask, answer: Answer) -> HttpResponseBase:
    """Return the response that sends `answer` to whoever sent `ask`."""
    response: HttpResponseBase
    if answer.stream is not None:
        give_back()
        response = FileResponse(answer.stream)
        response.block_size = _STREAM_BLOCK
    elif answer.status == HTTPStatus.NOT_MODIFIED:
        # RFC 9110: a length here would be that of the body which the caller has. Django adds its
        # own, 0, to whatever is no stream.
        response = StreamingHttpResponse(())
    else:
        response = HttpResponse(b"" if ask.method == "HEAD" else answer.body)
        answer.headers.setdefault("Content-Length", str(len(answer.body)))
    del response.headers["Content-Type"]
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.status_code = answer.status
    if answer.reason is not None:
        response.reason_phrase = answer.reason
    return response
