"""Log lines hold no secret, whoever wrote them."""

from __future__ import annotations

import io
import json
import logging
import sys
from time import monotonic
from typing import Any

import pytest
import structlog
from django.core.management import get_commands, load_command_class
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils.log import AdminEmailHandler
from gunicorn.config import Config

from accounts import tokens
from portal import urls
from portal.gunicorn import QuietLogger
from portal.logs import without_secrets
from tests.cast import Cast, basic, make_user

TOKEN = "lrd_" + "Ab1" * 19
PASSWORD = "canary-password-of-pia"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f"token {TOKEN} was used", TOKEN),
        ("connecting to postgres://larder:hunter2@db/larder", "hunter2"),
        ("https://:hunter2@host/", "hunter2"),
        ("Authorization: Basic X190b2tlbl9fOmh1bnRlcjI=", "X190b2tlbl9fOmh1bnRlcjI="),
        ("authorization: bearer abcdefghijklmnop", "abcdefghijklmnop"),
        ("{'HTTP_AUTHORIZATION': 'Digest hunter2'}", "hunter2"),
        ("Authorization: Basic dTpw", "dTpw"),
        ("x-jfrog-art-api: hunter2", "hunter2"),
        ("{'password': ['hunter2 and more'], 'next': ['/']}", "hunter2 and more"),
        ("{'new_password1': 'hunter2'}", "hunter2"),
        ("username=pia&password=hunter2&next=/", "hunter2"),
        ('{"upstream-0-new_password": "hunter2"}', "hunter2"),
        ('{\\"token\\": \\"hunter2\\"}', "hunter2"),
        (repr({b"password": b"hunter2"}), "hunter2"),
        ("Cookie: theme=dark; sessionid=hunter2; x", "hunter2"),
        ("Set-Cookie: __Host-larder=hunter2; Path=/", "hunter2"),
        ("csrfmiddlewaretoken=hunter2", "hunter2"),
        ("LARDER_SECRET_KEY=hunter2", "hunter2"),
        ("AUTHOR\u0130ZATION: hunter2", "hunter2"),
        ("cook\u0131e=hunter2", "hunter2"),
    ],
)
def test_a_credential_is_struck_out(line: str, secret: str) -> None:
    assert secret not in without_secrets(line)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("postgres://larder:hunter2@db/larder is down", "postgres://***@db/larder is down"),
        ("This token is not valid: it is wrong.", "This token is not valid: it is wrong."),
        ("password=x&next=/acme/", "password=***&next=/acme/"),
    ],
)
def test_the_rest_of_the_line_stays(line: str, left: str) -> None:
    assert without_secrets(line) == left


@pytest.mark.parametrize(
    "line",
    ["token" * 20_000, "token='a" * 10_000, "basic " * 20_000, "password='" + "\\" * 100_001],
    ids=["names", "quotes", "schemes", "escapes"],
)
def test_a_hostile_line_costs_little(line: str) -> None:
    begun = monotonic()
    without_secrets(line)
    assert monotonic() - begun < 2


@pytest.fixture
def written(monkeypatch) -> io.StringIO:
    """What the process writes to standard error."""
    output = io.StringIO()
    (handler,) = [
        each
        for each in logging.getLogger().handlers
        if isinstance(each, logging.StreamHandler)
        and isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)
    ]
    monkeypatch.setattr(handler, "stream", output)
    return output


def crash(request: HttpRequest) -> HttpResponse:
    """Break as badly as possible: with every secret of the request in the message and at hand."""
    authorization, form = request.headers.get("Authorization"), request.POST
    cookies = request.headers.get("Cookie")
    token = tokens.PREFIX + request.GET.get("rest", "")
    cause = ValueError(f"{form} and {dict(request.headers)}")
    raise RuntimeError(
        f"Authorization: {authorization} password={form.get('password')} {token} "
        f"{request.headers} Cookie: {cookies} {json.dumps(form.dict())} {request!r}"
    ) from cause


class WithOneThatBreaks:
    """Our URLs, and one more."""

    urlpatterns = (path("crash/", crash), *urls.urlpatterns)
    handler500 = urls.handler500


