"""What holds for every request: who sent it, to which host, how safely, and when it is answered."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
)

from accounts.models import Tenant
from base.bodies import body_of
from base.errors import LarderError
from base.hosts import host_of
from base.stamps import LEASE_SECONDS
from portal import pages

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Middleware = Callable[[HttpRequest], HttpResponseBase]

# Health checks come by whatever address and scheme the process has.
_ABOUT_THE_PROCESS = "/-/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Scripts and styles come from our own static files; nothing is inline, nothing from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


def trusted_proxies(get_response: GetResponse) -> Middleware:
    """Take the client's address and scheme from the proxies we were told to trust, and no other."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if _is_trusted(request.META.get("REMOTE_ADDR", "")):
            hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
            # From the nearest hop outwards: the first that is not ours is the client.
            for hop in reversed([hop for hop in hops if hop]):
                request.META["REMOTE_ADDR"] = hop
                if not _is_trusted(hop):
                    break
            if request.headers.get("X-Forwarded-Proto", "").lower() == "https":
                request.META["wsgi.url_scheme"] = "https"
        return get_response(request)

    return middleware


def _is_trusted(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.TRUSTED_PROXIES)


def known_hosts(get_response: GetResponse) -> Middleware:
    """Refuse a request for a host name that is neither ours nor a tenant's."""
    own = {urlsplit(settings.BASE_URL).hostname or "", *settings.LOCAL_HOSTS}

    def middleware(request: HttpRequest) -> HttpResponseBase:
        host = host_of(request)
        if (
            request.path.startswith(_ABOUT_THE_PROCESS)
            or host in own
            or Tenant.objects.filter(host_name=host).exists()
        ):
            return get_response(request)
        return pages.plain(
            request,
            400,
            "This host name is not Larder's. Set LARDER_BASE_URL to the address you use, "
            "or give the host name to a tenant.",
        )

    return middleware


def https_only(get_response: GetResponse) -> Middleware:
    """Where Larder is reached by https, send reads there and refuse everything else.

    A redirected POST loses its body in some clients, which then report success.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        is_plain = settings.BASE_URL.startswith("https://") and not request.is_secure()
        if not is_plain or request.path.startswith(_ABOUT_THE_PROCESS):
            return get_response(request)
        if request.method in _SAFE:
            return HttpResponsePermanentRedirect(settings.BASE_URL + request.get_full_path())
        return pages.plain(request, 403, f"Use {settings.BASE_URL}; this address is not encrypted.")

    return middleware


def answers_after_the_lease(get_response: GetResponse) -> Middleware:
    """Hold back the answer to an unsafe request until the lease since its last commit is over.

    Whoever has the answer then knows that every process has stopped serving the old state.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method not in _SAFE:
            time.sleep(LEASE_SECONDS)
        return response

    return middleware


def content_security_policy(get_response: GetResponse) -> Middleware:
    """Let a page load our own scripts, styles and pictures, and nothing else."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        return response

    return middleware


def bodies_read_to_their_end(get_response: GetResponse) -> Middleware:
    """Read what is left of an unsafe request's body, whoever refused it.

    A client that is still sending gets a broken connection in place of the answer, and never
    sees the reason.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        # What Django's own form parser has read is gone from the stream, and not counted here.
        if request.method not in _SAFE and not hasattr(request, "_post"):
            body_of(request).drain()
        return response

    return middleware


class refusals_as_pages:  # noqa: N801 - a middleware is named like the functions beside it
    """Show a refusal to people as a page with the same sentence that a terminal gets."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request; Django calls `process_exception` when a view refuses."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Return the page of a refusal; other exceptions go on to Django."""
        return pages.refusal(request, exception) if isinstance(exception, LarderError) else None
