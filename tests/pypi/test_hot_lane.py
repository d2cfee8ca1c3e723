"""The hot lane: what it gives is what Django would give now, whatever has changed meanwhile."""

from __future__ import annotations

import base64
import gc
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import last_use, members, tokens
from accounts.models import Membership, Token
from accounts.roles import Role
from base import clock
from base.audit import SYSTEM
from base.stamps import Stamp
from packages import curate, downloads
from packages.changes import names_changed_since
from packages.filenames import parse_name
from packages.index.base import Ground
from packages.models import Distribution, Project, Release, UpstreamPage
from packages.upstream.refresh import refreshed
from packages.upstream.source import Source
from pypi import files, held_answers, hot_lane, large_pages
from pypi.held_answers import CACHING_OF_A_LARGE_PAGE, Held, HeldAnswers, Key, Place
from pypi.hot_lane import HotLane
from pypi.large_pages import LargePages
from repos import client_calls, configure, lease
from repos.lease import Lease, Present
from repos.models import Grant, Repository, RepositoryState
from repos.stamp_questions import StampsInDatabase
from repos.stamps import Answered, stamps_by
from tests.access.asking import Answer, ask, connection_kept, handler
from tests.cast import Cast, grant, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.uploads import published
from tests.upstreams import Reply, make_remote, serving
from tests.virtuals import make_virtual

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
HTML = {"Accept": "text/html"}
GZIP = {"Accept-Encoding": "gzip"}
_NOT_NOW = 599


