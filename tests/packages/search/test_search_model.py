"""Any query finds in the database what the model says, on whichever database this runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from hypothesis import example, given

from packages.models import Distribution, Document
from packages.search.files import find_files
from packages.search.ground import Ground
from packages.search.language import Matches, Query, Wildcard, written
from packages.search.parsing import parse
from packages.search.projects import find_projects
from repos.models import Kind
from tests.attested import attest
from tests.cast import Cast, assemble, make_repository
from tests.packages.search import model, queries
from tests.packages.search.shelves import model_of, put
from tests.properties import examples


@pytest.fixture(scope="module")
def files(django_db_setup: None, django_db_blocker) -> Iterator[list[Distribution]]:
    """A dozen files of three repositories, with what makes queries go wrong."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield list(_files(assemble()))
        transaction.set_rollback(True)


def _files(cast: Cast) -> Iterator[Distribution]:
    acme, globex = cast.acme.repository, cast.globex.repository
    other = make_repository(cast.acme.tenant, "other", Kind.REMOTE)
    odd = {"qa.level": [value for value in queries.ODD if value]}
    yield put(acme, "frog", "1.0", {"qa.approved": ["yes", "no"], "qa.level": ["1.0", "1.10"]})
    yield put(acme, "frog-fu", "1.2", {"qa.approved": ["yes"]}, readme="<p>Functional units</p>")
    yield put(acme, "newt", "2.0rc1", {"pypi.summary": ["A frog in its pond"]}, kind="sdist")
    yield put(acme, "bull-frog", "1.10", {"qa.approved": ["Yes"]}, state="failed")
    yield put(globex, "frog", "1!0.1", odd)
    yield put(globex, "x", "1.0.1", {"pypi.summary": ["\u00c9clair x"], "qa.level": ["frog"]})
    toad = put(other, "toad", "1.0", {"pypi.summary": ["no frog"]}, state="extracted")
    attest(toad)
    toad.refresh_from_db()
    yield toad
    yield put(other, "a-b", "1.2", {"qa.approved": ["no"], "qa.level": ["2.0rc1", "x and y"]})


@pytest.fixture
def everything(db: None, files: list[Distribution]) -> Ground:
    """All repositories of the files."""
    return Ground(list({file.repository_id: file.repository for file in files}.values()))


@examples(300)
@given(queries.anything)
@example(Matches("qa.level", ("100%",)))
@example(Matches("qa.level", ("a_", Wildcard.ANY)))
def test_files_are_those_of_the_model(files, everything, query: Query) -> None:
    expected = {
        file.filename + str(file.repository) for file in files if model.meets(model_of(file), query)
    }
    found = find_files(query, everything, "")
    assert {hit.filename + hit.repository for hit in found.files} == expected, written(query)
    assert found.count == len(expected)
    assert sum(facet.count for facet in found.facets) == len(expected)


@examples(200)
@given(queries.of_words)
def test_projects_are_those_of_the_model(files, everything, query: Query) -> None:
    expected = {
        f"{file.repository}/{file.release.project.normalized}"
        for file in files
        if file.release is not None and model.meets(model_of(file), query)
    }
    found = find_projects(query, everything, "")
    names = [f"{hit.repository}/{hit.project}" for hit in found.projects if not found.is_similar]
    assert sorted(names) == sorted(expected), written(query)
    assert found.count == len(expected)


def test_the_model_has_something_to_find(db: None, files: list[Distribution]) -> None:
    assert Document.objects.count() == len(files)
    assert model.meets(model_of(files[0]), parse("qa.level>=1.9"))
