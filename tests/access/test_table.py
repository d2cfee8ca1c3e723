"""Every URL, every caller, every method: what the table promises, and what Larder answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from tests.access.asking import METHODS, SAFE, Answer
from tests.access.rest_table import AuditByRest, rest_rows
from tests.access.table import (
    DEFAULT_FORM,
    FORMS,
    Hears,
    Row,
    audit,
    index,
    repository,
    tenant_page,
    unrouted,
)
from tests.access.table import rows as rows_of_pages
from tests.access.world import (
    HIDDEN,
    PLACES,
    PRIVATE_A,
    PUBLIC,
    WRONG_TENANT,
    Caller,
    Place,
    World,
    call,
)
from tests.properties import IS_FULL, lines

# Callers are known before the world is made, so that each has a test of their own.
CALLERS = (
    "anonymous",
    *(f"{who} by {way}" for who in ("stranger", "superuser") for way in ("session", "password")),
    *(
        f"{tenant}'s {what} by {way}"
        for tenant in ("acme", "globex")
        for what in ("member", "reader", "writer", "repository admin", "tenant admin")
        for way in ("token", "session")
    ),
    *(f"acme's writer by {way}" for way in ("password", "Bearer", "X-JFrog-Art-Api")),
    "acme's service account",
    "writer of both tenants by session",
    "writer of both tenants by acme's token",
    "token of acme's admin, at most reader",
    "token of acme's admin, at most writer",
    "token of acme's admin for another repository",
    "token of acme's admin for frog*",
    "token of acme's admin for toad-*",
    "expired token",
    "revoked token",
    "token of a disabled owner",
    "password of a disabled owner",
    "unknown token",
    "mistyped token",
    "wrong password",
    "nobody's password",
    "unreadable header",
    "wrong Bearer token",
    "wrong token beside a good session",
    "writer of both tenants by an access token",
    "access token of a login that was ended",
    "refresh token",
)
PLAIN = {"", next(iter(FORMS))}  # the forms whose URLs name tenant and key


def rows() -> Iterator[Row]:
    """Return the whole table."""
    yield from rows_of_pages()
    yield from rest_rows()


TENANTS = (PRIVATE_A, PUBLIC, HIDDEN, WRONG_TENANT)


def patterns(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Return every pattern of the URLconf, with the names of what it takes."""
    for each in resolver.url_patterns:
        text = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield readable(text)
        else:
            yield from patterns(each, text)


def readable(pattern: str) -> str:
    """Return a pattern as the table writes it: `<key>` for whatever takes a key."""
    inside = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*"
    named = re.sub(rf"\(\?P(<\w+>){inside}\)", r"\1", pattern)
    return re.sub(r"<\w+:(\w+)>", r"<\1>", named).replace("^", "").replace("$", "")


def test_every_url_has_its_row() -> None:
    there = {each for each in patterns(get_resolver()) if not each.startswith("admin/")}
    described = {row.pattern for row in rows()}
    assert sorted(there - described) == [], "URLs without a row in tests/access/table.py"
    assert sorted(described - there) == [], "rows whose URL is gone"


@pytest.mark.parametrize("name", CALLERS)
def test_each_caller_hears_what_the_table_says(world: World, name: str) -> None:
    caller = world.callers[name]
    wrong = []
    for row, method, place in cells(CALLERS.index(name)):
        hears = row.rule(caller, row.place(place), method)
        if hears is Hears.SERVED and method == row.spared:
            continue
        answer = asked(caller, method, row, place)
        if not is_what(answer, hears, row, row.place(place), method):
            wrong.append(
                f"{method} {row.url(place)} ({place}): {answer.status} {answer.reason}, not {hears}"
            )
    assert not wrong, "\n".join([f"{len(wrong)} wrong cells", *wrong[:30]])


def test_the_callers_are_all_in_the_table(world: World) -> None:
    assert sorted(CALLERS) == sorted(world.callers)


def cells(number: int) -> Iterator[tuple[Row, str, Place]]:
    """Return what a caller is tried with: every URL, the methods and the places.

    Where a URL names its repository plainly: GET and uploads at each place that is there and at one
    that is not, and one more method at one place. The other forms of a URL share its view; they are
    tried with GET, uploads and one more method, each at one place; so is the REST door, with all of
    its methods. What is one of several is another one for each caller and URL. Each caller tries
    half of the URLs on SQLite and the other half on PostgreSQL. LARDER_TEST_COUNTS=full tries all
    of all.
    """
    for at, row in enumerate(lines([*rows(), *unrouted()], number), start=number):
        is_rest = bool(row.served)
        main = {"GET", "POST"} if row.rule is repository else {"GET"}
        main |= row.served.keys() - {"HEAD"}
        more = METHODS if IS_FULL else (METHODS[at % len(METHODS)],)
        for method in sorted({*main, *more}):
            is_plain = row.form in PLAIN and method in main and not is_rest
            for place in tried_places(row, at + METHODS.index(method), is_plain=is_plain):
                yield row, method, place


