"""Reads the snippets of each client from the files beside it.

A snippet's text holds names such as §simple, which are filled with what belongs to a repository
and its reader (`packages.set_up.filling`). The sign is one that no shell, template or CI language
uses. §{pip/install} stands for another snippet's text, so that what a CI runs is what is tested.
"""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

_FOLDER = Path(__file__).parent / "snippets"


class Block(enum.StrEnum):
    """The three things that one does, in order."""

    CONNECT = "connect"
    INSTALL = "install"
    PUBLISH = "publish"


# In the order in which they are offered: those on one's machine first.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Clients": ("pip", "uv", "poetry", "pdm", "hatch", "twine"),
    "Credentials": ("netrc", "keyring"),
    "CI": ("github-actions", "gitlab-ci", "jenkins", "cloud-build", "docker"),
    "This machine": ("windows", "certificates"),
}


@dataclass(frozen=True, slots=True)
class Snippet:
    """One text to copy, and where it belongs."""

    id: str
    block: Block
    title: str
    text: str
    # Commands of a POSIX shell or of PowerShell, or the contents of a file.
    kind: Literal["shell", "powershell", "file"] = "shell"
    # Of a file: where it is. One that is `added` has other contents as well.
    path: str = ""
    added: bool = False
    # It is of no use without a token: whoever has not signed in does not see it.
    needs_token: bool = False
    # "http" or "https" where it is for installations that are reached so.
    only: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """One way of using a repository."""

    slug: str
    name: str
    about: str
    snippets: tuple[Snippet, ...]


@cache
def clients() -> Mapping[str, Client]:
    """Return every client by its slug, in the order in which they are offered."""
    slugs = (slug for group in GROUPS.values() for slug in group)
    return {slug: _read(slug) for slug in slugs}


def _read(slug: str) -> Client:
    document = tomllib.loads((_FOLDER / f"{slug}.toml").read_text())
    snippets = tuple(_snippet(each) for each in document.pop("snippets"))
    return Client(slug=slug, snippets=snippets, **document)


def _snippet(values: dict[str, Any]) -> Snippet:
    text = values.pop("text").strip("\n")
    return Snippet(block=Block(values.pop("block")), text=text, **values)
