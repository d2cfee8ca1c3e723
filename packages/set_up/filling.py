"""Fills a client's snippets with a repository's URL, its reader's name and their token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import Template
from urllib.parse import quote, urlsplit

from packages.set_up.clients import Block, Client, Snippet, clients

# Stands where a token has not been made; no token looks like it.
NO_TOKEN = "YOUR_TOKEN"  # noqa: S105 - it is none
SOME_PROJECT = "your-project"


class _Text(Template):
    """A snippet's text: §name or §{name}, and §{client/snippet}."""

    delimiter = "§"
    idpattern = "[a-z_]+"
    braceidpattern = "[a-z-]+/[a-z-]+|[a-z_]+"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Setting:
    """What a snippet is filled with."""

    base_url: str  # of the installation, without a slash at its end
    repository: str  # tenant/key
    user: str  # empty: nobody has signed in, and anyone may read
    project: str = SOME_PROJECT
    secret: str = ""  # empty: no token has been made
    may_publish: bool = False

    @property
    def scheme(self) -> str:
        """Return http or https."""
        return urlsplit(self.base_url).scheme

    def values(self) -> dict[str, str]:
        """Return what each name stands for."""
        parts = urlsplit(self.base_url)
        address = f"{parts.netloc}{parts.path}/{self.repository}"
        login = quote(self.user, safe="")
        secret = self.secret or NO_TOKEN
        source = re.sub(r"[^a-z0-9]+", "-", self.repository).strip("-")
        signed = f"{login}:{secret}@" if self.user else ""
        return {
            "scheme": parts.scheme,
            "netloc": parts.netloc,
            "host": parts.hostname or "",
            "address": address,
            "repository": self.repository,
            "simple": f"{self.base_url}/{self.repository}/simple/",
            "signed": f"{parts.scheme}://{signed}{address}/simple/",
            "named": f"{parts.scheme}://{login}@{address}/simple/",
            "upload": f"{self.base_url}/{self.repository}/",
            "user": self.user,
            "login": login,
            "secret": secret,
            # As clients call a source, and as the environment does.
            "source": source,
            "source_variable": source.replace("-", "_").upper(),
            "project": self.project,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Filled:
    """A snippet with its text filled in."""

    snippet: Snippet
    text: str
    secret: str

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """Return the text in pieces, and of each whether it is the secret, which is masked."""
        if not self.secret:
            return [(self.text, False)]
        pieces = re.split(f"({re.escape(self.secret)})", self.text)
        return [(piece, piece == self.secret) for piece in pieces if piece]


def filled(client: Client, setting: Setting) -> dict[Block, list[Filled]]:
    """Return what `client` is shown for a reader, by block; blocks without a snippet are left out.

    Publishing is shown to whoever may publish.
    """
    found: dict[Block, list[Filled]] = {}
    for snippet in _shown(client, setting):
        text = _fill(snippet, setting)
        found.setdefault(snippet.block, []).append(Filled(snippet, text, setting.secret))
    return {block: found[block] for block in Block if block in found}


def offered(setting: Setting) -> list[Client]:
    """Return the clients of which there is something to show."""
    return [each for each in clients().values() if any(_shown(each, setting))]


def _shown(client: Client, setting: Setting) -> Iterator[Snippet]:
    for snippet in client.snippets:
        is_for_them = bool(setting.user) or not snippet.needs_token
        is_allowed = snippet.block != Block.PUBLISH or setting.may_publish
        if is_for_them and is_allowed and snippet.only in {"", setting.scheme}:
            yield snippet


class _Values(dict[str, str]):
    """What names stand for; another snippet's is filled when it is asked for."""

    def __init__(self, values: dict[str, str], other: Callable[[str], str]) -> None:
        super().__init__(values)
        self._other = other

    def __missing__(self, name: str) -> str:
        if "/" not in name:
            raise KeyError(name)
        return self._other(name)


def _fill(snippet: Snippet, setting: Setting) -> str:
    def other(name: str) -> str:
        slug, _, ident = name.partition("/")
        found = next(each for each in clients()[slug].snippets if each.id == ident)
        return _fill(found, setting)

    return _Text(snippet.text).substitute(_Values(setting.values(), other))
