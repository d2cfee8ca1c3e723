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


def prepare(broker_url: str) -> None:
    """Make the broker ready: a PostgreSQL that has no pgmq yet gets its tables and functions."""
    parts = urlsplit(broker_url)
    if parts.scheme != "pgmq":
        return
    with psycopg.connect(parts._replace(scheme="postgresql").geturl()) as connection:
        if connection.execute("SELECT to_regclass('pgmq.meta')").fetchone() == (None,):
            connection.execute(get_embedded_install_sql().encode())


def celery_settings(broker_url: str, home: Path) -> dict[str, Any]:
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
        "beat_schedule_filename": str(home / "beat-schedule"),
        "beat_schedule": {
            "sweep": {"task": "packages.sweep", "schedule": _SWEEP_EVERY},
            "refresh-pages": {"task": "packages.refresh_pages", "schedule": _REFRESH_EVERY},
        },
        "timezone": "UTC",
    }
    match urlsplit(broker_url).scheme:
        case "file":
            folder = Path(unquote(urlsplit(broker_url).path))
            for part in ("messages", "control", "processed"):
                (folder / part).mkdir(parents=True, exist_ok=True)
            settings["broker_url"] = "filesystem://localhost"
            settings["broker_transport_options"] = {
                # One folder in and out: what a process sends, every worker sees.
                "data_folder_in": str(folder / "messages"),
                "data_folder_out": str(folder / "messages"),
                "control_folder": str(folder / "control"),
                "processed_folder": str(folder / "processed"),
                # Moved aside when taken: otherwise they go through the system's temporary
                # folder, which may be another file system.
                "store_processed": True,
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
