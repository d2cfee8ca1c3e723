"""What a helper does, inside: it takes one request after another, within bounds, and answers.

It holds no secret and no connection, may write no file, and ends with whoever started it: requests
come by standard input, which a thread waits at, and its end is everybody's. The kernel stops it
when a request takes too long, even inside a library that never returns.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import NoReturn

from base.frames import READY, framed, next_message


def answer_requests(
    answer: Callable[[bytes], bytes], *, memory: int, idle_seconds: float | None = None
) -> NoReturn:
    """Answer requests until there will be none, or none has come for so long.

    `answer` sets the timer of the processor (ITIMER_PROF) by what its request allows.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    _limit(memory)
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    said = READY
    while True:
        answers.write(said)
        answers.flush()
        try:
            request = requests.get(timeout=idle_seconds)
        except Empty:
            os._exit(0)
        said = framed(answer(request))
        signal.setitimer(signal.ITIMER_PROF, 0)


def _listen(requests: SimpleQueue[bytes]) -> None:
    stdin = os.fdopen(0, "rb")
    while (request := next_message(stdin)) is not None:
        requests.put(request)
    os._exit(0)


def _limit(memory: int) -> None:
    """Take no more than it needs. macOS knows some of these limits and keeps to fewer."""
    for name, most in (
        ("RLIMIT_DATA", memory),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_CORE", 0),
    ):
        resource.setrlimit(getattr(resource, name), (most, most))
