"""Gives every test run a Larder home of its own, before Django reads its settings.

Loaded as a pytest plugin (`-p tests.environment`), because pytest-django reads the settings
before any conftest. Workers of one run inherit the home of the process that started them.
"""

from __future__ import annotations

import atexit
import os
import pathlib
import shutil
import tempfile

if "LARDER_TEST_HOME" not in os.environ:
    home = tempfile.mkdtemp(prefix="larder-tests-")
    os.environ["LARDER_TEST_HOME"] = home
    # Whitenoise warns of a missing folder, and looks once for what it gives out.
    static = pathlib.Path(home, "static")
    static.mkdir()
    (static / "table.css").touch()
    atexit.register(shutil.rmtree, home, ignore_errors=True)

os.environ["LARDER_HOME"] = os.environ["LARDER_TEST_HOME"]
os.environ["LARDER_BASE_URL"] = "http://testserver"  # what Django's test client calls itself
for name in ("LARDER_SECRET_KEY", "LARDER_ADMIN_PASSWORD", "LARDER_BIND"):
    os.environ.pop(name, None)
