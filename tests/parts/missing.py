"""What happens when this machine lacks a part: install it, skip with a loud reason, or fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unittest
from typing import NoReturn


class PartMissing(unittest.SkipTest):
    """A part that this machine lacks; pytest reports the test that asked for it as skipped."""


class PartRequired(Exception):
    """A part that this machine lacks where none may be, as in CI; the test that asked fails."""


def missing(part: str, install_hint: str) -> NoReturn:
    """Say in one line what is missing; a skip on a laptop, a failure where REQUIRE_PARTS=all."""
    sentence = f"{part} is missing on this machine: {install_hint}"
    print(f"MISSING PART: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - meant to be seen
    if os.environ.get("REQUIRE_PARTS") == "all":
        raise PartRequired(sentence)
    raise PartMissing(sentence)


def installed_by_apt(package: str) -> bool:
    """Install a Debian package if we may, and return whether that worked."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Two test workers may come here at once: the second waits for apt's own lock.
    options = [apt, "-q", "-y", "-o", "DPkg::Lock::Timeout=600"]
    for step in (["install", package], ["update"], ["install", package]):
        done = subprocess.run([*options, *step], env=environment, stdout=sys.stderr, check=False)
        if done.returncode == 0 and step[0] == "install":
            return True
    return False
