"""Uploads: a client that keeps its connection, as far as a contestant lets it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from bench.speed.corpus import Wheel
from bench.speed.results import Void
from tests.journeys.wire import blocks, form

_SECONDS = 900


def send_all(url: str, authorization: str, wheels: Sequence[Wheel], *, callers: int) -> float:
    """Upload all, each caller in series, and return how long that took."""
    shares = [wheels[number::callers] for number in range(callers)]
    began = time.monotonic()
    with ThreadPoolExecutor(callers) as pool:
        for done in [pool.submit(_send, url, authorization, share) for share in shares]:
            done.result()
    return time.monotonic() - began


def _send(url: str, authorization: str, wheels: Iterable[Wheel]) -> None:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_SECONDS)
    try:
        for wheel in wheels:
            before, after, headers = form(
                wheel.name, name=wheel.project, version=wheel.version, filetype="bdist_wheel"
            )
            size = len(before) + wheel.path.stat().st_size + len(after)
            headers |= {"Authorization": authorization, "Content-Length": str(size)}
            body = _body(before, wheel, after)
            connection.request("POST", parts.path, body=body, headers=headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise Void(
                    f"refuses {wheel.name}: {answer.status} {answer.reason} {said[:200].decode()}"
                )
    except (OSError, HTTPException) as error:
        raise Void(f"an upload was not answered: {error}") from error
    finally:
        connection.close()


def _body(before: bytes, wheel: Wheel, after: bytes) -> Iterator[bytes]:
    """Yield a small upload as one piece, as clients send it, and a big one in blocks."""
    first, *more = blocks(wheel.path)
    if not more:
        yield before + first + after
        return
    yield before
    yield first
    yield from more
    yield after
