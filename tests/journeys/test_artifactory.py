"""People's scripts for Artifactory, run unchanged, and each command of the page about them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clients import ROOT, client, client_environment
from tests.dists import make_wheel
from tests.journeys.distributions import File
from tests.journeys.documented import where_larder_runs
from tests.journeys.indexes import static_index
from tests.journeys.larder import ADMIN_PASSWORD, Larder, embedded
from tests.journeys.machine import sha256_of

DOCS = ROOT / "docs" / "coming-from-artifactory.md"
_BLOCKS = re.compile(
    r"^```(sh|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
_SECONDS = 120
_CREATE = (
    "curl -s -o /dev/null -w '%{http_code}' -u $U:$P -X PUT -H 'Content-Type: application/json' "
    """-d '{"rclass":"local","packageType":"pypi","repoLayoutRef":"simple-default"}' """
    "$HOST/artifactory/api/repositories/frogs-of-guides"
)


@dataclass(frozen=True)
class Desk:
    """Where somebody runs the commands of a guide: a folder with wheels, and what they know."""

    folder: Path
    known: dict[str, str]

    def run(self, program: list[str]) -> str:
        """Run a program that must succeed, and return what it printed."""
        programs = [client(name).parent for name in ("twine", "pip")]
        path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
        done = subprocess.run(
            program,
            cwd=self.folder,
            env=client_environment(self.folder) | self.known | {"PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{program[-1]}\n{done.stdout}{done.stderr}"
        return done.stdout

    def sh(self, commands: str) -> str:
        """Run lines of a shell as they stand."""
        return self.run(["bash", "-euo", "pipefail", "-c", commands])


@pytest.fixture(scope="module")
def running() -> Iterator[Larder]:
    """Larder where administrators may point remotes at private addresses, such as this one's."""
    with embedded({"LARDER_PRIVATE_UPSTREAMS": "allow"}) as larder:
        yield larder


@pytest.fixture(scope="module")
def desk(running: Larder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a frog to publish, beside an index that has a newt."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "dist").mkdir()
    name, content = make_wheel("frog", "1.0")
    (folder / "dist" / name).write_bytes(content)
    newt, bytes_of_newt = make_wheel("newt", "1.0")
    (folder / newt).write_bytes(bytes_of_newt)
    with ExitStack() as stack:
        file = File(folder / newt, "newt", "1.0", sha256_of(bytes_of_newt))
        index = stack.enter_context(static_index([file]))
        known = {
            "HOST": running.url,
            "U": "admin",
            "P": ADMIN_PASSWORD,
            "KEY": running.admin,
            "INDEX": index.removesuffix("simple/"),
            "FILES": index.removesuffix("simple/") + "files/",
            **where_larder_runs(running, folder),
        }
        yield Desk(folder, known)


def test_every_command_of_the_page_does_what_it_says(running: Larder, desk: Desk) -> None:
    blocks = _BLOCKS.findall(DOCS.read_text())
    assert len(blocks) == DOCS.read_text().count("```sh") + DOCS.read_text().count("```python")
    for kind, code, says in blocks:
        program = ["bash", "-euo", "pipefail", "-c", code]
        if kind == "python":
            program = [str(client("dohq")), "-W", "error", "-c", code]
        said = desk.run(program)
        if says:
            assert said == says, code
    for folder in ("installed", "both"):
        assert (desk.folder / folder / "frog.py").exists()
    assert (desk.folder / "both" / "newt.py").exists()


def test_the_guides_commands_run_unchanged(desk: Desk) -> None:
    assert desk.sh(_CREATE) == "201"
    assert desk.sh(_CREATE) == "400"
    desk.sh(
        "twine upload --repository-url $HOST/artifactory/api/pypi/frogs-of-guides "
        "-u $U -p $KEY dist/*"
    )
    said = desk.sh("curl -s -u $U:$KEY $HOST/artifactory/api/storage/frogs-of-guides/ | jq .")
    assert '"uri": "/frog"' in said
    assert '"folder": true' in said


def test_google_artifact_registrys_url_with_a_token_in_it(desk: Desk) -> None:
    """`pip install --extra-index-url https://oauth2accesstoken:TOKEN@HOST/.../simple/ x`."""
    desk.sh("twine upload --repository-url $HOST/main/pypi-local/ -u __token__ -p $KEY dist/*")
    parts = urlsplit(desk.known["HOST"])
    url = parts._replace(
        netloc=f"oauth2accesstoken:{desk.known['KEY']}@{parts.netloc}",
        path="/main/pypi-local/simple/",
    ).geturl()
    # The usual index is one of this machine too, and has no frog.
    desk.sh(
        f"pip install -q --target from-google --no-deps --index-url $INDEX/simple/ "
        f"--extra-index-url {url} frog"
    )
    assert (desk.folder / "from-google" / "frog.py").exists()
