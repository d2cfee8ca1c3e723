"""Writes down what requests have noted in memory: behind them, never in their way.

A database that is busy then makes nobody wait, and costs at most a few notes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from django.db import Error, connection

log = structlog.get_logger(__name__)

_WRITTEN_EVERY_SECONDS = 3.0


def keep_writing(*writers: Callable[[], None]) -> None:
    """Let each of `writers` write its notes down from now on; for a process that serves."""
    threading.Thread(target=_write_for_ever, args=writers, name="notes", daemon=True).start()


def _write_for_ever(*writers: Callable[[], None]) -> None:
    while True:
        time.sleep(_WRITTEN_EVERY_SECONDS)
        for write_down in writers:
            _write(write_down)


def _write(write_down: Callable[[], None]) -> None:
    try:
        write_down()
    except Error as error:  # InterfaceError, of a lost connection, is no DatabaseError
        log.warning("notes of requests could not be written down", reason=str(error))
    except Exception:  # a mistake of ours costs these notes, and not all that would come
        log.exception("notes of requests could not be written down")
    finally:
        connection.close()
