"""The examples of docs/rest.md, run as they stand against a running Larder."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.clients import ROOT
from tests.dists import make_wheel
from tests.journeys.larder import ADMIN_PASSWORD, Larder

# A command that is refused ends the script: curl alone would call it a success.
_STRICT = """set -eo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; }
"""


def test_the_examples_of_the_documents_work_one_after_the_other(
    embedded: Larder, tmp_path: Path
) -> None:
    text = (ROOT / "docs" / "rest.md").read_text()
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    commands = [line[2:] for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for block in blocks for line in block.splitlines())
    assert len(commands) > 25
    name, content = make_wheel("frog", "1.0")
    (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        ["bash", "-c", _STRICT + "\n".join(commands)],
        env={
            "PATH": os.environ["PATH"],
            "LARDER": f"{embedded.url}/api/v1",
            "WHO": f"admin:{ADMIN_PASSWORD}",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-600:] + done.stderr[-600:]
