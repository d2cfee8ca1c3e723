"""Puts the answer functions behind Django: a request becomes an Ask, an Answer a response."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from base.errors import LarderError
from packages.pages.repository import repository_page
from pypi import files, legacy_json, simple, upload
from pypi.answer import SAFE_METHODS, Answer, Ask
from pypi.errors import MethodNotAllowed, answer_for
from pypi.hot_lane import known_caller, offer
from pypi.search import is_search, search
from pypi.wrapping import ask_of, refuse_wrong_ways, response_of, tenant_of_host
from repos import client_calls

AnswerFunction = Callable[..., Answer]
DjangoView = Callable[..., HttpResponseBase]


def _reading(function: AnswerFunction) -> DjangoView:
    """Return the Django view of a URL that is only read."""

    @csrf_exempt  # what refuses a POST here is its method, not a missing form token
    def view(
        request: HttpRequest, *, tenant: str = "", key: str = "", scope: str = "", **parts: str
    ) -> HttpResponseBase:
        ask = _ask(request, tenant, key, scope)
        if (caller := known_caller(request.META)) is not None:
            ask.is_from(replace(caller.principal, address=ask.address))
            if caller.repository is not None:
                ask.is_let_in_to(caller.repository)
        read = function if ask.method in SAFE_METHODS else _only_read
        return _answered(request, ask, read, **parts)

    return view


project_list = _reading(simple.project_list)
project_page = _reading(simple.project_page)
file = _reading(files.file)
unlisted_file = _reading(files.unlisted)
project_json = _reading(legacy_json.project_json)
_no_such_page = _reading(simple.no_such_page)


@csrf_exempt  # as above
def no_such_index(request: HttpRequest, *, name: str, rest: str) -> HttpResponseBase:
    """Answer for an index URL that leads nowhere: mistyped, or below a repository that is there."""
    tenant, _, key = name.partition("/")
    # "-" is nobody's name. What cannot be printed is not even looked for.
    tenant, key = (part if part and part.isprintable() else "-" for part in (tenant, key))
    return _no_such_page(request, tenant=tenant, key=key, rest=rest)


@csrf_exempt  # uploads show their own credentials; the session cookie counts for nothing here
def repository_root(request: HttpRequest, *, tenant: str = "", key: str = "") -> HttpResponseBase:
    """Serve the repository's own URL: its page to people, uploads and pip search to clients."""
    ask = _ask(request, tenant, key)
    if ask.method in SAFE_METHODS:
        return repository_page(request, ask.tenant, ask.key)
    return _answered(
        request, ask, upload.post if ask.method == "POST" else _only_read_and_posted_to
    )


@csrf_exempt  # as above
def below_the_root(
    request: HttpRequest, *, tenant: str = "", key: str = "", project: str
) -> HttpResponseBase:
    """Serve what is a project's name by mistake, or a scope of one segment, to be searched."""
    ask = _ask(request, tenant, key, scope=project)
    if ask.method == "POST" and is_search(ask):
        return _answered(request, ask, search)
    return _answered(
        request, ask, simple.beside_the_index if ask.method in SAFE_METHODS else _only_read
    )


@csrf_exempt  # as above
def scope_root(
    request: HttpRequest, *, tenant: str = "", key: str = "", scope: str
) -> HttpResponseBase:
    """Serve a scope's own URL: pip search is posted there, and nothing else is there."""
    ask = _ask(request, tenant, key, scope)
    if ask.method != "POST" or not is_search(ask):
        raise Http404
    return _answered(request, ask, search)


def _answered(
    request: HttpRequest, ask: Ask, function: AnswerFunction, **parts: str
) -> HttpResponseBase:
    """Return what `function` answers, or the refusal that kept it from answering."""
    try:
        refuse_wrong_ways(ask)
        answer = function(ask, **parts)
    except LarderError as error:
        _note_call(ask, parts, refusal=error.sentence)
        answer = answer_for(error, ask)
    else:
        _note_call(ask, parts)
    offer(request.META, ask, answer)
    return response_of(ask, answer)


def _note_call(ask: Ask, parts: dict[str, str], refusal: str = "") -> None:
    """Remember the call of a client that said who it is, for whoever sets one up."""
    if (principal := ask.known_principal) is not None:
        client_calls.note(
            principal,
            ask.tenant,
            ask.key,
            user_agent=ask.header("user-agent"),
            project=parts.get("project", ""),
            is_upload=ask.method not in SAFE_METHODS and not is_search(ask),
            refusal=refusal,
        )


def _only_read(ask: Ask, **_parts: str) -> Answer:
    ask.authenticate()
    # uv turns this status into "are you using the simple index URL?", which is so.
    raise MethodNotAllowed(
        f"This URL is only read. Upload to the repository's own, /{ask.tenant}/{ask.key}/."
    )


def _only_read_and_posted_to(ask: Ask) -> Answer:
    ask.authenticate()
    raise MethodNotAllowed("This URL takes GET and POST.", allowed="GET, HEAD, POST")


def _ask(request: HttpRequest, tenant: str, key: str, scope: str = "") -> Ask:
    """Return what `request` asks of a repository, whichever form of URL named it."""
    default_tenant, default_key = settings.DEFAULT_REPOSITORY
    if not key:  # /pypi/...: the installation's default repository
        tenant, key = default_tenant, default_key
    return ask_of(request, tenant or tenant_of_host(request), key, scope)
