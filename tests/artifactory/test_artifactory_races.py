"""Scripts that change many files at once, while others change one of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test import Client

from artifactory import files
from packages import curate, describe
from packages.changes import contents_changed, file_waits
from packages.models import Distribution
from tests.cast import Cast
from tests.dists import make_wheel
from tests.uploads import published

pytestmark = pytest.mark.django_db(transaction=True)

AT_MOST = 20  # seconds, for what comes at once unless something is wrong


def test_a_deletion_of_many_files_and_a_yank_do_not_wait_for_each_other(
    cast: Cast, scripts, monkeypatch
) -> None:
    for name in ("frog", "toad"):
        wheel = make_wheel(name, "1.0")
        published(Client(), name, "1.0", wheel, by=cast.acme.writer)
        Distribution.objects.filter(filename=wheel[0]).update(path=f"libs/{wheel[0]}")
    toad = Distribution.objects.get(release__project__normalized="toad")
    first_is_deleted, yank_holds_project = threading.Event(), threading.Event()

    def yanked() -> None:
        try:
            assert first_is_deleted.wait(AT_MOST)
            curate.yank(toad, reason="It croaks.", by=cast.acme.admin.limited)
        finally:
            connections.close_all()

    def deleted(row: Distribution, **more: Any) -> None:
        if row == toad:
            first_is_deleted.set()
            assert yank_holds_project.wait(AT_MOST), "the yank waits for what is deleted before"
        curate.delete(row, **more)

    def marked(*args: Any, **more: Any) -> None:
        if first_is_deleted.is_set():
            yank_holds_project.set()
        contents_changed(*args, **more)

    monkeypatch.setattr(files, "delete_file", deleted)
    monkeypatch.setattr(curate, "contents_changed", marked)
    with ThreadPoolExecutor(1) as pool:
        yank = pool.submit(yanked)
        assert scripts.admin("DELETE", "local/libs").status_code == 204
        yank.result(AT_MOST)
    toad.refresh_from_db()
    assert toad.yanked
    assert not Distribution.objects.filter(deleted_at=None).exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
def test_all_files_are_held_before_the_state_of_their_repository(
    cast: Cast, scripts, monkeypatch
) -> None:
    for version in ("1.0", "2.0"):
        answer = scripts.writer("PUT", f"local/libs/frog-{version}.zip", b"PK no archive")
        assert answer.status_code == 201
    rows = Distribution.objects.filter(repository=cast.acme.repository)
    rows.update(extraction=Distribution.Extraction.UNLISTED)
    held: list[set[bool]] = []

    def is_held(pk: int) -> bool:
        try:
            with transaction.atomic():
                Distribution.objects.select_for_update(nowait=True).get(pk=pk)
        except OperationalError:
            return True
        finally:
            connections.close_all()
        return False

    def waiting(*args: Any) -> None:
        with ThreadPoolExecutor(1) as pool:
            held.append(set(pool.map(is_held, rows.values_list("pk", flat=True))))
        file_waits(*args)

    monkeypatch.setattr(describe, "file_waits", waiting)
    path = "api/storage/local/libs?properties=pypi.name=frog"
    assert scripts.writer("PUT", path).status_code == 204
    assert held == [{True}, {True}]
