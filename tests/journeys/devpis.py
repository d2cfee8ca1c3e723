"""A devpi that is really there: started, given an index, and published to."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients import client
from tests.journeys.machine import Machine, uv
from tests.parts.processes import private_folder, server


@contextmanager
def devpi_with(index: str, files: Sequence[Path], data: Path) -> Iterator[str]:
    """Run devpi with a stage, such as root/dev, to which these files are published; yield its URL.

    What it keeps is in the folder `data`, also when it has stopped.
    """
    with private_folder("home") as home, private_folder("log") as log:
        program = client("devpi", "upstreams")
        where = ["--serverdir", str(data)]
        start = [str(program.with_name("devpi-init")), *where, "--no-root-pypi"]
        subprocess.run(start, check=True, capture_output=True)
        command = [str(program), *where, "--host", "127.0.0.1"]
        with server(log, lambda port: [*command, "--port", str(port)]) as running:
            url = f"http://127.0.0.1:{running.port}/"
            user = index.partition("/")[0]
            if user != "root":
                _told(f"{url}{user}", "PUT", {"password": ""})
            token = _told(f"{url}+login", "POST", {"user": user, "password": ""})["password"]
            proof = base64.b64encode(f"{user}:{token}".encode()).decode()
            _told(f"{url}{index}", "PUT", {"type": "stage", "bases": []}, proof)
            Machine(home).run(*uv(f"{url}{index}/", files, token=token, user=user))
            yield url


def _told(url: str, method: str, body: dict[str, Any], proof: str = "") -> Any:
    """Tell devpi something, and return what it says."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if proof:
        headers["X-Devpi-Auth"] = proof
    sent = urllib.request.Request(  # noqa: S310 - our own URL
        url, json.dumps(body).encode(), headers, method=method
    )
    with urllib.request.urlopen(sent) as answer:  # noqa: S310 - as above
        return json.load(answer).get("result")
