"""A right that is given or taken holds with the next request, on every process of the server."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.cast import basic
from tests.journeys.admin import Admin
from tests.journeys.larder import ADMIN_PASSWORD, Larder
from tests.parts.processes import children_of
from tests.properties import IS_FULL

ROUNDS = 1000 if IS_FULL else 50


class Reader:
    """Somebody with a token, over one kept connection to one process of the server."""

    def __init__(self, connection: HTTPConnection, token: str) -> None:
        self.connection = connection
        self.headers = basic("__token__", token)
        connection.connect()
        self.socket = connection.sock

    def status_of(self, path: str) -> int:
        """Read a URL and return its status."""
        self.connection.request("GET", path, headers=self.headers)
        with self.connection.getresponse() as answer:
            answer.read()
            assert self.connection.sock is self.socket, "another process may have answered"
            return answer.status


def test_no_process_answers_by_rights_of_before(larder: Larder) -> None:
    larder.manage(["create_repository", "acme/rights", "--no-grants"])
    page = "/acme/rights/simple/"
    with ExitStack() as stack:
        admin = stack.enter_context(Admin(larder.url, "admin", ADMIN_PASSWORD))
        readers = [
            stack.enter_context(connected_to(process, larder))
            for process in children_of(larder.web)
        ]
        assert len(readers) >= 2
        stale = []
        for number in range(ROUNDS):
            admin.add(
                "repos/grant",
                repository="rights",
                role="reader",
                subject="a user",
                membership="ray",
            )
            stale += [(number, "given") for each in readers if each.status_of(page) != 200]
            grant = admin.find("repos/grant", "rights")
            admin.save(grant.replace("/change/", "/delete/"))
            stale += [(number, "ended") for each in readers if each.status_of(page) != 403]
        assert stale == []


@contextmanager
def connected_to(process: int, larder: Larder) -> Iterator[Reader]:
    """Connect to one process of the server: while we do, the others stand still."""
    others = [each for each in children_of(larder.web) if each != process]
    with closing(HTTPConnection(urlsplit(larder.url).netloc, timeout=60)) as connection:
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            reader = Reader(connection, larder.reader)
            assert reader.status_of("/-/health") == 200
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)
        yield reader
