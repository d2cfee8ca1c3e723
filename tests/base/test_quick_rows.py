"""Rows by SQL that is made once are the rows that Django reads and writes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from base import clock
from base.models import AuditEvent
from base.quick_rows import (
    Question,
    find,
    insert,
    insert_or_leave,
    remove,
    update,
    update_while,
)
from packages.models import Blob, Distribution, LooseObject, Project, Release, StoredMetadata
from repos.models import RepositoryState
from tests.cast import Cast
from tests.dists import make_wheel
from tests.uploads import published

MODELS = (
    Tenant, Blob, Project, Release, Distribution, StoredMetadata, RepositoryState, AuditEvent,
)  # fmt: skip


@pytest.fixture
def frog(client: Client, cast: Cast) -> Distribution:
    """A file of acme's, with a row in each table that an upload writes."""
    published(client, "frog", "1.0", make_wheel("frog", "1.0"), by=cast.acme.writer)
    return Distribution.objects.get()


def values(row: Model) -> dict[str, object]:
    """Return what a row holds, bytes as such."""
    held = {each.attname: getattr(row, each.attname) for each in row._meta.concrete_fields}
    return {name: bytes(x) if isinstance(x, memoryview) else x for name, x in held.items()}


@pytest.mark.usefixtures("frog")
@pytest.mark.parametrize("model", MODELS, ids=lambda each: each.__name__)
def test_a_row_is_found_as_django_gets_it(model: type[Model]) -> None:
    for there in model._default_manager.all():
        found = find(model, **{there._meta.pk.attname: there.pk})
        assert found == there
        assert values(found) == values(there)
        assert (found._state.adding, found._state.db) == (False, connection.alias)


@pytest.mark.usefixtures("frog")
@pytest.mark.parametrize("model", [Project, AuditEvent, Blob], ids=lambda each: each.__name__)
def test_a_row_is_inserted_as_django_saves_it(model: type[Model]) -> None:
    there = model._default_manager.all()[0]
    unique = {Project: {"normalized"}, Blob: {"sha256", "storage_key"}}.get(model, set())
    made = []
    for save in (insert, model.save):
        new = model._default_manager.get(pk=there.pk)
        new.pk, new._state.adding = None, True
        for name in unique:
            setattr(new, name, save.__name__)
        save(new)
        stored = values(model._default_manager.get(pk=new.pk))
        made.append({name: stored[name] for name in stored.keys() - unique - {"id"}})
    assert made[0] == made[1]


def test_a_row_is_written_where_it_was_changed_and_nowhere_else(frog: Distribution) -> None:
    before = values(frog)
    frog.findings, frog.yanked, frog.yanked_reason = ["It croaks."], True, "not written"
    update(frog, "findings", "yanked")
    now = values(Distribution.objects.get())
    assert now == before | {"findings": ["It croaks."], "yanked": True}


def test_a_row_is_written_while_another_field_is_as_it_was(frog: Distribution) -> None:
    frog.yanked_reason = "it croaks"
    assert not update_while(frog, "yanked_reason", yanked=True)
    assert Distribution.objects.get().yanked_reason == ""
    assert update_while(frog, "yanked_reason", yanked=False)
    assert Distribution.objects.get().yanked_reason == "it croaks"


def test_a_row_is_inserted_where_there_is_none(cast: Cast) -> None:
    place = {"repository": cast.acme.repository, "normalized": "newt", "created_at": clock.now()}
    first, second = Project(name="Newt", **place), Project(name="newt", **place)
    assert insert_or_leave(first)
    assert not insert_or_leave(second)
    assert second._state.adding
    assert Project.objects.get(normalized="newt") == first
    assert Project.objects.get(normalized="newt").name == "Newt"


def test_a_row_that_is_not_there_is_none(cast: Cast) -> None:
    assert find(Project, repository_id=cast.acme.repository.pk, normalized="newt") is None


def test_what_was_removed_is_counted(db: None) -> None:
    insert(LooseObject(storage_key="a", noted_at=clock.now()))
    assert remove(LooseObject, storage_key="a") == 1
    assert remove(LooseObject, storage_key="a") == 0


def test_a_row_that_is_there_is_not_inserted_again(frog: Distribution) -> None:
    twice = Project(repository=frog.repository, name="frog", normalized="frog")
    twice.created_at = clock.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(twice)


def test_a_question_is_asked_about_one_row_after_the_other(frog: Distribution) -> None:
    names = Question(lambda pk: Distribution.objects.filter(pk=pk).values_list("filename", "size"))
    assert names.ask(frog.pk) == [(frog.filename, frog.size)]
    assert names.ask(frog.pk + 1) == []
    assert names.ask(frog.pk) == [(frog.filename, frog.size)]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks the whole database")
def test_a_row_is_locked_for_the_transaction(frog: Distribution) -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        find(Distribution, lock=True, id=frog.pk)
    assert any(each["sql"].endswith("FOR NO KEY UPDATE") for each in asked)
