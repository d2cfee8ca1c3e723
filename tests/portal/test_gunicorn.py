"""gunicorn's first process: it reads Larder in, and those that it forks serve."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients import ROOT

_READS_IN = """
import gc, sys, threading
from importlib import import_module
from unittest.mock import Mock
from portal.gunicorn import when_ready

server = Mock()
server.app.wsgi = lambda: import_module("portal.wsgi")
when_ready(server)

from django.db import connections
assert "portal.urls" in sys.modules
assert gc.get_freeze_count() > 100_000
# A process that is forked would not have the one, and must not share the other.
assert threading.active_count() == 1
assert all(each.connection is None for each in connections.all())
print("boto3" in sys.modules)
"""


@pytest.mark.parametrize(
    ("storage", "with_s3"),
    [({}, "False"), ({"LARDER_STORAGE_URL": "s3://larder?endpoint=http://127.0.0.1:9"}, "True")],
)
def test_it_reads_in_what_is_needed_and_begins_nothing(
    tmp_path: Path, storage: dict[str, str], with_s3: str
) -> None:
    known = {k: v for k, v in os.environ.items() if not k.startswith("LARDER_")}
    done = subprocess.run(
        [sys.executable, "-c", _READS_IN],
        cwd=ROOT,
        env=known | {"LARDER_HOME": str(tmp_path)} | storage,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == with_s3
