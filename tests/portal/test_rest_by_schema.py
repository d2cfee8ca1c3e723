"""The REST door by its own schema: whatever it is asked, it answers as the schema says.

schemathesis makes the requests. Each is asked as one of the cast, about what is there and what is
not, and what it changes is undone.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.models import Membership, Token
from packages.models import Distribution
from repos.models import Grant
from tests.access.asking import connection_kept, handler
from tests.access.world import session_of
from tests.canaries import canaries
from tests.canary_tenant import furnish
from tests.cast import Cast
from tests.properties import examples


def no_fault_of_ours(_context: Any, response: Any, _case: Any) -> None:
    """Require that what cannot be answered is explained: upstream is away, storage is."""
    assert response.status_code < 500 or response.status_code in {501, 502, 503}


CHECKS = [
    no_fault_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Each with how many answers at least must not be refusals, or nothing behind the door was tried.
CALLERS = {"anonymous": 1, "stranger": 3, "reader": 8, "writer": 8, "admin": 25, "superuser": 25}


@dataclass
class Scene:
    """The schema, and the names of what is there to be asked for."""

    schema: Any
    cast: Cast
    there: dict[str, list[str]]

    def headers(self, who: str) -> dict[str, str]:
        """Return what a caller sends."""
        acme = self.cast.acme
        by_token = {"reader": acme.reader, "writer": acme.writer}
        by_session = {
            "admin": acme.admin,
            "superuser": self.cast.superuser,
            "stranger": self.cast.stranger,
        }
        if who in by_token:
            return by_token[who].headers
        return session_of(by_session[who].user) if who in by_session else {}


@pytest.fixture
def scene(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Acme with one of everything."""
    monkeypatch.setattr("portal.middleware.LEASE_SECONDS", 0)
    # Wrong refresh tokens are counted for good, which what is undone afterwards cannot hold.
    monkeypatch.setattr("accounts.throttle.count_failure", lambda **_: None)
    furnish(cast.acme, Client(), "acme")
    # A password that chance makes may be a word of ours, which many answers have.
    monkeypatch.setattr(canaries, "watch", lambda _: None)
    files = Distribution.objects.values_list("pk", "filename", "release__project__normalized")
    there = {
        "tenant": ["acme"],
        "key": ["local", "acme-virtual", "acme-remote"],
        "project": sorted({name for _, _, name in files}),
        "version": ["1.0", "2.0"],
        "filename": ["frog-1.0-py3-none-any.whl", *(name for _, name, _ in files)],
        "name": ["acme-team", "acme-ci", "qa.approved"],
        "username": ["sam", "acme-guest"],
        "pattern": ["acme-*"],
        "id": [
            str(row.pk)
            for model in (Distribution, Grant, Membership, Token)
            for row in model._default_manager.all()[:3]
        ],
    }
    logging.disable()
    with connection_kept():
        yield Scene(schemathesis.openapi.from_wsgi("/api/v1/schema", handler()), cast, there)
    logging.disable(logging.NOTSET)


def test_the_schema_is_valid_and_nothing_about_it_is_guessed(db: None) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


@pytest.mark.parametrize("who", CALLERS)
def test_every_operation_answers_as_the_schema_says(scene: Scene, who: str) -> None:
    sent = scene.headers(who)
    operations = [each.ok() for each in scene.schema.get_all_operations()]
    assert len(operations) > 60
    statuses: Counter[int] = Counter()
    for operation in operations:
        _try(scene, operation, sent, statuses)
    assert sum(statuses[status] for status in (200, 201, 202, 204)) >= CALLERS[who]


def _try(scene: Scene, operation: Any, sent: dict[str, str], statuses: Counter[int]) -> None:
    names = [each.name for each in operation.path_parameters]
    is_versioned = any(each.name == "If-Match" for each in operation.headers)

    @examples(2)
    @given(
        case=operation.as_strategy(),
        places=st.fixed_dictionaries({name: st.sampled_from(scene.there[name]) for name in names}),
        state=st.sampled_from(["*", "*", '"another"']),
    )
    def answers(case: Any, places: dict[str, str], state: str) -> None:
        case.path_parameters = places
        if is_versioned:
            case.headers["If-Match"] = state
        with transaction.atomic():
            answer = case.call(**_as_sent(sent))
            case.validate_response(answer, checks=CHECKS)
            statuses[answer.status_code] += 1
            transaction.set_rollback(True)

    answers()


def _as_sent(sent: dict[str, str]) -> dict[str, Any]:
    """Return what a caller sends as schemathesis takes it; a session with the token of a page."""
    if "Cookie" not in sent:
        return {"headers": sent}
    cookies = dict(each.split("=", 1) for each in sent["Cookie"].split("; "))
    return {"cookies": cookies, "headers": {"X-CSRFToken": cookies[settings.CSRF_COOKIE_NAME]}}
