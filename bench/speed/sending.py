"""Uploads: a client that keeps its connection, as far as a contestant lets it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import chain
from urllib.parse import urlsplit

from bench.speed.corpus import Wheel
from bench.speed.results import Void
from tests.journeys.wire import BLOCK, blocks, form

_SECONDS = 900


@dataclass(frozen=True)
class _Upload:
    """A request that is ready: what is measured is the server, not who makes requests."""

    wheel: Wheel
    headers: dict[str, str]
    body: bytes | Iterator[bytes]


def send_all(url: str, authorization: str, wheels: Sequence[Wheel], *, callers: int) -> float:
    """Upload all, each caller in series, and return how long that took."""
    uploads = [_ready(authorization, wheel) for wheel in wheels]
    shares = [uploads[number::callers] for number in range(callers)]
    began = time.monotonic()
    with ThreadPoolExecutor(callers) as pool:
        for done in [pool.submit(_send, url, share) for share in shares]:
            done.result()
    return time.monotonic() - began


def _ready(authorization: str, wheel: Wheel) -> _Upload:
    """Make a small upload one piece, as clients send it; a big one comes in blocks."""
    before, after, headers = form(
        wheel.name, name=wheel.project, version=wheel.version, filetype="bdist_wheel"
    )
    size = wheel.path.stat().st_size
    headers |= {
        "Authorization": authorization,
        "Content-Length": str(len(before) + size + len(after)),
    }
    if size <= BLOCK:
        return _Upload(wheel, headers, before + wheel.path.read_bytes() + after)
    return _Upload(wheel, headers, chain([before], blocks(wheel.path), [after]))


def _send(url: str, uploads: Iterable[_Upload]) -> None:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_SECONDS)
    try:
        for each in uploads:
            connection.request("POST", parts.path, body=each.body, headers=each.headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise Void(
                    f"refuses {each.wheel.name}: {answer.status} {answer.reason} "
                    f"{said[:200].decode()}"
                )
    except (OSError, HTTPException) as error:
        raise Void(f"an upload was not answered: {error}") from error
    finally:
        connection.close()
