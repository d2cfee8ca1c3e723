"""What holds at every door, whoever calls: other sites, navigations, the admin, pip search."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver

from accounts.models import SignInFailures
from tests.access.asking import METHODS, SAFE, Answer, ask
from tests.access.table import Hears, Row, index, repository, rows, sign_in, sign_out
from tests.access.test_table import CALLERS, asked, is_what, meaning, patterns, places
from tests.access.world import PLACES, PRIVATE_A, Caller, World, call
from tests.properties import IS_FULL, lines
from tests.searches import pip_search

UNSAFE = METHODS[len(SAFE) :]
# One for each way of being somebody, or nobody.
SOME = (
    "anonymous",
    "stranger by session",
    "superuser by session",
    "superuser by password",
    "acme's writer by token",
    "acme's tenant admin by session",
    "globex's writer by token",
    "revoked token",
)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_changes_nothing(world: World, name: str, site: str) -> None:
    wrong = []
    who = SOME.index(name)
    for number, row in enumerate(lines(list(rows()), who), start=who):
        place = places(row)[number % len(places(row))]
        for method in UNSAFE if IS_FULL else {"POST", UNSAFE[number % len(UNSAFE)]}:
            answer = asked(world.callers[name], method, row, place, Sec_Fetch_Site=site)
            if not is_refused(answer, row, method):
                wrong.append(f"{method} {row.url(place)}: {answer.status} {answer.reason}")
    assert not wrong, "\n".join(wrong[:30])


def is_refused(answer: Answer, row: Row, method: str) -> bool:
    """Say whether an unsafe request was: at the door of clients in words of its own."""
    if row.rule in {index, repository}:
        says = "This is not taken from a page of another site."
        return (answer.status, answer.reason) == (403, says)
    # What asks Django's forms which methods they take changes nothing.
    is_harmless = method == "OPTIONS" and row.rule in {sign_in, sign_out}
    return answer.status in {401, 403, 405} or is_harmless


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://["])
def test_by_plain_http_browsers_name_the_origin_alone(world: World, origin: str) -> None:
    writer = world.callers["acme's writer by token"]
    answer = call(writer, "POST", f"/{PRIVATE_A}/", {"Origin": origin})
    assert (answer.status, answer.reason[:11]) == (403, "This is not")
    own = call(writer, "POST", f"/{PRIVATE_A}/", {"Origin": "http://testserver"})
    assert own.status == 200


@pytest.mark.parametrize("name", SOME)
def test_a_navigation_is_never_answered_with_a_challenge(world: World, name: str) -> None:
    for row in lines(list(rows()), SOME.index(name)):
        for method in SAFE:
            place = places(row)[0]
            answer = asked(world.callers[name], method, row, place, Sec_Fetch_Mode="navigate")
            hears = row.rule(world.callers[name], row.place(place), method)
            status, _ = meaning(hears, row, row.place(place), is_page=row.is_page)
            assert (answer.status, answer.header("WWW-Authenticate")) == (status, ""), row.path


@pytest.mark.parametrize("name", CALLERS)
def test_pip_search_follows_the_table_and_gets_no_bare_error(world: World, name: str) -> None:
    """Pip crashes on any HTTP error: what is refused comes in a Fault, but for the challenge."""
    caller = world.callers[name].without_cookie()
    root, scope = (Row("", f"/{{tenant}}/{{key}}/{end}", index) for end in ("", "deep/er/"))
    for place, search in ((place, search) for place in PLACES for search in (root, scope)):
        SignInFailures.objects.all().delete()  # what the tenth wrong one hears is another table
        answer = ask(
            "POST",
            search.url(place),
            world.callers[name].shows,
            body=pip_search("frog"),
            content_type="text/xml",
        )
        hears = index(caller, place, "GET")
        if hears in {Hears.SIGN_IN, Hears.REFUSED}:
            assert is_what(answer, hears, search, place, "GET")
            continue
        is_served = hears is Hears.SERVED and search is root
        _, words = meaning(hears, search, place, is_page=False)
        said = answer.body.decode()
        assert (answer.status, "<fault>" in said) == (200, not is_served)
        expected = "<string>frog</string>" if is_served else words or "There is no repository "
        assert re.search(expected, said), said


def admin_urls() -> list[str]:
    """Return every address of the admin, with 1 for whatever object it is about."""
    found = {each for each in patterns(get_resolver()) if each.startswith("admin/")}
    filled = {"<object_id>": "1", "<content_type_id>": "1", "<app_label>": "repos"}
    urls = []
    for each in sorted(found):
        url = each.replace("<url>", "nothing/of/this/name")
        for name, value in filled.items():
            url = url.replace(name, value)
        assert "<" not in url, f"{each}: what does this take?"
        urls.append(f"/{url}")
    return urls


def enters_the_admin(caller: Caller) -> bool:
    """Say whom the admin admits: superusers and tenant admins, by their session.

    What it shows to each is tested with it.
    """
    return caller.by_cookie and (caller.is_superuser or caller.is_tenant_admin)


@pytest.mark.parametrize("name", CALLERS)
def test_the_admin_admits_whom_it_should(world: World, name: str) -> None:
    caller = world.callers[name]
    if "beside a good session" in name:
        return  # the admin knows sessions alone, and looks at no header
    admitted = enters_the_admin(caller)
    for url in admin_urls():
        if url in {"/admin/login/", "/admin/logout/"}:
            continue  # everybody's
        answer = call(caller, "GET", url)
        to = answer.header("Location")
        is_sent_away = answer.status == 302 and ("/login/" in to or "/sign-in/" in to)
        if admitted:
            assert not is_sent_away, url
            assert answer.status < 500, url
        else:
            assert is_sent_away or answer.status == 403, (url, answer.status)
    if admitted:
        assert call(caller, "GET", "/admin/").status == 200


@pytest.mark.parametrize("name", SOME)
def test_the_admin_takes_no_form_that_it_did_not_make(world: World, name: str) -> None:
    for url in admin_urls():
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = call(world.callers[name], method, url)
            assert answer.status == 403, (method, url, answer.status)
