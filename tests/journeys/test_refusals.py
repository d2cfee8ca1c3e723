"""What a person reads in the terminal when they are refused: golden transcripts of real clients.

Each file in `refusals/` holds, for one kind of refusal, the end of what each client printed. To
write one anew, delete it and run the test: it is written, and the test fails once.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests import dists
from tests.archives.bad_wheels import recorded
from tests.archives.cases import INFO
from tests.canaries import watch
from tests.journeys.larder import Larder
from tests.journeys.machine import Machine, sha256_of, signed_in, twine, uv

GOLDEN = Path(__file__).parent / "refusals"
FROG = dists.make_wheel("frog", "1.0")
# Above it stands what a client says each time: what it uploads, and how far it is.
_FIRST_LINE = re.compile(r"error|failed", re.IGNORECASE)
_ALWAYS_ANOTHER = (
    (re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]"), ""),  # colours
    (re.compile(r"127\.0\.0\.1:\d+"), "elsewhere.example"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),  # each zlib compresses in its own way
    (re.compile(r"\bin \d+ seconds"), "in N seconds"),
    (re.compile(rf"\b{len(FROG[1])} bytes"), "SIZE bytes"),
)
_WRAPPED = re.compile(r"\n {7,}")  # where depends on the port


def wheel(**changes: Any) -> tuple[str, bytes]:
    """Return a wheel of frog 1.0 that is not as it should be."""
    return dists.make_wheel("frog", "1.0", **changes)


@dataclass(frozen=True)
class Refused:
    """An upload that is refused: where, what, and the words that say why."""

    scene: str
    says: str
    file: tuple[str, bytes] = FROG


UPLOADS = {
    "reader-only": Refused("reader-only", "but not publish to it"),
    "token-for-others": Refused("token-for-others", "This token may not publish frog."),
    "file-exists": Refused("file-exists", "File already exists: frog-1.0-py3-none-any.whl is in"),
    "deleted-name": Refused("deleted-name", "its name cannot be used again. Restore it"),
    "archived": Refused("archived", "frog is archived and takes no uploads: use toad."),
    "quarantined": Refused("quarantined", "frog is quarantined and takes no uploads: it bites."),
    "release-closed": Refused("release-closed", "close 14 days after their first file"),
    "served-upstream": Refused("served-upstream", "let a tenant admin of pond claim it"),
    "too-large": Refused("too-large", "The file is too large: pond/too-large takes at most 100"),
    "no-room": Refused("no-room", "puddle has no room for frog-1.0-py3-none-any.whl: "),
    "not-local": Refused("not-local", "is a remote repository and takes no uploads"),
}
# By the archive gate, at either level and at the strict one alone.
UPLOADS |= {
    "archive-that-escapes": Refused(
        "plain",
        "has a member that leads out of it by '..': '../evil.py'",
        wheel(files={"../evil.py": b""}),
    ),
    "archive-without-its-licence": Refused(
        "plain",
        "names the License-File 'LICENSE'",
        wheel(metadata_version="2.4", extra_headers=["License-File: LICENSE"]),
    ),
    "archive-of-another-name": Refused(
        "plain",
        "says project 'frog', but it came as 'toad'",
        wheel(files={f"{INFO}/METADATA": dists.make_metadata("toad", "1.0")}),
    ),
    "record-that-does-not-match": Refused(
        "strict",
        "has a RECORD that does not match its contents: 'evil.py' is not listed",
        (FROG[0], recorded(files={"evil.py": b"print('evil')"})()),
    ),
    "platform-of-one-machine": Refused(
        "strict", "is for 'linux_x86_64', which is no platform", wheel(tag="py3-none-linux_x86_64")
    ),
    "unknown-classifier": Refused(
        "strict",
        "has the unknown classifier 'Frog :: Green'",
        wheel(extra_headers=["Classifier: Frog :: Green"]),
    ),
}
PUBLISHERS = ("twine", "uv", "poetry")
FILES = {
    "not-there": Refused("plain", "There is no project frog in pond/plain."),
    "quarantined": Refused("quarantined", "frog in pond/quarantined is quarantined: it bites."),
    "deleted-name": Refused("deleted-name", f"{FROG[0]} was deleted from pond/deleted-name."),
    "not-yours": Refused("plain", "There is no repository pond/plain that you may use."),
    "wrong-token": Refused("plain", "This token is not valid: it is wrong, expired or revoked."),
}
INSTALLERS = ("pip", "uv", "poetry")


@pytest.fixture(scope="module")
def scenes(production: Larder) -> dict[str, str]:
    """The token of each scene, by its name."""
    tokens = dict(production.inside("tests.journeys.refusal_scenes"))
    watch(*tokens.values())
    return tokens


@pytest.mark.parametrize("kind", UPLOADS)
def test_a_refused_upload_says_why(
    kind: str, production: Larder, scenes: dict[str, str], machine: Machine
) -> None:
    refused = UPLOADS[kind]
    who = ("__token__", scenes[refused.scene])
    transcript = uploaded(refused, production, who, machine)
    assert_golden(f"upload-{kind}", transcript)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("wrong-token", "This token is not valid: it is wrong, expired or revoked."),
        ("not-yours", "There is no repository pond/plain that you may use."),
        ("not-there", "There is no repository pond/nothing."),
    ],
)
def test_an_upload_by_nobody_or_to_nowhere_says_why(
    kind: str, says: str, production: Larder, scenes: dict[str, str], machine: Machine
) -> None:
    token = {
        "wrong-token": scenes["plain"][:-4] + "zzzz",
        "not-yours": production.stranger,
        "not-there": scenes["plain"],
    }[kind]
    refused = Refused("nothing" if kind == "not-there" else "plain", says)
    transcript = uploaded(refused, production, ("__token__", token), machine)
    assert_golden(f"upload-{kind}", transcript)


def test_a_guesser_is_told_when_to_come_back(
    production: Larder, scenes: dict[str, str], machine: Machine
) -> None:
    """After ten wrong passwords the right one is not looked at either."""
    url = f"{production.url}/pond/password/simple/"
    for _ in range(10):
        assert requests.get(url, auth=("pond-password", "wrong"), timeout=30).status_code == 401
    refused = Refused("password", "Too many wrong passwords or tokens. Try again in")
    transcript = uploaded(refused, production, ("pond-password", scenes["password"]), machine)
    assert_golden("upload-too-many-failures", transcript)


def uploaded(refused: Refused, larder: Larder, who: tuple[str, str], machine: Machine) -> str:
    """Return what each client printed when the upload was refused."""
    tenant = "puddle" if refused.scene == "no-room" else "pond"
    url = f"{larder.url}/{tenant}/{refused.scene}/"
    transcript = Transcript(larder, machine, who[1])
    for client in PUBLISHERS:
        transcript.add(client, upload(client, url, who, refused.file, machine), refused.says)
    return transcript.text


def upload(
    client: str, url: str, who: tuple[str, str], file: tuple[str, bytes], machine: Machine
) -> str:
    """Return what the client printed when it was refused."""
    user, secret = who
    folder = machine.folder(f"{client}/dist")
    wheel = folder / file[0]
    wheel.write_bytes(file[1])
    if client == "poetry":
        (folder.parent / "pyproject.toml").write_text(
            '[project]\nname = "frog"\nversion = "1.0"\ndescription = ""\n'
        )
        arguments = ("-r", "shelf", "-u", user, "-p", secret)
        variables = {"POETRY_REPOSITORIES_SHELF_URL": url}
        return machine.fails("poetry", "publish", *arguments, within=folder.parent, **variables)
    command = (twine if client == "twine" else uv)(url, [wheel], user=user, token=secret)
    return machine.fails(*command)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Another index, of static pages: its URL and its folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/", folder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("what", ["file", "metadata"])
@pytest.mark.parametrize("kind", FILES)
def test_a_refused_file_says_why(
    kind: str,
    what: str,
    production: Larder,
    scenes: dict[str, str],
    machine: Machine,
    elsewhere: tuple[str, Path],
) -> None:
    """Another index links to the file: our own page does not list what we refuse."""
    index, folder = elsewhere
    refused = FILES[kind]
    token = {
        "not-yours": production.stranger,
        "wrong-token": scenes["plain"][:-4] + "zzzz",
    }.get(kind, scenes[refused.scene])
    page = folder / "simple" / "frog" / "index.html"
    page.parent.mkdir(parents=True)
    digest = sha256_of(FROG[1])
    where = f"{production.url}/pond/{refused.scene}/files/frog/{digest}/{FROG[0]}"
    has = ' data-core-metadata="true"' if what == "metadata" else ""
    page.write_text(
        "<!DOCTYPE html><html><body>"
        f'<a href="{signed_in(where, token)}#sha256={digest}"{has}>{FROG[0]}</a>'
        "</body></html>"
    )
    transcript = Transcript(production, machine, token)
    for client in INSTALLERS:
        transcript.add(client, install(client, index, machine), refused.says)
    assert_golden(f"{what}-{kind}", transcript.text)


def install(client: str, index: str, machine: Machine) -> str:
    """Return what the client printed when it got no file."""
    target = str(machine.home / "target")
    match client:
        case "pip":
            return machine.fails("pip", "install", "--target", target, "-i", index, "frog")
        case "uv":
            arguments = ("--target", target, "--default-index", index, "frog")
            return machine.fails("uv", "pip", "install", *arguments)
        case _:
            project = machine.folder("consumer")
            (project / "pyproject.toml").write_text(
                '[project]\nname = "consumer"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
                'dependencies = ["frog"]\n[tool.poetry]\npackage-mode = false\n'
                f'[[tool.poetry.source]]\nname = "else"\nurl = "{index}"\npriority = "primary"\n'
            )
            return machine.fails("poetry", "lock", within=project)


class Transcript:
    """What the clients said, without what is different each time."""

    def __init__(self, larder: Larder, machine: Machine, token: str) -> None:
        self.text = ""
        self._varying = {
            token: "TOKEN",
            urlsplit(larder.url).netloc: "larder.example",
            str(machine.home): "HOME",
        }

    def add(self, client: str, said: str, why: str) -> None:
        """Add the end of what `client` said, which must hold the words that say why."""
        for text, name in self._varying.items():
            said = said.replace(text, name)
        for pattern, name in _ALWAYS_ANOTHER:
            said = pattern.sub(name, said)
        lines = [line.rstrip() for line in said.splitlines()]
        begin = next((at for at, line in enumerate(lines) if _FIRST_LINE.search(line)), 0)
        end = _WRAPPED.sub(" ", "\n".join(line for line in lines[begin:] if line))
        assert why in end, f"{client}:\n{end}"
        self.text += f"== {client}\n{end}\n"


def assert_golden(name: str, transcript: str) -> None:
    """Compare a transcript with the one that somebody has looked at."""
    golden = GOLDEN / f"{name}.txt"
    if not golden.exists():
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(transcript)
        pytest.fail(f"{golden.name} is new; look at it, and run the test again")
    assert transcript == golden.read_text()
