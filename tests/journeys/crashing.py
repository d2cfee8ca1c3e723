"""The portal's WSGI application with places where a test may end the process as `kill -9` does.

`LARDER_TEST_CRASH` names a file. When it holds the name of a place that an upload passes, the file
is removed and the process is gone, without a word and without cleaning up.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from portal.wsgi import application as portal
from tests.journeys.crash_places import ANSWERED, FLAG, PLACES, Place


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the portal does; the last place is when the answer is about to be sent."""
    response: Iterable[bytes] = portal(environ, start_response)
    if environ["REQUEST_METHOD"] == "POST":
        _die_at(ANSWERED)
    return response


def _die_at(name: str) -> None:
    flag = Path(os.environ[FLAG])
    if flag.exists() and flag.read_text() == name:
        flag.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _put_in(place: Place) -> None:
    module = importlib.import_module(place.module)
    function = getattr(module, place.function)

    @functools.wraps(function)
    def deadly(*args: Any, **kwargs: Any) -> Any:
        if place.side == "before":
            _die_at(place.name)
        result = function(*args, **kwargs)
        if place.side == "after":
            _die_at(place.name)
        return result

    setattr(module, place.function, deadly)


for each in PLACES:
    _put_in(each)
