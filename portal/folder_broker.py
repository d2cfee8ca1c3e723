"""A folder as a broker: one file per message, for an installation without a server for them.

A message is written aside and renamed into place, so that nobody reads half of one, whatever was
killed when; it is taken by renaming it again, which one taker alone can do, and is gone then. The
folder stays small where nobody takes what is put into it: the oldest messages make room.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import virtual

# Messages only wake workers: what is dropped, the next one says again.
MESSAGES_AT_MOST = 200
_LEFT_BEHIND_AFTER = 3600  # seconds


class Channel(virtual.Channel):
    """Puts and takes the messages of one connection."""

    def _put(self, queue: str, message: Mapping[str, Any], **_options: object) -> None:
        waiting = self._waiting(queue)
        for oldest in waiting[: max(0, len(waiting) + 1 - MESSAGES_AT_MOST)]:
            oldest.unlink(missing_ok=True)
        name = f"{time.time_ns():020d}-{secrets.token_hex(8)}.{queue}.msg"
        aside = self._folder / f".{name}"
        aside.parent.mkdir(parents=True, exist_ok=True)  # somebody may have emptied the house
        aside.write_text(json.dumps(message), encoding="utf-8")
        aside.rename(self._folder / name)

    def _get(self, queue: str, timeout: object = None) -> object:  # noqa: ARG002 - kombu's signature
        for path in self._waiting(queue):
            taken = path.with_name(f".{path.name}")
            with suppress(FileNotFoundError):  # somebody else has taken it
                path.rename(taken)
                text = taken.read_text(encoding="utf-8")
                taken.unlink()
                return json.loads(text)
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            path.unlink(missing_ok=True)
        return len(waiting)

    @property
    def _folder(self) -> Path:
        return _folder_of(self.connection)

    def _waiting(self, queue: str) -> list[Path]:
        """Return the messages of a queue, the oldest first."""
        return sorted(self._folder.glob(f"[0-9]*.{queue}.msg"))


class Transport(virtual.Transport):
    """Celery's way to the folder."""

    Channel = Channel
    driver_type = driver_name = "folder"

    def establish_connection(self) -> object:
        """Connect; what a killed process left half written or half taken long ago goes."""
        folder = _folder_of(self)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(".*.msg"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - _LEFT_BEHIND_AFTER:
                    path.unlink()
        return super().establish_connection()  # type: ignore[no-untyped-call]  # kombu's own

    def driver_version(self) -> str:
        """Return nothing to speak of: the folder is part of Larder."""
        return "-"


def _folder_of(transport: Any) -> Path:  # noqa: ANN401 - kombu does not type what it sets later
    return Path(transport.client.transport_options["folder"])
