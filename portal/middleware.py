"""What holds for every request: who sent it, to which host, how safely, and when it is answered."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.core.signals import request_finished
from django.db import DataError
from django.http import (
    HttpRequest,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
    UnreadablePostError,
)
from structlog.contextvars import bind_contextvars, unbind_contextvars

from accounts.authentication import CredentialsRefused, signed_in
from accounts.models import Tenant
from base.bodies import body_of
from base.errors import LarderError
from base.hosts import Address, host_of, parse_address
from base.stamps import LEASE_SECONDS
from packages.upstream.identity import remember_via
from portal import pages

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
Middleware = Callable[[HttpRequest], HttpResponseBase]

# Health checks come by whatever address and scheme the process has.
_ABOUT_THE_PROCESS = "/-/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# A form is small; whoever needs longer for one has stopped.
_FORM_SECONDS = 10.0
_MISREAD = (FieldDoesNotExist, OverflowError, ValueError, DataError)
# Scripts and styles come from our own static files; nothing is inline, nothing from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
# No page of ours asks a browser for any of these, and no page of ours lets another's code in.
_NO_DEVICES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def numbered_requests(get_response: GetResponse) -> Middleware:
    """Give each request a number, which its log lines, its answer and an error's page name."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        number = secrets.token_hex(6)
        # Until all is sent: Django tells of a refusal, and a stream of its end, when we are done.
        bind_contextvars(request=number)
        response = get_response(request)
        response.headers["X-Request-Id"] = number
        return response

    request_finished.connect(_forget_request)
    return middleware


def _forget_request(**_: object) -> None:
    """Let nothing that this thread does next, for others, be taken for this request's."""
    unbind_contextvars("request")
    remember_via("")


def trusted_proxies(get_response: GetResponse) -> Middleware:
    """Take the client's address and scheme from the proxies we were told to trust, and no other."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        address = parse_address(request.META.get("REMOTE_ADDR", ""))
        if _is_trusted(address):
            hops = request.headers.get("X-Forwarded-For", "").split(",")
            address = _client_behind(address, hops)
            if request.headers.get("X-Forwarded-Proto", "").lower() == "https":
                request.META["wsgi.url_scheme"] = "https"
        # Only ever an address: it goes into rows and log lines.
        request.META["REMOTE_ADDR"] = str(address or "")
        return get_response(request)

    return middleware


def _client_behind(proxy: Address | None, hops: list[str]) -> Address | None:
    """Return the client: from the nearest hop outwards, the first that is not a proxy of ours.

    What is no address ends the search, and what lies beyond it is hearsay.
    """
    client = proxy
    for hop in reversed(hops):
        address = parse_address(hop)
        if address is None:
            break
        client = address
        if not _is_trusted(address):
            break
    return client


def _is_trusted(address: Address | None) -> bool:
    return address is not None and any(address in network for network in settings.TRUSTED_PROXIES)


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
        own = _encrypted_origin(host_of(request))
        if request.method in _SAFE:
            return HttpResponsePermanentRedirect(own + request.get_full_path())
        return pages.plain(request, 403, f"Use {own}; this address is not encrypted.")

    return middleware


def _encrypted_origin(host: str) -> str:
    """Return where https is for who asked for `host`, which `known_hosts` has let in.

    A tenant's own name stays: without it Artifactory's paths would mean another tenant.
    """
    base = urlsplit(settings.BASE_URL)
    if host in {base.hostname, *settings.LOCAL_HOSTS}:
        return str(settings.BASE_URL)
    return f"https://{host}" + (f":{base.port}" if base.port else "")


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


def safe_headers(get_response: GetResponse) -> Middleware:
    """Tell browsers what an answer may load and do, and who may load it: our own pages alone.

    Django's SecurityMiddleware and XFrameOptionsMiddleware, beside this one, say the rest.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        # Stored files bring a stricter policy of their own.
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", _NO_DEVICES)
        return response

    return middleware


def bodies_read_to_their_end(get_response: GetResponse) -> Middleware:
    """Read what is left of an unsafe request's body, whoever refused it.

    A client that is still sending gets a broken connection in place of the answer, and never
    sees the reason.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        # What Django has read is gone from the stream, and not counted here.
        if request.method not in _SAFE and not hasattr(request, "_body"):
            body_of(request).drain()
        return response

    return middleware


class forms_read_in_time:  # noqa: N801 - a middleware is named like the functions beside it
    """Read the form of a page for people before anything asks for its fields, or give it up.

    Django reads it when the first field is wanted, before it knows who sends it, and waits as long
    as the client likes. What is larger than DATA_UPLOAD_MAX_MEMORY_SIZE is refused unread.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request; Django calls `process_view` before the view."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_: object
    ) -> HttpResponseBase | None:
        """Read the body; views without CSRF protection, the PyPI door's, read their own."""
        if request.method in _SAFE or getattr(view, "csrf_exempt", False):
            return None
        try:
            with body_of(request).ending_within(_FORM_SECONDS):
                whole = len(request.body) >= (body_of(request).left or 0)
        except (UnreadablePostError, ValueError):  # the latter: its length is no number
            whole = False
        return None if whole else pages.error_page(request, 400, "The form did not arrive whole.")


class refusals_as_pages:  # noqa: N801 - as above
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
        if isinstance(exception, LarderError):
            return pages.refusal(request, exception)
        match = request.resolver_match
        is_in_admin = match is not None and match.app_name == "admin"
        has_nul = any("\0" in value for value in request.GET.values())
        is_misread = isinstance(exception, _MISREAD) and request.method in _SAFE
        if is_misread and (is_in_admin or has_nul):
            # Django's admin breaks on queries that none of its links hold: a year without end, a
            # field without a name. PostgreSQL looks for no NUL, whoever asks for one.
            log.warning("a query cannot be read", exc_info=exception)
            return pages.error_page(request, 400, "This address asks for what cannot be.")
        return None


class ended_sessions:  # noqa: N801 - as above
    """Refuse a session that outlived its user's account or password, once, with its page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request; Django calls `process_view` before the view."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *_: object
    ) -> HttpResponseBase | None:
        """Return the refusal's page; None lets the view answer.

        Views without CSRF protection ask for themselves, where the session counts at all. The
        sign-in form takes whoever comes.
        """
        match = request.resolver_match
        is_sign_in = match is not None and match.url_name == "sign-in"
        is_about_the_process = request.path.startswith(_ABOUT_THE_PROCESS)
        if getattr(view, "csrf_exempt", False) or is_sign_in or is_about_the_process:
            return None
        try:
            signed_in(request)
        except CredentialsRefused as refusal:
            return pages.refusal(request, refusal)
        return None
