"""The commands of a page of docs/, run as they stand, one after the other."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.clients import ROOT

# A command that is refused ends the script: curl alone would call it a success.
_STRICT = """set -eo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; }
"""
_SECONDS = 300


def commands_of(page: str) -> list[str]:
    """Return the commands in the consoles of a page; each is one line."""
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line[2:] for line in lines]


def run_all(commands: list[str], within: Path, environment: Mapping[str, str]) -> str:
    """Run commands in one shell, each of which must succeed, and return what they printed."""
    done = subprocess.run(
        ["bash", "-c", _STRICT + "\n".join(commands)],
        env=environment,
        cwd=within,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return done.stdout
