"""Requests with anything in their headers, paths and bodies: answered well, and never with 500."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
from django.db import transaction
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.authentication import CredentialsRefused, credentials_in
from accounts.models import SignInFailures
from pypi.answer import Ask, is_unchanged
from pypi.errors import reason_phrase
from pypi.negotiate import JSON_V1, best_match, simple_type, takes_gzip
from pypi.ranges import Unsatisfiable, asked_range
from tests.access.asking import METHODS, Answer, ask, connection_kept
from tests.access.world import FORM, FORM_TYPE, FROG_NAME
from tests.cast import Cast
from tests.properties import examples
from tests.uploads import BOUNDARY

# What a server hands on is bytes, read as Latin-1. No line breaks: those end a header.
ANY = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
NUMBERS = st.one_of(
    st.integers(-5, 3000).map(str),
    st.sampled_from(["0", "00", "1e3", "²", "9" * 19, "9" * 20, "9" * 5000, "-0", " ", "٣"]),
)


def like(*samples: str) -> st.SearchStrategy[str]:
    """Return real values, real values with something in them, and anything."""
    real = st.sampled_from(samples)

    @st.composite
    def disturbed(draw: st.DrawFn) -> str:
        text, noise = draw(real), draw(ANY)
        at = draw(st.integers(0, len(text)))
        return text[:at] + noise + text[at + draw(st.integers(0, 3)) :]

    return st.one_of(real, disturbed(), ANY)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


AUTHORIZATIONS = st.one_of(
    like("Basic Og==", "Bearer lrd_x", "Digest x", "basic " + encoded("wes:x"), "Basic"),
    st.text(max_size=40).map(lambda text: f"Basic {encoded(text)}"),
    st.binary(max_size=40).map(lambda raw: "Basic " + base64.b64encode(raw).decode()),
    st.sampled_from(["wes:", "\x00:\x00", "a\x00:b", "__token__:lrd_\x00", "é:é"]).map(
        lambda text: f"Basic {encoded(text)}"
    ),
)
RANGES = st.one_of(
    like("bytes=0-1", "bytes=-5", "bytes=5-", "bytes=0-0,2-3", "bytes=5-2"),
    st.tuples(NUMBERS, NUMBERS).map(lambda pair: f"bytes={pair[0]}-{pair[1]}"),
)
ETAGS = like('"x"', 'W/"x"', "*", '"a", "b"', '"')
DATES = like("Fri, 20 Nov 2026 12:00:00 GMT", "Fri, 20 Nov 2026 12:00:00 -0000", "0", "1 1 1 1 1")
ACCEPTS = like(
    JSON_V1,
    "text/html;q=0.1, */*;q=nan",
    "application/problem+json",
    "*/*;q=inf",
    "application/*;q=-1, text/plain;q=1e400",
    ";;;,,,",
)
CONTENT_TYPES = st.one_of(
    like(
        FORM_TYPE,
        "text/xml",
        "text/xml; charset=utf-16",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "application/x-www-form-urlencoded; charset=utf-7",
        "text/html; charset*=utf-8''a%00b",
        "text/html; x*=bogus''%41",
        "multipart/form-data; boundary*=bogus''%41",
    ),
    ANY.map(lambda noise: f"multipart/form-data; boundary={noise}"),
)
COOKIES = like(
    'sessionid="aaaaaaaaaaaa\\000b"',
    "sessionid=" + "a" * 32,
    "csrftoken=x; messages=y",
    'messages="\\000"',
    "=; ;=;;",
)
HEADERS: dict[str, st.SearchStrategy[str]] = {
    "Accept": ACCEPTS,
    "Accept-Encoding": like("gzip", "gzip;q=0, *", "identity"),
    "Authorization": AUTHORIZATIONS,
    "X-JFrog-Art-Api": like("lrd_x", "AKC", " "),
    "Content-Length": NUMBERS,
    "Content-Type": CONTENT_TYPES,
    "Cookie": COOKIES,
    "Host": like("testserver", "testserver:80", "[::1]", "[::1", "a..b", "localhost:99999999"),
    "If-Match": ETAGS,
    "If-Modified-Since": DATES,
    "If-None-Match": ETAGS,
    "If-Range": ETAGS,
    "Origin": like("null", "http://testserver", "http://[", "https://elsewhere.example"),
    "Range": RANGES,
    "Referer": like("http://testserver/", "http://[", "//"),
    "Sec-Fetch-Mode": like("navigate", "cors"),
    "Sec-Fetch-Site": like("cross-site", "same-origin"),
    "Transfer-Encoding": like("chunked", "gzip, chunked"),
    "User-Agent": like("pip/26.3", "twine/6.2"),
    "X-CSRFToken": ANY,
    "X-Forwarded-For": like("10.0.0.1", "::1", "a, b", "\x00"),
    "X-Forwarded-Proto": like("https", "http"),
    "X-Requested-With": ANY,
}
URLS = (
    "/",
    "/acme/",
    "/acme/local/",
    "/acme/local/project/frog/",
    "/acme/local/simple/",
    "/acme/local/simple/frog/",
    "/acme/local/frog/",
    f"/acme/local/files/frog/{FROG_NAME}",
    f"/acme/local/files/frog/{FROG_NAME}.metadata",
    "/acme/local/pypi/frog/json",
    "/acme/local/deep/simple/frog/",
    "/api/pypi/local/simple/",
    "/pypi/simple/frog/",
    "/accounts/sign-in/",
    "/admin/",
    "/-/health",
    "/favicon.ico",
    "/nothing",
)


@pytest.fixture
def house(cast: Cast, settings, monkeypatch) -> Iterator[Cast]:
    """The cast, a file in acme/local, and requests that go straight to the application."""
    monkeypatch.setattr("portal.middleware.LEASE_SECONDS", 0)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.DEFAULT_TENANT, settings.DEFAULT_REPOSITORY = "acme", ("acme", "local")
    with connection_kept():
        sent = ask(
            "POST", "/acme/local/", cast.acme.writer.headers, body=FORM, content_type=FORM_TYPE
        )
        assert sent.status == 200
        yield cast


def answered(method: str, url: str, headers: dict[str, str], body: bytes = b"") -> Answer:
    """Ask, look whether the answer is one, and forget what the request has changed."""
    one_example = transaction.atomic()
    # As Django's TestCase says it: within, "durable" is fine.
    one_example._from_testcase = True  # type: ignore[attr-defined]  # not in the stubs
    with one_example:
        SignInFailures.objects.all().delete()
        answer = ask(method, url, headers, body=body)
        transaction.set_rollback(True)
    shown = (method, url, headers, answer.status, answer.reason)
    assert 200 <= answer.status < 500, shown
    assert re.fullmatch(r"[ -~]{0,300}", answer.reason), shown
    for name, value in answer.headers:
        assert re.fullmatch(r"[A-Za-z0-9-]+", name), shown
        assert value.isascii(), (name, shown)
        assert value.isprintable(), (name, shown)
    if answer.status == 304:
        assert (answer.body, answer.header("Content-Length")) == (b"", ""), shown
    elif method != "HEAD" and answer.header("Content-Length"):
        assert len(answer.body) == int(answer.header("Content-Length")), shown
    return answer


@given(
    st.sampled_from(METHODS),
    st.sampled_from(URLS),
    st.booleans(),
    st.fixed_dictionaries({}, optional=HEADERS),
)
@example("POST", "/acme/local/", True, {"Content-Length": "9" * 5000})
@example("GET", "/", False, {"Cookie": 'sessionid="aaaaaaaaaaaa\\000b"'})
@example("GET", "/", False, {"Content-Type": "text/html; x*=bogus''%41"})
@example("POST", "/acme/local/", True, {"Content-Type": "text/html; charset*=utf-8''a%00b"})
@examples(400)
def test_no_header_breaks_anything(
    house: Cast, method: str, url: str, is_known: bool, headers: dict[str, str]
) -> None:
    body = FORM if method == "POST" else b""
    own = house.acme.writer.headers if is_known else {}
    answered(method, url, {"Content-Type": FORM_TYPE, **headers, **own}, body)


SEGMENTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["acme", "local", "simple", "frog", "files", "project", "pypi", "json", "-"]),
    st.sampled_from(["%00", "%0d%0a", "%ff", "%2e%2e", "..", ".", "%25", "%e2%80%ae", "+simple"]),
)


@given(st.sampled_from(METHODS), st.lists(SEGMENTS, max_size=6), st.text(max_size=20))
@examples(300)
def test_no_url_breaks_anything(house: Cast, method: str, segments: list[str], query: str) -> None:
    path = "/".join(["", *segments]).replace("?", "").encode("utf-8", "replace").decode()
    words = query.encode("utf-8", "replace").decode("latin-1").replace("\n", "")
    for end in ("", "/"):
        answered(method, f"{path}{end}?page={words}&format={words}", house.acme.writer.headers)


@given(st.lists(SEGMENTS, min_size=1, max_size=3))
@example(["\x1f", "simple"])
@examples(25)
def test_no_project_file_or_version_breaks_anything(house: Cast, parts: list[str]) -> None:
    below = "/".join(parts).replace("?", "").encode("utf-8", "replace").decode()
    for start in ("simple", "files", "files/frog", "pypi", "pypi/frog", "project", ""):
        for end in ("", "/", "/json", ".metadata"):
            url = f"/acme/local/{start}/{below}{end}"
            answer = answered("GET", url, house.acme.reader.headers)
            # 404 means that the index was read and has no such thing; 410 sends nobody on.
            assert answer.status in {200, 301, 404, 410}, (url, answer)


@given(st.binary(max_size=400), st.integers(0, len(FORM)), st.integers(0, 400), CONTENT_TYPES)
@examples(100)
def test_no_form_breaks_anything(
    house: Cast, noise: bytes, at: int, cut: int, content_type: str
) -> None:
    writer = house.acme.writer.headers
    disturbed = FORM[:at] + noise + FORM[at + cut :]
    answered("POST", "/acme/local/", writer | {"Content-Type": FORM_TYPE}, disturbed)
    answered("POST", "/acme/local/", writer | {"Content-Type": content_type}, disturbed)
    short = {"Content-Type": FORM_TYPE, "Content-Length": str(len(FORM))}
    answered("POST", "/acme/local/", writer | short, FORM[:at])
    answered(
        "POST", "/acme/local/", writer | {"Content-Type": FORM_TYPE}, noise + BOUNDARY.encode()
    )


@given(AUTHORIZATIONS, st.one_of(st.just(""), ANY))
@examples(300)
def test_credentials_are_read_or_refused(authorization: str, key: str) -> None:
    try:
        found = credentials_in({"authorization": authorization, "x-jfrog-art-api": key})
    except CredentialsRefused as refusal:
        assert not key.strip()
        assert refusal.sentence.isascii()  # noqa: PT017 - the same
        return
    if not authorization.strip() and not key.strip():
        assert found is None
    elif found is None:  # an empty password is no credential
        scheme, _, rest = authorization.strip().partition(" ")
        assert (scheme.lower(), key.strip()) == ("basic", "")
        name, _, password = base64.b64decode(rest).decode().partition(":")
        assert password == "", name
    else:
        assert found.secret not in repr(found) or len(found.secret) < 12


@given(ACCEPTS, like(JSON_V1, "application/vnd.pypi.simple.latest+json"))
@examples(300)
def test_any_accept_header_chooses_one_that_is_offered(accept: str, wanted: str) -> None:
    assert simple_type(accept, wanted) in {
        JSON_V1,
        "application/vnd.pypi.simple.v1+html",
        "text/html",
    }
    offered = ["application/json", "text/plain"]
    assert best_match(accept, offered) in {*offered, ""}
    assert takes_gzip(accept) in {True, False}
    assert takes_gzip("gzip") is True


@given(RANGES, ETAGS, st.integers(0, 2000), st.sampled_from(["GET", "HEAD"]))
@examples(500)
def test_any_range_lies_within_the_file(header: str, tag: str, size: int, method: str) -> None:
    ask = Ask(method=method, tenant="acme", key="local", headers={"range": header, "if-range": tag})
    try:
        found = asked_range(ask, size=size, etag='"x"', modified="")
    except Unsatisfiable:
        return
    if found is not None:
        start, length = found
        assert method == "GET"
        assert 0 <= start < start + length <= size


@given(ETAGS)
@examples(200)
def test_any_if_none_match_is_read(header: str) -> None:
    ask = Ask(method="GET", tenant="acme", key="local", headers={"if-none-match": header})
    is_named = header.strip() == "*" or '"x"' in header
    assert is_unchanged(ask, '"x"') <= (is_named or "*" in header)


@given(st.text())
@examples(300)
def test_any_sentence_becomes_one_line_of_ascii(sentence: str) -> None:
    assert re.fullmatch(r"[ -~]{0,300}", reason_phrase(sentence))
