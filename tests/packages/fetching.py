"""Waits for what remotes do in threads of their own."""

from __future__ import annotations

import threading


def settled() -> None:
    """Wait until nothing is being fetched or refreshed."""
    for thread in threading.enumerate():
        if thread.name in {"fetch", "refresh"}:
            thread.join(10)
