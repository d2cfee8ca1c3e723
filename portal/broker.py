"""Celery's settings for each kind of broker. The broker only wakes workers; truth is in rows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from pgmq.install import get_embedded_install_sql

_SWEEP_EVERY = timedelta(hours=1)
_REFRESH_EVERY = timedelta(minutes=1)
# Extraction begins within this time after the quiet period.
_EXTRACT_EVERY = timedelta(seconds=3)
_PURGE_EVERY = timedelta(seconds=3)
_RECOUNT_EVERY = timedelta(minutes=1)


def prepare(broker_url: str) -> None:
    """Make the broker ready: a PostgreSQL that has no pgmq yet gets its tables and functions."""
    parts = urlsplit(broker_url)
    if parts.scheme != "pgmq":
        return
    with psycopg.connect(parts._replace(scheme="postgresql").geturl()) as connection:
        if connection.execute("SELECT to_regclass('pgmq.meta')").fetchone() == (None,):
            connection.execute(get_embedded_install_sql().encode())


def _bell(task: str, every: timedelta) -> dict[str, Any]:
    """Return an entry of beat's schedule. Nobody answers a bell after the next one has rung."""
    return {"task": task, "schedule": every, "options": {"expires": every.total_seconds()}}


def celery_settings(broker_url: str) -> dict[str, Any]:
    """Return what Celery needs for `broker_url`: file:///folder, pgmq://, redis:// or amqp://."""
    settings: dict[str, Any] = {
        "broker_url": broker_url,
        "broker_connection_retry_on_startup": True,
        # JSON only: nothing that a message holds is ever executed.
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        # A task is finished before its message is let go; a killed worker's task runs again.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        # In memory: a beat that was killed leaves no file behind that stops the next one, and two
        # of them on one machine do not share any.
        "beat_scheduler": "celery.beat:Scheduler",
        "beat_schedule": {
            "sweep": _bell("packages.sweep", _SWEEP_EVERY),
            "refresh-pages": _bell("packages.refresh_pages", _REFRESH_EVERY),
            "extract": _bell("packages.extract_due", _EXTRACT_EVERY),
            "purge": _bell("packages.purge_due", _PURGE_EVERY),
            "recount": _bell("packages.recount", _RECOUNT_EVERY),
        },
        "timezone": "UTC",
    }
    match urlsplit(broker_url).scheme:
        case "file":
            folder = Path(unquote(urlsplit(broker_url).path))
            settings["broker_url"] = "folder://localhost"  # portal.folder_broker
            settings["broker_transport_options"] = {
                "folder": str(folder / "messages"),
                "polling_interval": 0.5,
            }
        case "pgmq":
            settings["broker_transport_options"] = {
                "init_extension": False,  # the SQL install of `prepare` needs no superuser
                "queue_name_prefix": "larder_",
                "visibility_timeout": 300,  # seconds; a killed worker's task runs again then
                "wait_time_seconds": 1,
                "polling_interval": 0.5,
                "pool_size": 4,
                "pool_timeout": 5,
            }
        case "redis" | "rediss":
            settings["broker_transport_options"] = {"visibility_timeout": 3600}
    return settings