def test_a_crash_tells_no_secret(cast: Cast, written: io.StringIO, settings) -> None:
    browser = Client(raise_request_exception=False)
    make_user("pia", password=PASSWORD)
    browser.login(username="pia", password=PASSWORD)
    session = browser.cookies["sessionid"].value
    settings.ROOT_URLCONF = WithOneThatBreaks
    secret = cast.acme.writer.secret
    answer = browser.post(
        f"/crash/?rest={secret.removeprefix(tokens.PREFIX)}",
        {"username": "pia", "password": PASSWORD},
        headers=basic("__token__", secret),
    )
    assert answer.status_code == 500
    log = written.getvalue()
    assert "RuntimeError" in log
    assert "in crash" in log
    shown = basic("__token__", secret)["Authorization"].removeprefix("Basic ")
    for place in (log, answer.content.decode(), str(answer.headers), answer.reason_phrase):
        for each in (secret, PASSWORD, session, shown):
            assert each not in place


def test_a_mistake_has_one_number_in_its_page_its_answer_and_its_log_line(
    db: None, written: io.StringIO, settings
) -> None:
    settings.ROOT_URLCONF = WithOneThatBreaks
    browser = Client(raise_request_exception=False)
    numbers = []
    for _ in range(2):
        answer = browser.get("/crash/")
        number = answer.headers["X-Request-Id"]
        assert number in answer.content.decode()
        assert f"request={number}" in written.getvalue()
        numbers.append(number)
    assert numbers[0] != numbers[1]
    assert "X-Request-Id" in browser.get("/-/health").headers


def test_the_line_of_a_refusal_has_its_number(db: None, written: io.StringIO) -> None:
    answer = Client().get("/acme/nothing/simple/")
    assert answer.status_code == 401
    assert f"request={answer.headers['X-Request-Id']}" in written.getvalue()
    logging.getLogger("tests").warning("later, for somebody else")
    last = written.getvalue().splitlines()[-1]
    assert "somebody else" in last
    assert answer.headers["X-Request-Id"] not in last


def test_values_of_any_kind_are_looked_through(written: io.StringIO) -> None:
    log = structlog.get_logger("tests")
    log.warning("asked", headers={"Authorization": "Basic dTpwYXNz"}, attempts=3, ok=True)
    log.warning("asked", new_password="hunter2", args=["token=hunter2"])
    logging.getLogger("tests").warning("with %s", {"password": "hunter2"})
    said = written.getvalue()
    assert "hunter2" not in said
    assert "dTpwYXNz" not in said
    assert "attempts=3" in said
    assert "ok=true" in said


def test_nothing_is_sent_by_mail() -> None:
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    handlers = [handler for logger in loggers for handler in logger.handlers]
    assert not [each for each in handlers if isinstance(each, AdminEmailHandler)]


def test_gunicorns_own_lines_hold_no_secret(monkeypatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", said)
    monkeypatch.setattr(sys, "stderr", said)
    config = Config()
    config.set("accesslog", "-")
    logger = QuietLogger(config)
    try:
        logger.error("Error handling request %s", f"/?token=hunter2&x={TOKEN}")
        logger.access_log.info(f'127.0.0.1 "GET /{TOKEN}" 404')
        broken = RuntimeError("Authorization: Basic dTpwYXNz")
        logger.error("Error handling request", exc_info=broken)
    finally:
        for log in (logger.error_log, logger.access_log):
            for handler in list(log.handlers):
                log.removeHandler(handler)
    assert "Error handling request /?token=***&x=lrd_***" in said.getvalue()
    assert 'GET /lrd_***" 404' in said.getvalue()
    assert "RuntimeError" in said.getvalue()
    assert "dTpwYXNz" not in said.getvalue()


def test_no_command_takes_a_secret_on_its_line() -> None:
    """Whoever is on the machine may read the arguments of every process."""
    ours = {"accounts", "repos", "packages", "portal", "base"}
    taken: list[tuple[str, Any]] = []
    for name, app in get_commands().items():
        if app in ours:
            parser = load_command_class(str(app), name).create_parser("manage.py", name)
            taken += [(name, action.dest) for action in parser._actions]
    assert len(taken) > 20
    assert not [each for each in taken if any(word in each[1] for word in ("password", "secret"))]


def test_what_ci_shows_and_gets_is_struck_out() -> None:
    shown, got = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln", "lrp_" + "a" * 57
    told = without_secrets(f"{shown} became {got}")
    assert told == "eyJ*** became lrp_***"
