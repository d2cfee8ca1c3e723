"""The whole generator through the front door of a running Larder, at both levels.

Every hostile upload is refused in its own words and leaves nothing behind, and every good one
goes in, while the web server's memory stays as it is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pypi.errors import reason_phrase
from repos.rules import Rules
from tests.archives.cases import WHEEL, Case, wheel
from tests.archives.good import GOOD
from tests.archives.hostile import ARCHIVES, FORMS
from tests.archives.sending import body_of
from tests.journeys.larder import Larder, Repository
from tests.journeys.memory import MIB, warm, watched
from tests.journeys.wire import request
from tests.uploads import BOUNDARY, form_body, twine_fields

pytestmark = pytest.mark.measured

SECONDS = 5
GROWTH_AT_MOST = 100 * MIB

HOSTILE = (*ARCHIVES, *FORMS)

MAKE = """
import sys
import django
django.setup()
from accounts.models import Team, Tenant
from accounts.roles import Role
from base.audit import SYSTEM
from repos import configure
from repos.models import Grant, Repository
tenant = Tenant.objects.get(slug="acme")
team = Team.objects.get(tenant=tenant, name="packagers")
for name in sys.argv[1:]:
    key, rules = name.split("=")
    made = Repository(tenant=tenant, key=key, rules=rules)
    configure.create_repository(made, by=SYSTEM, members_read=True)
    grant = Grant(repository=made, role=Role.WRITER, subject=Grant.Subject.TEAM, team=team)
    configure.save_grant(grant, by=SYSTEM)
"""
LEFT = """
import json
import os
import django
django.setup()
from django.apps import apps
from django.conf import settings
from django.core.files.storage import storages
from accounts.models import Tenant

def files(folder):
    folders, names = storages["blobs"].listdir(folder)
    return len(names) + sum(files(os.path.join(folder, name)) for name in folders)

models = apps.get_app_config("packages").get_models()
left = {model.__name__: model.objects.count() for model in models}
for counted in ("FileDownloads", "RepositoryDay"):  # of good files, behind their downloads
    del left[counted]
left["used"] = sum(Tenant.objects.values_list("used_bytes", flat=True))
left["spooled"] = len(os.listdir(settings.SPOOL_FOLDER))
left["stored"] = files("")
print(json.dumps(left))
"""


@dataclass(frozen=True)
class Heard:
    """What a client hears of an upload."""

    status: int
    reason: str
    body: str
    seconds: float


def send(larder: Larder, repository: Repository, body: bytes) -> Heard:
    """Post a form."""
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(body)),
        "Accept": "text/plain",
    }
    started = time.monotonic()
    with request("POST", repository.url, larder.writer, headers=headers, body=[body]) as response:
        text = response.read().decode()
        return Heard(response.status, response.reason, text, time.monotonic() - started)


def make(larder: Larder, prefix: str, rules: Sequence[Rules]) -> list[Repository]:
    """Make a repository for each of these rules."""
    keys = [f"{prefix}-{number}" for number in range(len(rules))]
    larder.python(MAKE, *(f"{key}={each}" for key, each in zip(keys, rules, strict=True)))
    return [Repository(f"{larder.url}/acme/{key}/") for key in keys]


def left(larder: Larder) -> dict[str, int]:
    """Return how much there is of everything that an upload makes."""
    return dict(json.loads(larder.python(LEFT)))


def test_hostile_uploads_are_refused_and_leave_nothing(
    larder: Larder, repository: Repository
) -> None:
    warm(larder, repository)
    places = dict(zip(Rules, make(larder, "hostile", list(Rules)), strict=True))
    marks, before = larder.log_marks(), left(larder)
    wrong, slowest, count = [], 0.0, 0
    with watched(larder) as memory:
        for case in HOSTILE:
            body = body_of(case)
            for rules in filter(case.is_refused_by, Rules):
                heard = send(larder, places[rules], body)
                count += 1
                slowest = max(slowest, heard.seconds)
                if complaint := _complaint(case, rules, heard):
                    wrong.append(f"{case.slug} ({rules}): {complaint}")
    assert not wrong, "\n".join(wrong)
    assert count >= 400
    assert left(larder) == before
    assert memory.growth < GROWTH_AT_MOST
    assert "Traceback" not in larder.log_since(marks)
    grown = f"{memory.growth / MIB:+.1f} MiB"
    print(f"\n{count} refusals, the slowest after {slowest:.2f} s, {grown}")  # noqa: T201 - pytest -s


def _complaint(case: Case, rules: Rules, heard: Heard) -> str:
    """Return what is wrong with an answer; empty when it is the right refusal."""
    sentence = case.sentence(rules)
    if not 400 <= heard.status < 500:
        return f"{heard.status} {heard.reason}"
    if sentence not in heard.body:
        return f"it says: {heard.body}"
    if heard.reason != reason_phrase(heard.body.strip()):
        return f"the reason is another: {heard.reason}"
    return f"after {heard.seconds:.1f} s" if heard.seconds > SECONDS else ""


def test_good_but_odd_uploads_go_in(production: Larder) -> None:
    good = [(case, rules) for case in GOOD for rules in Rules]
    good += [(case, Rules.COMPATIBLE) for case in HOSTILE if case.let_in]
    places = make(production, "good", [rules for _, rules in good])
    wrong = []
    for (case, rules), repository in zip(good, places, strict=True):
        heard = send(production, repository, body_of(case))
        if heard.status != 200 or heard.seconds > SECONDS:
            wrong.append(f"{case.slug} ({rules}): {heard}")
    assert not wrong, "\n".join(wrong)
    assert len(good) >= 2 * 40


def form(*more: tuple[str, str]) -> bytes:
    """Return a sound upload with further fields in front of its file."""
    content = wheel()()
    fields = [*twine_fields("frog", "1.0", WHEEL, content), *more]
    return form_body(fields, filename=WHEEL, content=content)


BROKEN = {
    "a-flood-of-fields": (
        form(*[("classifiers", "x")] * 20_001),
        "The form cannot be read: Maximum segment count exceeded",
    ),
    "fields-of-9-mib": (form(("description", "x" * 9 * MIB)), "are larger than 8388608 bytes"),
    "a-field-that-is-not-utf-8": (
        form(("author", "frog")).replace(b"\r\nfrog\r\n", b"\r\nfr\xf6g\r\n", 1),
        "is not UTF-8 text",
    ),
    "two-files": (
        form()[: -len(f"--{BOUNDARY}--\r\n")] + form(),
        "The form has more than one file",
    ),
    "no-file": (f"--{BOUNDARY}--\r\n".encode(), "The form has no file in it"),
    "no-end": (form()[:-60], "The form cannot be read"),
    "noise": (b"\xff" * 5000, "The form cannot be read"),
    "a-part-without-a-name": (
        form().replace(b'; name="content"', b"", 1),
        "The form has no file in it",
    ),
}


@pytest.mark.parametrize("slug", BROKEN)
def test_a_broken_form_is_refused(production: Larder, slug: str) -> None:
    body, says = BROKEN[slug]
    heard = send(production, production.repository(), body)
    assert heard.status == 400
    assert says in heard.body
    assert heard.reason == reason_phrase(heard.body.strip())
    assert heard.seconds < SECONDS


def test_a_form_may_have_many_fields_and_a_long_description(production: Larder) -> None:
    many = [("requires_dist", f"dep{number}>=1") for number in range(1500)]
    body = form(*many, ("description", "frogs are green\n" * 200_000))
    assert send(production, production.repository(), body).status == 200