def tried_places(row: Row, number: int, *, is_plain: bool) -> tuple[Place, ...]:
    """Return some of the places that a URL can name."""
    every = places(row)
    if IS_FULL:
        return every
    if not is_plain:
        return (every[number % len(every)],)
    missing = [place for place in every if not place.is_there]
    there = [place for place in every if place.is_there]
    return (*there, *(missing[number % len(missing) :][:1] if missing else ()))


def places(row: Row) -> tuple[Place, ...]:
    """Return the places that a URL can name."""
    if row.rule is tenant_page:
        return TENANTS
    return PLACES if "{key}" in row.path or row.form == DEFAULT_FORM else PLACES[:1]


def asked(caller: Caller, method: str, row: Row, place: Place, **headers: str) -> Answer:
    """Ask for what `row` says of `place`."""
    sent = {"Host": row.host(place)} | {name.replace("_", "-"): headers[name] for name in headers}
    with (
        override_settings(DEFAULT_REPOSITORY=(place.tenant, place.key), DEFAULT_TENANT=place.tenant)
        if row.form not in PLAIN
        else nullcontext()
    ):
        return call(caller, method, row.url(place), sent)


def is_what(answer: Answer, hears: Hears, row: Row, place: Place, method: str) -> bool:
    """Say whether `answer` is what the table means by `hears`, in status, words and challenge."""
    is_page = row.is_page and method in SAFE
    status, words = meaning(hears, row, place, is_page=is_page)
    if hears is Hears.SERVED:
        status = row.served.get(method, status)
        status, words = row.unsafe.get(method, (status, words))
    says = answer.reason
    if hears is Hears.SIGN_IN and is_page:
        says = answer.header("Location")
    has_challenge = answer.header("WWW-Authenticate").startswith("Basic ")
    is_challenged = status == 401
    return (
        answer.status == status
        and re.match(words, says) is not None
        and has_challenge == is_challenged
    )


def meaning(hears: Hears, row: Row, place: Place, *, is_page: bool) -> tuple[int, str]:
    """Return the status of what a caller hears, and a pattern of its words."""
    name = re.escape(str(place))
    if hears is Hears.SERVED:
        return row.status, row.says
    if hears is Hears.SIGN_IN and is_page:
        return 302, r"/accounts/sign-in/\?next=/"
    if hears is Hears.NOT_YOURS and (what := _of_tenants(row)):
        return 403, f"There is no tenant {place.tenant} {what}"
    if hears is Hears.NOT_THERE:
        # uv stops at 410; at 404 it and pip would go on to the next index.
        return 410 if row.rule is index else 404, f"There is no repository {name}"
    return {
        Hears.NO_TENANT: (403, f"There is no tenant {place.tenant} that you may administer"),
        Hears.SIGN_IN: (401, "Sign in (with a user name and a token|to see your account)"),
        Hears.REFUSED: (401, "This token is not|The user name or|The Authorization header"),
        Hears.MAY_NOT: (
            403,
            (
                rf"You may (not|(?:read|publish to) {name} but not) "
                r".*(Ask |with this token|publish to it|administer it)"
            ),
        ),
        Hears.MAY_NOT_WITH_THIS_TOKEN: (403, "This token may not publish frog"),
        Hears.MAY_NOT_WITH_A_TOKEN: (403, "You may not see or change an account with this token"),
        Hears.NOT_YOURS: (403, f"There is no repository {name} that you may use"),
        Hears.NOT_HERE: (405, ""),
        Hears.NO_FORM: (403, ""),
        Hears.NOT_THE_OFFICE: (403, "Only who runs this installation"),
    }[hears]


def _of_tenants(row: Row) -> str:
    """Return what a stranger to a tenant is told they may not do with it, where a URL names one."""
    if row.rule is tenant_page:
        return "that you may see"
    if row.rule is audit or isinstance(row.rule, AuditByRest):
        return "whose audit you may read"
    return "that you may administer" if row.pattern.startswith("api/v1/tenants/") else ""
