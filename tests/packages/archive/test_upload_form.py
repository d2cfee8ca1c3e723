"""What a form says beside a sound archive, and what the gate found: kept, and shown."""

from __future__ import annotations

import hashlib
import tracemalloc
from http import HTTPStatus

import pytest
from django.test import Client

from base.audit import SYSTEM
from packages.filenames import parse_filename
from packages.models import Distribution, LooseObject, Project
from packages.upload_form import FormRefused, requires_python_of
from pypi.errors import reason_phrase
from repos import configure
from repos.rules import Rules
from tests.archives.cases import INFO, SDIST, Case, sdist, slugs, wheel
from tests.archives.hostile import FORMS
from tests.archives.sending import body_of
from tests.cast import Cast
from tests.dists import make_egg
from tests.uploads import post_form


def judged_by(cast: Cast, rules: Rules) -> Cast:
    """Give acme's repository these rules."""
    repository = cast.acme.repository
    repository.rules = rules
    configure.change_repository(repository, by=SYSTEM)
    return cast


@pytest.mark.parametrize("case", FORMS, ids=slugs(FORMS))
def test_a_hostile_form(client: Client, cast: Cast, case: Case) -> None:
    # Strict first: nothing may be there that a refusal has to leave alone.
    for rules in sorted(Rules, reverse=True):
        judged_by(cast, rules)
        response = post_form(client, body_of(case), to="/acme/local/", by=cast.acme.writer)
        if not case.is_refused_by(rules):
            assert response.status_code == HTTPStatus.OK, response.reason_phrase
            continue
        assert 400 <= response.status_code < 500
        assert case.sentence(rules) in response.content.decode()
        assert response.reason_phrase == reason_phrase(response.content.decode().strip())
        assert not Project.objects.exists()
        assert not Distribution.objects.exists()
        assert not LooseObject.objects.exists()


def test_what_is_odd_is_kept_and_shown_to_people(client: Client, cast: Cast) -> None:
    lines = ["Classifier: Frogs :: <b>Green</b>"]
    odd = Case("odd", wheel(extra_headers=lines, files={f"{INFO}/RECORD": b"frog.py,,\n"}))
    response = post_form(client, body_of(odd), to="/acme/local/", by=cast.acme.writer)
    assert response.status_code == HTTPStatus.OK, response.reason_phrase
    record, classifier = Distribution.objects.get().findings
    assert "has a RECORD that does not match its contents" in record
    assert "has the unknown classifier" in classifier
    client.force_login(cast.acme.reader.user)
    page = client.get("/acme/local/project/frog/?tab=files").content.decode()
    assert "2 findings" in page
    assert "has a RECORD that does not match its contents" in page
    assert "Frogs :: &lt;b&gt;Green" in page


def test_what_is_not_odd_shows_nothing(client: Client, cast: Cast) -> None:
    sound = Case("sound", sdist(), filename=SDIST)
    assert post_form(client, body_of(sound), to="/acme/local/", by=cast.acme.writer)
    assert Distribution.objects.get().findings == []
    client.force_login(cast.acme.reader.user)
    assert "finding" not in client.get("/acme/local/project/frog/").content.decode()


def test_a_requires_python_of_the_form_becomes_one_line(client: Client, cast: Cast) -> None:
    filename, content = make_egg("frog", "1.0", pkg_info=False)
    egg = Case("egg", lambda: content, filename=filename, form={"requires_python": ">=2.7,\n <4"})
    response = post_form(client, body_of(egg), to="/acme/local/", by=cast.acme.writer)
    assert response.status_code == HTTPStatus.OK, response.reason_phrase
    assert Distribution.objects.get().requires_python == ">=2.7, <4"


def test_a_giant_requires_python_is_measured_before_it_is_read() -> None:
    named = parse_filename("frog-1.0-py3.11.egg", name="frog", version="1.0")
    giant = ",".join(f"!={number}" for number in range(500_000))
    tracemalloc.start()
    try:
        with pytest.raises(FormRefused, match="has a Requires-Python of"):
            requires_python_of(lambda _: giant, named)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


def test_only_the_digest_of_old_distutils_may_be_another(client: Client, cast: Cast) -> None:
    content = wheel()()
    digest = hashlib.blake2b(content).hexdigest()
    old = Case("old", lambda: content, form={"blake2_256_digest": digest.upper()})
    response = post_form(client, body_of(old), to="/acme/local/", by=cast.acme.writer)
    assert response.status_code == HTTPStatus.OK, response.reason_phrase
