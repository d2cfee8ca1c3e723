"""Many publish the same name at once: one wins, and each of the others hears what happened."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import dists
from tests.journeys.installers import served
from tests.journeys.larder import Larder, Repository
from tests.journeys.machine import sha256_of
from tests.journeys.wire import Content, upload

_AT_ONCE = 20
_ROUNDS = 5


@pytest.mark.parametrize("number", range(_ROUNDS))
def test_of_twenty_uploads_with_two_contents_one_wins(
    larder: Larder, repository: Repository, number: int
) -> None:
    first = dists.make_wheel("frog", "1.0")
    other = dists.make_wheel("frog", "1.0", description="other")
    start = threading.Barrier(_AT_ONCE)

    def one(number: int) -> tuple[str, int, str]:
        filename, content = (first, other)[number % 2]
        start.wait()
        sent = Content(filename, len(content), [content])
        status, reason = upload(repository.url, larder.writer, sent, name="frog", version="1.0")
        return sha256_of(content), status, reason

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        heard = list(pool.map(one, range(_AT_ONCE)))
    there = served(repository, "frog", larder.reader)
    (winner,) = there.values()
    statuses = Counter((sent == winner, status) for sent, status, _ in heard)
    assert statuses == {(True, 200): _AT_ONCE // 2, (False, 400): _AT_ONCE // 2}
    for sent, status, reason in heard:
        if status == 400:
            assert reason.startswith("File already exists: ")
            assert (sent in reason, winner in reason) == (True, True)
