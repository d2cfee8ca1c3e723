"""The commands of a page of docs/, run as they stand, one after the other.

A page has commands in ```console, what one of them says in ```text, and files in blocks of any
other language, which begin with a comment that names the file. A command that ends with
`# refused` must fail.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.clients import ROOT, client, client_environment
from tests.journeys.larder import ADMIN_PASSWORD, Larder, Repository

DOCS = ROOT / "docs"
# The pages for an audience, which test_documented runs.
PAGES = (
    "administration.md",
    "publishing.md",
    "installing.md",
    "coming-from-google-artifact-registry.md",
    "coming-from-devpi.md",
)
# Pages whose commands another test runs.
ELSEWHERE = {
    "coming-from-artifactory.md": "test_artifactory.py",
    "command.md": "test_larder_command.py",
    "rest.md": "test_rest_docs.py",
    "trusted-publishing.md": "test_publish_from_ci.py",
    "issuers.md": "test_publish_from_ci.py",
}
# twine brings `keyring`; pip's own environment has the `python` that is found first.
_CLIENTS = ("pip", "twine", "uv", "poetry", "pdm", "flit")
# What keeps other tests' clients from settings and keyrings; who follows a page has both.
_SETS_NOTHING = (
    *("PIP_CONFIG_FILE", "PIP_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER", "UV_NO_CONFIG"),
    *("PYTHON_KEYRING_BACKEND", "POETRY_KEYRING_ENABLED"),
)
_HERE = re.compile(r"https://((?:[^/\s@]|\$\{\{[^}]*\}\})*@)?packages\.example")
# Names are one for the whole installation, in which several pages are followed.
_PEOPLE = re.compile(r"\b(ada|ann|bob)\b")
_FENCE = re.compile(r"^```([\w-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"# ([~\w./-]+)\n")
_REFUSED = " # refused"
# A command that is refused ends the script: curl alone would call it a success.
_STRICT = """set -eo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; }
"""
_SECONDS = 300


def text_of(page: str) -> str:
    """Return a page of docs/."""
    return (DOCS / page).read_text()


def fences(text: str) -> list[tuple[str, str]]:
    """Return the language and the text of each block of a page."""
    found = _FENCE.findall(text)
    assert len(found) * 2 == text.count("```"), "a block is not closed"
    return found


def commands_of(page: str) -> list[str]:
    """Return the commands in the consoles of a page; each is one line."""
    blocks = [block for language, block in fences(text_of(page)) if language == "console"]
    return [line for block in blocks for line in _commands(block)]


def script_of(text: str) -> list[str]:
    """Return what a page has somebody do: commands, and files written, in its order."""
    return list(_steps(text))


def said_in(text: str) -> list[str]:
    """Return the lines that a page says its commands print."""
    blocks = [block for language, block in fences(text) if language == "text"]
    return [line for block in blocks for line in block.splitlines()]


def file_in(text: str, path: str) -> str:
    """Return the file that a page has somebody write at `path`."""
    (found,) = (block for _, block in fences(text) if block.startswith(f"# {path}\n"))
    return found


def desk_environment(site: Path, home: Path) -> dict[str, str]:
    """Return the environment of somebody who has the clients and, in `site`, the larder command."""
    programs = [str(site / "bin"), *(str(client(name).parent) for name in _CLIENTS)]
    known = {k: v for k, v in client_environment(home).items() if k not in _SETS_NOTHING}
    path = os.pathsep.join([*programs, known.get("PATH", os.defpath)])
    return known | {"PATH": path, "PYTHONPATH": str(site)}


def where_larder_runs(larder: Larder, folder: Path) -> dict[str, str]:
    """Let commands with manage.py be typed in a folder, and return the environment they need."""
    (folder / "manage.py").symlink_to(ROOT / "manage.py")
    (folder / ".venv").symlink_to(sys.prefix)
    return {name: value for name, value in larder.environment.items() if name != "PYTHONPATH"}


def copy_client(folder: Path) -> Path:
    """Copy the tree of the larder command to where it may be built, and return it."""
    ignored = shutil.ignore_patterns("__pycache__", "dist")
    return Path(shutil.copytree(ROOT / "client", folder / "client", ignore=ignored))


def run_all(commands: list[str], within: Path, environment: Mapping[str, str]) -> str:
    """Run commands in one shell, each of which must succeed, and return what they printed."""
    done = subprocess.run(
        ["bash", "-c", _STRICT + "\n".join(commands)],
        env=environment,
        cwd=within,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@dataclass(frozen=True)
class Desk:
    """Where somebody follows a page, in a tenant of that page's own."""

    larder: Larder
    page: str
    folder: Path
    environment: dict[str, str]
    hosts: dict[str, str]

    def here(self, text: str) -> str:
        """Return a text of the page with what stands for hosts and tenants replaced."""
        stem = Path(self.page).stem
        url = urlsplit(self.larder.url)
        text = _HERE.sub(rf"{url.scheme}://\g<1>{url.netloc}", text)
        for example, real in self.hosts.items():
            text = text.replace(example, real)
        return _PEOPLE.sub(rf"\g<0>-{stem}", re.sub(r"\bacme\b", stem, text))

    @property
    def text(self) -> str:
        """The page, as it is for this Larder."""
        return self.here(text_of(self.page))

    def repository(self, key: str) -> Repository:
        """Return a repository of the page's tenant."""
        return Repository(f"{self.larder.url}/{Path(self.page).stem}/{key}/")

    def prepare(self, *commands: list[str]) -> None:
        """Have an administrator do what a page begins with; it knows the password of its user."""
        said = self.larder.manage(*([self.here(word) for word in each] for each in commands))
        for (name, *_), secret in zip(commands, said, strict=True):
            if name == "create_user":
                (self.folder / "password").write_text(f"{secret}\n")

    def as_admin(self, command: str) -> None:
        """Run a command as the administrator, logged in apart."""
        apart = self.environment | {"LARDER_CONFIG": str(self.folder.parent / "of-admin")}
        login = f"echo {ADMIN_PASSWORD} | larder login {self.larder.url} --username admin"
        commands = [f"{login} --password-stdin", self.here(command)]
        run_all(commands, self.folder, apart)

    def follow(self, text: str = "") -> str:
        """Do all that the page says, or a part of it; what is printed is what it shows."""
        text = text or self.text
        said = run_all(script_of(text), self.folder, self.environment)
        for line in said_in(text):
            assert line in said, said
        assert "Traceback" not in said
        return said


def _steps(text: str) -> Iterator[str]:
    for language, block in fences(text):
        if language == "console":
            yield from map(_judged, _commands(block))
        elif language != "text":
            named = _PATH.match(block)
            assert named, f"a file's first line is its name: {block}"
            path = named[1]
            yield f"mkdir -p {Path(path).parent}\ncat > {path} <<'END OF FILE'\n{block}END OF FILE"


def _commands(block: str) -> list[str]:
    lines = block.splitlines()
    assert all(line.startswith("$ ") for line in lines), block
    return [line.removeprefix("$ ") for line in lines]


def _judged(command: str) -> str:
    """Return a command that fails when it is not as the page says."""
    if not command.endswith(_REFUSED):
        return command
    complaint = shlex.quote(f"not refused: {command}")
    return f"if {command.removesuffix(_REFUSED)}; then echo {complaint}; exit 1; fi"