@dataclass
class Lane:
    """The lane before Django, and how often Django was asked."""

    large_pages: LargePages | None = None  # where nginx finds them
    lane: HotLane = field(init=False)
    asked: int = 0

    def __post_init__(self) -> None:
        """Let each request ask for the stamps anew: nobody here waits for a lease."""
        self.room = HeldAnswers(large_pages=self.large_pages)
        self.lane = HotLane(
            self._django, Lease(lambda about: stamps_by(connection, about), seconds=0), self.room
        )

    def _django(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.asked += 1
        return handler()(environ, start_response)

    def get(self, url: str, *headers: dict[str, str], method: str = "GET") -> Answer:
        """Return the lane's answer, once Django has said the same."""
        sent = {name: value for each in headers for name, value in each.items()}
        with connection_kept():
            given = ask(method, url, sent, to=self.lane)
            assert told(given) == told(ask(method, url, sent))
        return given

    def alone(self, url: str, sent: dict[str, str], *, method: str = "GET") -> Answer:
        """Return the lane's answer."""
        with connection_kept():  # Django's test client lets go of it
            return ask(method, url, sent, to=self.lane)

    def knows(self, url: str, *headers: dict[str, str], method: str = "GET") -> bool:
        """Say whether the lane gives an answer, which is Django's, by itself."""
        before = self.asked
        self.get(url, *headers, method=method)
        return self.asked == before

    def at_once(self, url: str, *headers: dict[str, str], method: str = "GET") -> bool:
        """Say whether the lane answers without waiting, and as it does otherwise."""
        sent = {name: value for each in headers for name, value in each.items()}
        before = self.asked
        with connection_kept():
            given = ask(method, url, sent, to=self._hurried)
            assert self.asked == before
            assert given.status == _NOT_NOW or told(given) == told(ask(method, url, sent))
        return given.status != _NOT_NOW

    def _hurried(self, environ: dict[str, Any], start_response: Any) -> Any:
        asked = self.lane.asked_in(environ)
        needed = {name: environ[name] for name in HotLane.needed_at_once if name in environ}
        body = self.lane.at_once(asked, needed, start_response) if asked is not None else None
        if body is None:
            start_response(f"{_NOT_NOW} Not Now", [])
        return body or ()


def told(answer: Answer) -> tuple[object, ...]:
    """Return all of an answer but what is another one each time."""
    own = {"x-request-id", "date"}
    headers = sorted((name, value) for name, value in answer.headers if name.lower() not in own)
    return answer.status, answer.reason, headers, answer.body


@pytest.fixture
def lane(db: None, monkeypatch: pytest.MonkeyPatch) -> Lane:
    monkeypatch.setattr(lease, "_QUICK_SECONDS", 60)  # however busy the machine is
    return Lane()


@pytest.fixture
def frogs(client: Client, cast: Cast, time: MovableClock) -> Cast:
    """Two projects, of which one has two files."""
    for name, version in [("frog", "1.0"), ("frog", "1.1"), ("toad", "1.0")]:
        published(client, name, version, make_wheel(name, version), by=cast.acme.writer)
    return cast


def urls(repository: str = "acme/local") -> list[str]:
    """Return what is asked for by installers, with something that is not there."""
    rows = Distribution.objects.order_by("pk")
    files = [
        f"/{repository}/files/{name}/{sha256}/{filename}"
        for name, sha256, filename in rows.values_list(
            "release__project__normalized", "sha256", "filename"
        )
    ]
    pages = ["", "frog/", "toad/", "newt/", "Frog/", "frog"]
    return [
        *(f"/{repository}/simple/{page}" for page in pages),
        *files,
        *(f"{url}.metadata" for url in files),
        f"/{repository}/files/frog/{'0' * 64}/frog-1.0-py3-none-any.whl",
    ]


WAYS = [JSON, HTML, JSON | GZIP, {"Range": "bytes=0-3"}, {"If-None-Match": "*"}]


def test_django_need_not_find_out_again_who_was_let_in(lane: Lane, frogs: Cast) -> None:
    """Not for another page of the same repository, as long as nobody's rights have changed."""
    reader = frogs.acme.reader
    frog, toad, newt = (f"/acme/local/simple/{each}/" for each in ("frog", "toad", "newt"))
    with CaptureQueriesContext(connection) as asked:
        lane.alone(frog, reader.headers)
    about_them = {model._meta.db_table for model in (Token, Membership, Grant, Repository)}
    assert all(any(table in each["sql"] for each in asked) for table in about_them)
    with CaptureQueriesContext(connection) as asked:
        answers = [lane.alone(page, reader.headers) for page in (toad, newt)]
    assert [each.status for each in answers] == [HTTPStatus.OK, HTTPStatus.NOT_FOUND]
    assert lane.asked == 3
    assert not any(f'"{table}"' in each["sql"] for each in asked for table in about_them)
    # The next one's page is for somebody else again, and so is another repository's.
    assert lane.alone(newt, {}).status == HTTPStatus.UNAUTHORIZED
    assert lane.alone("/globex/local/simple/toad/", reader.headers).status == HTTPStatus.FORBIDDEN
    tokens.revoke(reader.token, by=SYSTEM)
    assert lane.alone(newt, reader.headers).status == HTTPStatus.UNAUTHORIZED


def test_whom_django_lets_in_is_known_when_there_was_nothing_for_them(
    lane: Lane, frogs: Cast
) -> None:
    """Resolvers ask for many names that a repository does not have."""
    reader = frogs.acme.reader.headers
    assert lane.alone("/acme/local/simple/newt/", reader).status == HTTPStatus.NOT_FOUND
    with CaptureQueriesContext(connection) as asked:
        assert lane.alone("/acme/local/simple/eft/", reader).status == HTTPStatus.NOT_FOUND
        assert lane.alone("/acme/local/simple/frog/", reader).status == HTTPStatus.OK
    assert not any(f'"{Token._meta.db_table}"' in each["sql"] for each in asked)


def test_the_use_of_a_token_is_noted_whoever_answers(
    lane: Lane, frogs: Cast, time: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_use, "_noted", {})  # not what other tests have left
    token, headers = frogs.acme.reader.token, frogs.acme.reader.headers
    for page, seconds, is_noted in [("a", 0, True), ("b", 40, False), ("c", 40, True)]:
        time.move(seconds=seconds)
        lane.alone(f"/acme/local/simple/{page}/", headers)  # Django makes each of them
        last_use.write_down()
        token.refresh_from_db()
        assert (token.last_used_at == time.time) is is_noted


def test_django_reads_a_repository_anew_when_its_settings_have_changed(
    lane: Lane, cast: Cast
) -> None:
    with serving() as server:
        server.add_files("frog", make_wheel("frog", "1.0"))
        server.add_files("toad", make_wheel("toad", "1.0"))
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        frog, toad = (f"/{remote}/simple/{each}/" for each in ("frog", "toad"))
        lane.alone(frog, cast.acme.reader.headers)
        remote.upstream.exclude = ["toad"]
        configure.save_upstream(remote.upstream, by=SYSTEM)
        assert lane.alone(toad, cast.acme.reader.headers).status == HTTPStatus.NOT_FOUND
        configure.delete_repository(remote, by=SYSTEM)
        assert lane.alone(frog, cast.acme.reader.headers).status == HTTPStatus.GONE


def test_who_is_no_longer_let_in_while_django_answers_is_not_let_in_by_that(
    frogs: Cast,
) -> None:
    """The lane told Django who comes; what has changed since then Django did not ask for."""
    soon: list[Callable[[], None]] = []

    def asks(about: Collection[int]) -> Answered:
        said = stamps_by(connection, about)
        if soon:
            soon.pop()()
        return said

    lane = HotLane(handler(), Lease(asks, seconds=0), HeldAnswers())
    reader = frogs.acme.reader

    def status(url: str) -> int:
        with connection_kept():
            return ask("GET", url, reader.headers, to=lane).status

    assert status("/acme/local/simple/frog/") == HTTPStatus.OK
    soon.append(lambda: tokens.revoke(reader.token, by=SYSTEM))
    status("/acme/local/simple/toad/")  # as of before, or of after
    for url in urls():
        assert status(url) != HTTPStatus.OK, url


@pytest.mark.parametrize(
    ("page", "fails", "may_wait", "asked"),
    [
        ("frog/", False, True, 1),
        ("newt/", False, True, 6),  # there is none, and nothing to hold
        ("frog/", True, True, 6),
        ("frog/", False, False, 6),
    ],
    ids=["held", "not held", "not made", "too many wait"],
)
def test_a_page_is_made_once_for_all_who_wait_for_it(
    transactional_db: None,
    cast: Cast,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    fails: bool,
    may_wait: bool,
    asked: int,
) -> None:
    """Of many readers after an upload one asks Django; who waits in vain asks as well."""
    monkeypatch.setattr(hot_lane, "_FOR_ANOTHER_SECONDS", 30)
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    crowd = Crowd(6, f"/acme/local/simple/{page}", cast.acme.reader.headers)
    crowd.get()
    published(client, "frog", "1.1", make_wheel("frog", "1.1"), by=cast.acme.writer)
    answers = crowd.get_together(fails=fails, may_wait=may_wait)
    assert crowd.asked == asked
    first, *others = [told(each) for each in answers if each is not None]
    assert len(others) == 5 - fails
    assert all(each == first for each in others)


class Crowd:
    """Readers who come at once; who asks Django first waits until all of them are there."""

    def __init__(self, size: int, url: str, headers: dict[str, str]) -> None:
        self.size, self.url, self.headers = size, url, headers
        self.asked = 0
        self.fails = False
        self.everybody = threading.Event()
        self.everybody.set()
        self.stamps = StampsInDatabase()
        self.lane = HotLane(self._django, Lease(self.stamps), HeldAnswers())

    def _django(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.asked += 1
        assert self.everybody.wait(30)
        if self.fails:
            self.fails = False
            raise ConnectionError
        return handler()(environ, start_response)

    def get(self, _: int = 0) -> Answer | None:
        """Return the answer for one of them; None: none came."""
        try:
            return ask("GET", self.url, self.headers, to=self.lane)
        except ConnectionError:
            return None
        finally:
            connections.close_all()

    def get_together(self, *, fails: bool, may_wait: bool) -> list[Answer | None]:
        """Return all of their answers."""
        crowd = self

        class Coming(dict[Key, Any]):
            seen = 0

            def setdefault(self, key: Key, default: Any = None) -> Any:
                found = super().setdefault(key, default)
                self.seen += 1
                if self.seen == crowd.size:
                    crowd.everybody.set()
                return found

        self.everybody.clear()
        self.lane._coming, self.asked, self.fails = Coming(), 0, fails
        if not may_wait:
            self.lane._waiters = threading.BoundedSemaphore(1)
            self.lane._waiters.acquire()
        with ThreadPoolExecutor(self.size) as pool:
            answers = list(pool.map(self.get, range(self.size)))
        self.stamps.close()
        return answers


def test_everybody_is_told_what_django_tells_them(lane: Lane, frogs: Cast) -> None:
    everybody = [
        frogs.acme.reader.headers,
        frogs.acme.member.headers,
        frogs.globex.writer.headers,
        {"Authorization": "Bearer lrd_nonsense"},
        {"Authorization": "Nonsense"},
        {"X-JFrog-Art-Api": frogs.acme.reader.secret},
        {},
    ]
    for number, url in enumerate(urls()):
        for place, who in enumerate(everybody[:3] + everybody[5:]):
            for _ in range(2):
                lane.get(url, who, WAYS[(number + place) % len(WAYS)])
        lane.get(url, everybody[0], WAYS[number % len(WAYS)], method="HEAD")
    for who in everybody[3:5]:
        lane.get(urls()[1], who)


def test_what_was_answered_once_is_answered_without_django(lane: Lane, frogs: Cast) -> None:
    reader = frogs.acme.reader.headers
    page, file = "/acme/local/simple/frog/", urls()[6]
    for url, way in [(page, JSON), (page, HTML), (page, JSON | GZIP), (file, {}), (urls()[0], {})]:
        assert not lane.knows(url, reader, way)
        assert lane.knows(url, reader, way)
        assert lane.knows(url, reader, way, method="HEAD")
        etag = {"If-None-Match": lane.get(url, reader, way).header("ETag")}
        lane.get(url, reader, way | etag)
        assert lane.knows(url, reader, way | etag)
    # Another one who may read it has to be let in, once; then the same page is theirs.
    writer = frogs.acme.writer.headers
    assert not lane.knows(page, writer, JSON)
    assert lane.knows(page, writer, HTML)


def test_what_is_in_memory_and_true_is_given_at_once(
    lane: Lane, frogs: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, (file, other, *_) = frogs.acme.reader.headers, urls()[6:]
    pages = ["/acme/local/simple/frog/", "/acme/local/simple/toad/"]
    for url in (*pages, file, f"{file}.metadata"):
        assert not lane.at_once(url, reader)
        lane.get(url, reader)
        assert lane.at_once(url, reader)
        assert lane.at_once(url, reader, method="HEAD")
        assert not lane.at_once(url, reader, {"Range": "bytes=0-3"})
        assert not lane.at_once(url, frogs.acme.member.headers)
    published(client, "frog", "1.2", make_wheel("frog", "1.2"), by=frogs.acme.writer)
    # What has changed only the database knows, and it is asked by who may wait.
    assert not any(lane.at_once(url, reader) for url in pages)
    for url in pages:
        lane.get(url, reader)
    assert all(lane.at_once(url, reader) for url in pages)
    monkeypatch.setattr(files, "_HELD_AT_MOST", 100)
    lane.get(other, reader)
    assert lane.knows(other, reader)  # and opens it for each
    assert not lane.at_once(other, reader)
    take_the_grant(frogs)
    assert not any(lane.at_once(url, reader) for url in (*pages, file))


def test_a_page_is_new_with_each_change_and_the_others_stay(
    lane: Lane, frogs: Cast, client: Client
) -> None:
    reader, frog, toad = (
        frogs.acme.reader.headers,
        "/acme/local/simple/frog/",
        "/acme/local/simple/toad/",
    )
    row = Distribution.objects.get(filename="frog-1.0-py3-none-any.whl")
    admin = frogs.acme.admin.principal
    changes: list[Callable[[], object]] = [
        lambda: published(client, "frog", "1.2", make_wheel("frog", "1.2"), by=frogs.acme.writer),
        lambda: curate.yank(row, reason="old", by=admin),
        lambda: curate.yank(
            Release.objects.get(version="1.0", project__name="frog"), reason="older", by=admin
        ),
        lambda: curate.delete(row, by=admin),
        lambda: curate.restore(row, by=admin),
        lambda: curate.set_status(
            Project.objects.get(normalized="frog"),
            status=Project.Status.QUARANTINED,
            reason="bad",
            by=admin,
        ),
    ]
    for change in changes:
        for url in (frog, toad):
            lane.get(url, reader)
            assert lane.knows(url, reader)
        change()
        row.refresh_from_db()
        assert not lane.knows(frog, reader)
        assert lane.knows(toad, reader)
    for url in urls():
        lane.get(url, reader)


def take_the_token(cast: Cast) -> None:
    tokens.revoke(cast.acme.reader.token, by=SYSTEM)


def take_the_grant(cast: Cast) -> None:
    row = Grant.objects.get(membership__user=cast.acme.reader.user)
    configure.end_grant(row, by=SYSTEM)


def take_the_person(cast: Cast) -> None:
    cast.acme.reader.user.is_active = False
    members.save_user(cast.acme.reader.user, by=SYSTEM)


def take_the_place(cast: Cast) -> None:
    members.end_membership(Membership.objects.get(user=cast.acme.reader.user), by=SYSTEM)


def take_the_repository(cast: Cast) -> None:
    configure.delete_repository(cast.acme.repository, by=SYSTEM)


def narrow_the_token(cast: Cast) -> None:
    other = make_repository(cast.acme.tenant, "other")
    configure.limit_token(cast.acme.reader.token, [other], by=SYSTEM)


@pytest.mark.parametrize(
    "take",
    [
        take_the_token,
        take_the_grant,
        take_the_person,
        take_the_place,
        take_the_repository,
        narrow_the_token,
    ],
)
def test_who_may_no_longer_read_reads_no_more(
    lane: Lane, frogs: Cast, take: Callable[[Cast], None]
) -> None:
    reader = frogs.acme.reader.headers
    for url in urls():
        lane.get(url, reader)
    page = "/acme/local/simple/frog/"
    assert lane.knows(page, reader)
    take(frogs)
    for url in urls():
        assert lane.get(url, reader).status != HTTPStatus.OK


def test_a_token_ends_in_the_lane_when_it_ends(lane: Lane, frogs: Cast, time: MovableClock) -> None:
    membership = Membership.objects.get(user=frogs.acme.reader.user)
    _, secret = tokens.create(
        membership=membership,
        name="short",
        by=SYSTEM,
        role=Role.READER,
        expires_at=time() + timedelta(minutes=5),
    )
    bearer, page = {"Authorization": f"Bearer {secret}"}, "/acme/local/simple/frog/"
    lane.get(page, bearer)
    assert lane.knows(page, bearer)
    time.move(minutes=5)
    assert lane.get(page, bearer).status == HTTPStatus.UNAUTHORIZED


def test_an_anonymous_page_is_not_one_for_somebody(lane: Lane, frogs: Cast) -> None:
    page = "/acme/local/simple/frog/"
    lane.get(page, frogs.acme.reader.headers)
    assert lane.get(page).status == HTTPStatus.UNAUTHORIZED
    row = grant(frogs.acme.repository, Role.READER)
    assert "public" in lane.get(page).header("Cache-Control")
    assert lane.knows(page)
    assert "private" in lane.get(page, frogs.acme.reader.headers).header("Cache-Control")
    configure.end_grant(row, by=SYSTEM)
    assert lane.get(page).status == HTTPStatus.UNAUTHORIZED


def test_a_visit_by_one_way_is_none_by_another(
    lane: Lane, frogs: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "BASE_URL", settings.BASE_URL.replace("http:", "https:"))
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", (ip_network("10.0.0.1"),))
    page = "/acme/local/simple/frog/"
    safe = frogs.acme.reader.headers | {"X-Forwarded-Proto": "https"}
    ours, theirs = safe | {"Host": "pypi.acme.example"}, safe | {"Host": "elsewhere.example"}
    frogs.acme.tenant.host_name = "pypi.acme.example"
    members.save_tenant(frogs.acme.tenant, by=SYSTEM)

    def status(sent: dict[str, str], address: str = "10.0.0.1") -> int:
        with connection_kept():
            return ask("GET", page, sent, address=address, to=lane.lane).status

    for sent in (safe, ours):
        assert [status(sent), status(sent)] == [HTTPStatus.OK, HTTPStatus.OK]
    assert lane.asked == 2
    assert status(safe, "192.0.2.1") == HTTPStatus.MOVED_PERMANENTLY  # no proxy of ours says so
    assert status(frogs.acme.reader.headers) == HTTPStatus.MOVED_PERMANENTLY
    assert status(theirs) == HTTPStatus.BAD_REQUEST
    frogs.acme.tenant.host_name = None
    members.save_tenant(frogs.acme.tenant, by=SYSTEM)
    assert [status(safe), status(ours)] == [HTTPStatus.OK, HTTPStatus.BAD_REQUEST]


def test_what_nginx_is_to_send_it_sends(
    lane: Lane, frogs: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ACCEL_PREFIX", "/-/blobs")
    file, reader = urls()[6], frogs.acme.reader.headers
    assert lane.get(file, reader).header("X-Accel-Redirect")
    assert lane.knows(file, reader)
    assert lane.knows(file, reader, method="HEAD")
    assert not lane.knows(file, reader, {"Range": "bytes=0-3"})


@pytest.mark.parametrize("sent", [JSON, HTML, JSON | GZIP, HTML | GZIP])
def test_large_pages_are_left_for_nginx_to_send(
    frogs: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: dict[str, str]
) -> None:
    monkeypatch.setattr(large_pages, "_LARGE", 200)
    lane = Lane(LargePages(tmp_path, "/-/pages"))
    page, sent = "/acme/local/simple/frog/", sent | frogs.acme.reader.headers

    def get(method: str = "GET", **more: str) -> Answer:
        with connection_kept():
            return ask(method, page, sent | more, to=lane.lane)

    def files() -> list[Path]:
        return [path for path in tmp_path.rglob("*") if path.is_file()]

    first, second, third = get(), get(), get("HEAD")
    assert lane.asked == 1
    assert len(first.body) >= 200
    assert not first.header("X-Accel-Redirect")
    assert [path.read_bytes() for path in files()] == [first.body]
    for again in (second, third):
        assert again.body == b""
        assert again.header("X-Accel-Redirect") == f"/-/pages/{files()[0].relative_to(tmp_path)}"
        assert again.header("Content-Length") == "0"
        assert again.header(CACHING_OF_A_LARGE_PAGE) == first.header("Cache-Control")
        own = ("X-Request-Id", "Content-Length", "X-Accel-Redirect", CACHING_OF_A_LARGE_PAGE)
        left_out = (*own, "Cache-Control")
        rest = [[each for each in one.headers if each[0] not in left_out] for one in (first, again)]
        assert rest[0] == rest[1]
    unchanged = {"If-None-Match": first.header("ETag")}
    assert [get(**unchanged).status for _ in range(2)] == [HTTPStatus.NOT_MODIFIED] * 2
    assert not get(**unchanged).header("X-Accel-Redirect")
    # nginx would say 412 of a file, where Larder heeds neither.
    for name in ("If-Match", "If-Unmodified-Since"):
        assert get(**{name: first.header("ETag")}).body == first.body
    curate.yank(Distribution.objects.all()[0], reason="no", by=frogs.acme.admin.principal)
    assert get().body != first.body
    assert len(files()) == 1


def test_who_has_signed_in_with_a_browser_is_djangos_to_know(
    lane: Lane, frogs: Cast, client: Client
) -> None:
    page = "/acme/local/simple/frog/"
    grant(frogs.acme.repository, Role.READER)
    client.force_login(frogs.acme.member.user)
    session = {"Cookie": client.cookies.output(attrs=[], header="", sep=";").strip()}
    # A user name without a password is no credential, and the session counts beside it.
    named = {"Authorization": f"Basic {base64.b64encode(b'somebody:').decode()}"}
    for who in ({}, named):
        assert "public" in lane.get(page, who).header("Cache-Control")
        assert "private" in lane.get(page, who, session).header("Cache-Control")
        assert not lane.knows(page, who, session)


def test_nobody_is_given_a_cookie_of_somebody_elses(lane: Lane, frogs: Cast) -> None:
    page, reader = "/acme/local/simple/frog/", frogs.acme.reader.headers
    broken = {"Cookie": f"{settings.CSRF_COOKIE_NAME}=x; {settings.SESSION_COOKIE_NAME}=x"}
    assert lane.alone(page, reader | broken).header("Set-Cookie")
    assert not lane.get(page, reader).header("Set-Cookie")


def test_nobody_sees_through_a_virtual_what_they_may_not(
    lane: Lane, frogs: Cast, client: Client
) -> None:
    """The place that one is let in to is another one when the members change."""
    acme = frogs.acme
    hidden = make_repository(acme.tenant, "hidden")
    grant(hidden, Role.WRITER, acme.writer)
    published(client, "frog", "3.0", make_wheel("frog", "3.0"), by=acme.writer, to="/acme/hidden/")
    virtual = make_virtual(acme, "all", [acme.repository])
    for who in (acme.reader, acme.writer):
        grant(virtual, Role.READER, who)
    page = "/acme/all/simple/frog/"
    for who in (acme.reader, acme.writer):
        lane.get(page, who.headers, JSON)
        assert lane.knows(page, who.headers, JSON)
    configure.set_members(virtual, [acme.repository, hidden], by=SYSTEM)
    # The reader's page, which has the same members readable as before, is not the writer's.
    assert b"3.0" not in lane.get(page, acme.reader.headers, JSON).body
    assert b"3.0" in lane.get(page, acme.writer.headers, JSON).body
    assert lane.knows(page, acme.reader.headers, JSON)
    assert lane.knows(page, acme.writer.headers, JSON)
    curate.yank(
        Distribution.objects.get(filename="frog-3.0-py3-none-any.whl"),
        reason="no",
        by=acme.admin.principal,
    )
    assert not lane.knows(page, acme.writer.headers, JSON)
    for url in urls("acme/all"):
        for who in (acme.reader, acme.writer, frogs.globex.reader):
            lane.get(url, who.headers, JSON)
            lane.get(url, who.headers, JSON)


def test_links_are_made_of_the_host_name_that_was_asked_by(lane: Lane, frogs: Cast) -> None:
    Distribution.objects.update(is_attested=True, has_provenance=True)
    reader, page = frogs.acme.reader.headers, "/acme/local/simple/frog/"
    for host in ("testserver", "localhost", "testserver"):
        answer = lane.get(page, reader, JSON, {"Host": host})
        assert f"http://{host}/acme/local/files/".encode() in answer.body
    assert lane.knows(page, reader, JSON, {"Host": "localhost"})
    # What says nothing of how somebody came makes no answer another one.
    assert lane.knows(page, reader, JSON, {"X-Forwarded-Proto": "gopher" * 1000})


def test_who_is_said_to_come_below_a_path_changes_nobody_elses_links(
    lane: Lane, frogs: Cast
) -> None:
    """Where a server takes that path from a proxy, who may have it from anybody."""
    Distribution.objects.update(is_attested=True, has_provenance=True)
    reader, page = frogs.acme.reader.headers, "/acme/local/simple/frog/"

    def below(environ: dict[str, Any], start_response: Any) -> Any:
        return lane.lane(environ | {"SCRIPT_NAME": "/elsewhere"}, start_response)

    with connection_kept():
        for _ in range(3):
            assert b"/elsewhere/" in ask("GET", page, reader | JSON, to=below).body
    assert lane.asked == 3
    assert b"/elsewhere/" not in lane.get(page, reader, JSON).body


def test_what_is_not_a_plain_read_is_djangos(lane: Lane, frogs: Cast) -> None:
    reader, page = frogs.acme.reader.headers, "/acme/local/simple/frog/"
    lane.get(page, reader)
    lane.get(page, reader)
    for url, sent in [
        (f"{page}?format=application/vnd.pypi.simple.v1+json", {}),
        (page, {"Via": "1.1 somebody"}),
        (urls()[6], {"Range": "bytes=1-2"}),
        (urls()[6], {"If-Modified-Since": "Fri, 20 Nov 2026 12:00:00 GMT"}),
        ("/acme/local/", {}),
        ("/pypi/simple/", {}),
    ]:
        assert not lane.knows(url, reader, sent)
        assert not lane.knows(url, reader, sent)
    for method in ("POST", "PUT", "DELETE"):
        assert lane.alone(page, reader, method=method).status == HTTPStatus.METHOD_NOT_ALLOWED


@pytest.mark.parametrize("small", [0, 1_000_000], ids=["a large file", "a small one"])
def test_downloads_calls_and_uses_are_counted_in_the_lane_too(
    lane: Lane, frogs: Cast, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(files, "_HELD_AT_MOST", small)
    # What earlier tests have noted is not written down here.
    monkeypatch.setattr(downloads, "_files", defaultdict(downloads._Count))
    monkeypatch.setattr(downloads, "_days", defaultdict(downloads._Sum))
    monkeypatch.setattr(client_calls, "_noted", {})
    reader = frogs.acme.reader.headers | {"User-Agent": "pip/26.3"}
    file = urls()[6]
    for _ in range(3):
        lane.alone(file, reader)
    lane.alone(file, reader, method="HEAD")
    lane.at_once(file, reader, method="HEAD")
    downloads.write_down()
    client_calls.write_down()
    row = Distribution.objects.get(filename="frog-1.0-py3-none-any.whl")
    assert sum(row.downloads.values_list("count", flat=True)) == 3
    call = client_calls.last_call(frogs.acme.repository, frogs.acme.reader.user)
    assert call is not None
    assert (call.client, call.project) == ("pip 26.3", "frog")
    assert lane.asked == 1


def test_little_is_held_where_there_is_little_room(frogs: Cast, lane: Lane) -> None:
    lane.room = HeldAnswers(bytes_at_most=6 * 1024)
    lane.lane._answers = lane.room
    reader = frogs.acme.reader.headers
    for url in ("/acme/local/simple/frog/", "/acme/local/simple/toad/", "/acme/local/simple/"):
        lane.get(url, reader)
    assert not lane.knows("/acme/local/simple/frog/", reader)


def test_of_the_stamps_of_the_moment_only_the_latest_are_kept(lane: Lane, frogs: Cast) -> None:
    """They are of all repositories that were asked for just then, however few an answer needs."""
    for url in urls():
        lane.get(url, frogs.acme.reader.headers)
        lane.get(url, frogs.acme.reader.headers)
    gc.collect()
    kept = [each for each in gc.get_objects() if type(each) is Present]
    # Other tests may have left their own: theirs know nothing of this repository's state.
    local = frogs.acme.repository
    state = RepositoryState.objects.get(repository=local).stamp
    assert len([each for each in kept if each.stamps.get(local.pk) == state]) == 1


def test_an_answer_weighs_what_it_stands_on() -> None:
    def weight(stamps: int) -> int:
        ground = Ground(1, "", {each: Stamp(0, 0, "") for each in range(stamps)})
        return Held("200 OK", [], b"", "", "frog", ground).weight

    assert weight(100) > weight(1) + 10_000


def test_a_remote_is_asked_again_when_what_it_said_is_no_longer_held(
    lane: Lane, cast: Cast, time: MovableClock
) -> None:
    with serving() as server:
        server.add_files("frog", make_wheel("frog", "1.0"))
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        page, reader = f"/{remote}/simple/frog/", cast.acme.reader.headers
        lane.get(page, reader)  # this asks upstream, and so changes what it stands on
        lane.get(page, reader)
        time.move(seconds=299)
        assert lane.knows(page, reader)
        time.move(seconds=2)  # that it is in use is to be noted
        assert not lane.knows(page, reader)
        assert UpstreamPage.objects.get().used_at == time.time
        assert lane.knows(page, reader)
        assert server.count("/simple/frog/") == 1
        # What is stale says how old it is, another number each time: it is not held.
        server.always = Reply(status=503)
        time.move(days=1)
        assert not lane.knows(page, reader)
        assert not lane.knows(page, reader)


def test_a_remote_that_is_to_be_asked_each_time_is(lane: Lane, cast: Cast) -> None:
    with serving() as server:
        server.add_files("frog", make_wheel("frog", "1.0"))
        remote = make_remote(cast.acme.tenant, server, fresh_seconds=0)
        grant(remote, Role.READER, cast.acme.reader)
        for _ in range(3):
            assert not lane.knows(f"/{remote}/simple/frog/", cast.acme.reader.headers)


def test_a_virtual_holds_what_its_remotes_say(lane: Lane, cast: Cast, time: MovableClock) -> None:
    acme = cast.acme
    with serving() as server:
        server.add_files("frog", make_wheel("frog", "1.0"))
        remote = make_remote(acme.tenant, server)
        virtual = make_virtual(acme, "all", [acme.repository, remote])
        for each in (remote, virtual):
            grant(each, Role.READER, acme.reader)
        page, reader = f"/{virtual}/simple/frog/", acme.reader.headers
        lane.get(page, reader, JSON)
        lane.get(page, reader, JSON)
        time.move(seconds=299)
        assert lane.knows(page, reader, JSON)
        server.add_files("frog", make_wheel("frog", "1.0"), make_wheel("frog", "2.0"))
        assert b"2.0" not in lane.get(page, reader, JSON).body
        refreshed(Source(remote, remote.upstream, ""), parse_name("frog"))
        assert b"2.0" in lane.get(page, reader, JSON).body


def test_a_name_is_new_through_a_virtual_when_a_remote_lets_it_go(lane: Lane, cast: Cast) -> None:
    """No upstream has a part in a page that is empty because a remote keeps the name."""
    acme = cast.acme
    with serving() as ours, serving() as theirs:
        ours.add_files("frog", make_wheel("frog", "1.0"))
        theirs.add_files("frog", make_wheel("frog", "2.0"))
        keeping = make_remote(acme.tenant, ours, "ours", names_are_kept=True)
        other = make_remote(acme.tenant, theirs, "theirs", names_are_kept=False)
        virtual = make_virtual(acme, "all", [keeping, other])
        for each in (keeping, other, virtual):
            grant(each, Role.READER, acme.reader)
        page, reader = f"/{virtual}/simple/frog/", acme.reader.headers
        assert b"1.0" in lane.get(page, reader, JSON).body
        keeping.upstream.exclude = ["frog"]
        configure.save_upstream(keeping.upstream, by=SYSTEM)
        assert b"whl" not in lane.get(page, reader, JSON).body
        curate.let_go(keeping, parse_name("frog"), by=acme.admin.principal)
        assert b"2.0" in lane.get(page, reader, JSON).body


def test_a_remotes_page_is_new_as_soon_as_it_was_asked_for_again(lane: Lane, cast: Cast) -> None:
    with serving() as server:
        server.add_files("frog", make_wheel("frog", "1.0"))
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        page, reader = f"/{remote}/simple/frog/", cast.acme.reader.headers
        lane.get(page, reader, JSON)
        server.add_files("frog", make_wheel("frog", "1.0"), make_wheel("frog", "2.0"))
        refreshed(Source(remote, remote.upstream, ""), parse_name("frog"))
        assert b"2.0" in lane.get(page, reader, JSON).body


def test_without_the_database_django_says_so(lane: Lane, frogs: Cast) -> None:
    def away(_: object) -> Any:
        raise OperationalError("the database is away")

    page, reader = "/acme/local/simple/frog/", frogs.acme.reader.headers
    lane.get(page, reader)
    lane.lane._lease = Lease(away, seconds=0)
    asked = lane.asked
    lane.get(page, reader)
    assert lane.asked == asked + 1


def test_when_nobody_can_say_what_has_changed_no_page_stays(
    lane: Lane, frogs: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Any:
        raise OperationalError("the database is away")

    frog, toad = "/acme/local/simple/frog/", "/acme/local/simple/toad/"
    reader = frogs.acme.reader.headers
    for url in (frog, toad):
        lane.get(url, reader)
    published(client, "frog", "1.2", make_wheel("frog", "1.2"), by=frogs.acme.writer)
    monkeypatch.setattr(held_answers, "names_changed_since", away)
    for url in (frog, toad):
        assert not lane.knows(url, reader)
        assert lane.knows(url, reader)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the database was asked for names that have changed."""
    asked: list[object] = []

    def counted(*given: int) -> dict[str, int] | None:
        asked.append(given)
        return names_changed_since(*given)

    monkeypatch.setattr(held_answers, "names_changed_since", counted)
    return asked


def test_what_has_changed_is_asked_for_when_something_is_wanted_again(
    lane: Lane, frogs: Cast, client: Client, questions: list[object]
) -> None:
    """And what was made after a change stays, the list of all projects too."""
    reader = frogs.acme.reader.headers
    root, frog, toad, newt = (f"/acme/local/simple/{each}" for each in ("", "frog/", "toad/", "x/"))
    for url in (root, frog, toad):
        lane.alone(url, reader)
    published(client, "frog", "1.2", make_wheel("frog", "1.2"), by=frogs.acme.writer)
    published(client, "x", "1.0", make_wheel("x", "1.0"), by=frogs.acme.writer)
    lane.alone(newt, reader)
    published(client, "frog", "1.3", make_wheel("frog", "1.3"), by=frogs.acme.writer)
    assert questions == []  # nobody had wanted any of it before
    assert lane.knows(newt, reader)
    assert len(questions) == 1
    assert lane.knows(toad, reader)
    assert not lane.knows(frog, reader)
    assert not lane.knows(root, reader)
    assert all(lane.knows(url, reader) for url in (root, frog, toad, newt))
    assert len(questions) == 1
    published(client, "y", "1.0", make_wheel("y", "1.0"), by=frogs.acme.writer)
    lane.alone("/acme/local/simple/", reader | JSON)  # made after the change that frog tells of
    assert lane.knows(frog, reader)
    assert lane.knows("/acme/local/simple/", reader | JSON)
    assert not lane.knows(root, reader)


@dataclass
class Rows:
    """A repository whose names have changed, and an answer about one of them."""

    room: HeldAnswers
    changed: dict[str, int] | None = field(default_factory=dict)

    def hold(self, name: str, stamp: Stamp, asked_at: float) -> None:
        """Hold the page of a name."""
        ground = Ground(1, "", {1: stamp})
        held = Held("200 OK", [], name.encode(), '""', name, ground)
        self.room.hold(_key(name), held, asked_at)

    def has(self, name: str, stamp: Stamp, asked_at: float) -> bool:
        """Say whether it is given by some present."""
        version = int(asked_at)
        present = Present(asked_at, frozenset({1}), Stamp(1, 1, ""), {1: stamp}, version)
        return self.room.get(_key(name), present, clock.now()) is not None


def _key(name: str) -> Key:
    return (Place(1, "", False, frozenset()), f"simple/{name}/", "json", False, "")


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    made = Rows(HeldAnswers())
    monkeypatch.setattr(held_answers, "names_changed_since", lambda *_: made.changed)
    return made


def test_of_two_who_came_at_once_the_older_answer_is_not_held(rows: Rows) -> None:
    """They were asked for by the same present, and Django has read the stamps of each after it."""
    for before, after in (
        (Stamp(1, 5, "a"), Stamp(1, 6, "b")),
        (Stamp(1, 6, "b"), Stamp(2, 6, "c")),
    ):
        rows.room = HeldAnswers()
        rows.hold("toad", after, 10.0)
        rows.hold("frog", before, 10.0)
        assert rows.has("toad", after, 11.0)
        assert not rows.has("frog", after, 11.0)


def test_where_nobody_can_say_what_has_changed_what_was_made_since_stays(rows: Rows) -> None:
    rows.hold("toad", Stamp(1, 5, "a"), 10.0)
    rows.hold("frog", Stamp(1, 6, "b"), 11.0)
    rows.hold("newt", Stamp(1, 7, "c"), 12.0)
    rows.changed = None
    assert rows.has("newt", Stamp(1, 7, "c"), 13.0)
    assert not rows.has("frog", Stamp(1, 7, "c"), 13.0)
    assert not rows.has("toad", Stamp(1, 7, "c"), 13.0)


def test_a_name_that_has_changed_twice_goes_by_its_latest_change(rows: Rows) -> None:
    for name, serial in (("toad", 5), ("frog", 6), ("newt", 8)):
        rows.hold(name, Stamp(1, serial, f"{serial}"), float(serial))
    rows.changed = {"toad": 7, "frog": 6, "newt": 8}
    assert not rows.has("toad", Stamp(1, 8, "8"), 9.0)
    assert rows.has("frog", Stamp(1, 8, "8"), 9.0)
    assert rows.has("newt", Stamp(1, 8, "8"), 9.0)


def test_a_first_resolve_through_a_remote_asks_for_no_changes(
    lane: Lane, cast: Cast, questions: list[object]
) -> None:
    names = [f"frog{number}" for number in range(5)]
    with serving() as server:
        for name in names:
            server.add_files(name, make_wheel(name, "1.0"))
        remote = make_remote(cast.acme.tenant, server)
        grant(remote, Role.READER, cast.acme.reader)
        for name in names:
            found = lane.alone(f"/{remote}/simple/{name}/", cast.acme.reader.headers)
            assert found.status == HTTPStatus.OK
    assert UpstreamPage.objects.count() == len(names)
    assert questions == []
    assert not lane.room._held  # what they stand on was read before upstream was asked


def test_whatever_happens_in_whatever_order_the_lane_agrees_with_django(
    lane: Lane, frogs: Cast, client: Client
) -> None:
    acme, dice = frogs.acme, random.Random(8)  # noqa: S311 - the same each time
    other = make_repository(acme.tenant, "other")
    grant(other, Role.WRITER, acme.writer)
    virtual = make_virtual(acme, "all", [acme.repository, other])
    grant(virtual, Role.READER, acme.reader)
    grant(virtual, Role.READER, acme.writer)
    numbers = iter(range(100))

    def publish() -> None:
        name, to = dice.choice(["frog", "toad"]), dice.choice([acme.repository, other])
        version = f"2.{next(numbers)}"
        published(client, name, version, make_wheel(name, version), by=acme.writer, to=f"/{to}/")

    def yank() -> None:
        row = dice.choice(Distribution.objects.filter(deleted_at__isnull=True))
        curate.yank(row, reason=f"{row.pk}", by=acme.admin.principal, undo=row.yanked)

    def delete() -> None:
        curate.delete(
            dice.choice(Distribution.objects.filter(deleted_at__isnull=True)),
            by=acme.admin.principal,
        )

    def reorder() -> None:
        configure.set_members(
            virtual, dice.choice([[acme.repository, other], [other, acme.repository]]), by=SYSTEM
        )

    def give_or_take() -> None:
        theirs = Grant.objects.filter(repository=other, membership__user=acme.reader.user).first()
        if theirs:
            configure.end_grant(theirs, by=SYSTEM)
        else:
            grant(other, Role.READER, acme.reader)

    pages = [
        f"/{repository}/simple/{page}"
        for repository in (acme.repository, other, virtual)
        for page in ("", "frog/", "toad/")
    ]
    for _ in range(15):
        dice.choice([publish, yank, delete, reorder, give_or_take])()
        for url in dice.sample(pages, 4):
            for who in (acme.reader, acme.writer):
                lane.get(url, who.headers, dice.choice([JSON, HTML]))
    assert lane.asked < 15 * 8
