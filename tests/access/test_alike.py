"""What is not yours and what is not there: the same answer, to the byte, by the same questions.

For whoever has not signed in, and for tenants that are not theirs: no URL, method or form of a
URL tells by status, words, headers, length, or work done, whether there is something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.access.asking import METHODS, Answer
from tests.access.table import Row, rows, tenant_page
from tests.access.test_table import PLAIN, asked
from tests.access.world import (
    DELETED,
    HIDDEN,
    HIDDEN_WRONG_KEY,
    PRIVATE_A,
    PRIVATE_B,
    WRONG_KEY_A,
    WRONG_KEY_B,
    WRONG_TENANT,
    Caller,
    Place,
    World,
)
from tests.properties import IS_FULL, lines

ACME = (PRIVATE_A, WRONG_KEY_A, DELETED)
HUSH = (HIDDEN, HIDDEN_WRONG_KEY, WRONG_TENANT)
GLOBEX = (PRIVATE_B, WRONG_KEY_B, Place("blobex", "local", is_there=False))
# Who asks, and what is not theirs.
OUTSIDERS = {
    "anonymous": (*ACME, *HUSH),
    "stranger by session": (*ACME, *HUSH),
    "globex's writer by token": (*ACME, *HUSH),
    "globex's tenant admin by session": (*ACME, *HUSH),
    "writer of both tenants by acme's token": GLOBEX,
    "token of acme's admin for another repository": GLOBEX,
}


@dataclass(frozen=True)
class Seen:
    """Whatever an outsider could tell an answer by."""

    answer: Answer
    queries: tuple[str, ...]


@pytest.mark.parametrize("name", OUTSIDERS)
def test_not_yours_is_like_not_there(world: World, name: str) -> None:
    caller = world.callers[name]
    asked(caller, "GET", next(rows()), PRIVATE_A)  # notes the token's use
    tried = lines(list(comparisons(OUTSIDERS[name])), list(OUTSIDERS).index(name))
    for number, (row, method, alike) in enumerate(tried):
        is_main = row.form in PLAIN and method in {"GET", "POST"}
        others = alike[1:] if is_main or IS_FULL else (alike[1 + number % (len(alike) - 1)],)
        first = see(caller, method, row, alike[0])
        for place in others:
            other = see(caller, method, row, place)
            assert other == first, f"{method} {row.url(alike[0])} and {row.url(place)}"


def comparisons(there: tuple[Place, ...]) -> Iterator[tuple[Row, str, tuple[Place, ...]]]:
    """Return every URL that names a place, every method, and the places that must be alike."""
    for number, row in enumerate(rows()):
        names_nothing = row.form == "" and "{tenant}" not in row.path
        # globex has a public repository, and so is there for everybody.
        if names_nothing or (row.rule is tenant_page and PRIVATE_B in there):
            continue
        methods = {"GET", "POST", METHODS[number % len(METHODS)]}
        if IS_FULL:
            methods = set(METHODS)
        hosts = dict.fromkeys(row.host(place) for place in there)
        for host in hosts:
            # A host name is known or it is not: that is another question, and no secret.
            alike = tuple(place for place in there if row.host(place) == host)
            if len(alike) > 1:
                yield from ((row, method, alike) for method in sorted(methods))


def see(caller: Caller, method: str, row: Row, place: Place) -> Seen:
    """Ask, and keep all that does not follow from the caller's own words."""
    connection.queries_log.clear()  # it holds 9000
    with CaptureQueriesContext(connection) as queries:
        answer = asked(caller, method, row, place)
    number = dict(answer.headers)["X-Request-Id"]  # a random one, which error pages name
    return Seen(
        Answer(
            answer.status,
            anonymised(answer.reason, place),
            tuple(
                (name, anonymised(value, place))
                for name, value in answer.headers
                if value != number
            ),
            anonymised(answer.body.decode().replace(number, ""), place).encode(),
        ),
        tuple(re.sub(r"'[^']*'|\b\d+\b", "?", each["sql"]) for each in queries),
    )


def anonymised(text: str, place: Place) -> str:
    """Return what Larder says, but for the caller's own words, a form's mask and the time."""
    text = re.sub(r'(csrfmiddlewaretoken" value=)"\w{64}"|expires=[^;]*', r"\1", text)
    return text.replace(place.tenant, "-" * len(place.tenant)).replace(place.key, "-----")
