"""Puts the answer functions behind Django: each URL has a function for each method it takes."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from artifactory import files, item_search, property_search, repositories, storage
from artifactory.errors import answer_for
from base.errors import LarderError, NotThere
from base.slugs import RESERVED_REPOSITORY_KEYS, SLUG_PATTERN
from pypi.answer import Answer, Ask
from pypi.errors import MethodNotAllowed
from pypi.wrapping import ask_of, refuse_wrong_ways, response_of, tenant_of_host
from repos.access import require_sign_in

AnswerFunction = Callable[..., Answer]
DjangoView = Callable[..., HttpResponseBase]


def _view(function: AnswerFunction) -> DjangoView:
    """Return the Django view of a URL whose every method is answered by `function`."""

    @csrf_exempt  # scripts show their own credentials; the session cookie changes nothing here
    def view(request: HttpRequest, *, key: str = "", **parts: str) -> HttpResponseBase:
        # "-" is nobody's name. What cannot be printed is not even looked for.
        ask = ask_of(request, tenant_of_host(request), key if key.isprintable() else "-")
        try:
            refuse_wrong_ways(ask)
            answer = function(ask, **parts)
        except LarderError as error:
            answer = answer_for(error, ask)
        return response_of(ask, answer)

    return view


def _door(**functions: AnswerFunction) -> DjangoView:
    """Return the view of a URL whose methods are answered by `functions`."""
    if "GET" in functions:
        functions["HEAD"] = functions["GET"]
    allowed = ", ".join(sorted(functions))

    def not_allowed(ask: Ask, **_parts: str) -> Answer:
        ask.authenticate()
        raise MethodNotAllowed(f"This URL takes {allowed}.", allowed=allowed)

    def by_method(ask: Ask, **parts: str) -> Answer:
        return functions.get(ask.method, not_allowed)(ask, **parts)

    return _view(by_method)


def _ping(_ask: Ask) -> Answer:
    """Tell whoever asks, as load balancers and scripts do before all else, that Larder answers."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(200, headers, b"OK")  # without an end of line: some compare it with this


def _nothing(ask: Ask, rest: str = "") -> Answer:  # noqa: ARG001 - the URL has it
    ask.authenticate()
    raise NotThere(
        "Larder has no such URL of Artifactory's REST. It has api/repositories, api/storage, "
        "api/metadata, api/search/prop, api/search/aql, api/system/ping and api/pypi."
    )


def _misplaced(ask: Ask) -> Answer:
    """Say where uploads, files and listings are, to who takes the start of their URLs for one."""
    require_sign_in(ask.principal)
    is_key = re.fullmatch(SLUG_PATTERN, ask.key) and ask.key not in RESERVED_REPOSITORY_KEYS
    key = ask.key if is_key else "<key>"
    raise NotThere(
        f"Upload to /artifactory/api/pypi/{key}; files are at /artifactory/{key}/<path>; the "
        f"listing is at /artifactory/api/storage/{key}/."
    )


all_repositories = _door(GET=repositories.listing)
one_repository = _door(
    GET=repositories.show,
    PUT=repositories.create,
    POST=repositories.change,
    DELETE=repositories.remove,
)
items = _door(GET=storage.show, PUT=storage.set_properties, DELETE=storage.remove_properties)
metadata = _door(PATCH=storage.patch_properties)
property_results = _door(GET=property_search.search)
aql_results = _door(POST=item_search.find)
ping = _door(GET=_ping)
nowhere = _view(_nothing)
misplaced = _view(_misplaced)
file = _door(GET=files.give, PUT=files.put, DELETE=files.delete)
