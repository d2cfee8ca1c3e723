"""The examples of docs/rest.md, run as they stand against a running Larder."""

from __future__ import annotations

import os
from pathlib import Path

from tests.dists import make_wheel
from tests.journeys.documented import commands_of, run_all
from tests.journeys.larder import ADMIN_PASSWORD, Larder


def test_the_examples_of_the_documents_work_one_after_the_other(
    embedded: Larder, tmp_path: Path
) -> None:
    # A name is one for the whole installation: other journeys have a bob.
    commands = [each.replace("bob", "bob-of-rest") for each in commands_of("rest.md")]
    assert len(commands) > 25
    name, content = make_wheel("frog", "1.0")
    (tmp_path / name).write_bytes(content)
    known = {"LARDER": f"{embedded.url}/api/v1"}
    known |= dict.fromkeys(("WHO", "ROOT"), f"admin:{ADMIN_PASSWORD}")
    run_all(commands, tmp_path, {"PATH": os.environ["PATH"], **known})
