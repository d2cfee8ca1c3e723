"""Puts the answer functions behind Django: a request becomes an Ask, an Answer a response."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts.authentication import signed_in
from accounts.models import Tenant
from accounts.roles import Role
from base import bodies
from base.errors import LarderError
from base.hosts import host_of
from packages.index.base import ProjectNotFound
from packages.views import repository_page
from pypi import files, legacy_json, simple, upload
from pypi.answer import SAFE_METHODS, Answer, Ask
from pypi.errors import MethodNotAllowed, answer_for
from repos.access import require

AnswerFunction = Callable[..., Answer]
DjangoView = Callable[..., HttpResponseBase]

_STREAM_BLOCK = 1024 * 1024


def _reading(function: AnswerFunction) -> DjangoView:
    """Return the Django view of a URL that is only read."""

    @csrf_exempt  # what refuses a POST here is its method, not a missing form token
    def view(
        request: HttpRequest, *, tenant: str = "", key: str = "", **parts: str
    ) -> HttpResponseBase:
        ask = _ask(request, tenant, key)
        try:
            if ask.method not in SAFE_METHODS:
                # uv turns this status into "are you using the simple index URL?", which is so.
                raise MethodNotAllowed(
                    "This URL is only read. Upload to the repository's own, "
                    f"/{ask.tenant}/{ask.key}/."
                )
            answer = function(ask, **parts)
        except LarderError as error:
            answer = answer_for(error, ask)
        return _response(ask, answer)

    return view


project_list = _reading(simple.project_list)
project_page = _reading(simple.project_page)


def no_such_index(request: HttpRequest, *, name: str, rest: str) -> HttpResponseBase:  # noqa: ARG001
    """Answer for an index URL that leads nowhere: mistyped, or below a repository that is there."""
    tenant, _, key = name.partition("/") if name.isprintable() else ("", "", "")
    # "-" is nobody's name: such a URL is answered as one of another tenant.
    ask = _ask(request, tenant or "-", key or "-")
    try:
        repository = require(ask.principal, ask.tenant, ask.key, Role.READER)
    except LarderError as error:
        return _response(ask, answer_for(error, ask))
    refusal = ProjectNotFound(f"There is no such page in {repository}.")
    return _response(ask, answer_for(refusal, ask))


beside_the_index = _reading(simple.beside_the_index)
file = _reading(files.file)
project_json = _reading(legacy_json.project_json)


@csrf_exempt  # uploads show their own credentials; the session cookie counts for nothing here
def repository_root(request: HttpRequest, *, tenant: str = "", key: str = "") -> HttpResponseBase:
    """Serve the repository's own URL: its page to people, uploads and pip search to clients."""
    ask = _ask(request, tenant, key)
    if ask.method == "POST":
        return _response(ask, upload.post(ask))
    if ask.method in SAFE_METHODS:
        return repository_page(request, ask.tenant, ask.key)
    refusal = MethodNotAllowed("This URL takes GET and POST.", allowed="GET, HEAD, POST")
    return _response(ask, answer_for(refusal, ask))


def _ask(request: HttpRequest, tenant: str, key: str) -> Ask:
    """Return what `request` asks of a repository, whichever form of URL named it."""
    default_tenant, default_key = settings.DEFAULT_REPOSITORY
    if not key:  # /pypi/...: the installation's default repository
        tenant, key = default_tenant, default_key
    return Ask(
        method=request.method or "",
        tenant=tenant or _tenant_of_host(request),
        key=key,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.GET.dict(),
        address=request.META.get("REMOTE_ADDR", ""),
        url=request.build_absolute_uri(),
        body=bodies.body_of(request),
        signed_in=lambda: signed_in(request),
    )


def _tenant_of_host(request: HttpRequest) -> str:
    """Return the tenant that owns the host name of `request`, else the default one.

    For the URL forms that name no tenant: Artifactory's and Artifact Keeper's.
    """
    owner = Tenant.objects.filter(host_name=host_of(request)).first()
    return owner.slug if owner else settings.DEFAULT_TENANT


def _response(ask: Ask, answer: Answer) -> HttpResponseBase:
    response: HttpResponseBase
    if answer.stream is not None:
        # A long download must not hold a database connection.
        if not connection.in_atomic_block:
            connection.close()
        response = FileResponse(answer.stream)
        response.block_size = _STREAM_BLOCK
    else:
        response = HttpResponse(b"" if ask.method == "HEAD" else answer.body)
        if answer.status != 304:  # noqa: PLR2004 - it speaks of no body
            answer.headers.setdefault("Content-Length", str(len(answer.body)))
    del response.headers["Content-Type"]
    for name, value in answer.headers.items():
        response.headers[name] = value
    response.status_code = answer.status
    if answer.reason is not None:
        response.reason_phrase = answer.reason
    return response
