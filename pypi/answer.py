"""What a URL of the PyPI door is asked, and what it answers.

Every URL has one function from an `Ask` to an `Answer`. Neither knows Django, so the same
function can stand behind a Django view and in front of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from accounts.authentication import SHOWN_IN, authenticate, credentials_in
from accounts.principal import Principal
from accounts.roles import Role
from base.bodies import Body
from packages.index.base import Ground
from packages.storage import Readable
from repos.access import require
from repos.models import Repository

SAFE_METHODS = frozenset({"GET", "HEAD"})

# What others have uploaded is never a page of ours: no script, no form, no origin.
NEVER_A_PAGE = {"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}


@dataclass(frozen=True)
class Ask:
    """One request, parsed as far as every URL needs it.

    `headers` has lower-case names. `tenant` and `key` name the repository, whatever form of
    URL named it.
    """

    method: str
    tenant: str
    key: str
    scope: str = ""  # of a remote: where its upstream keeps the index that is meant
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    url: str = ""  # absolute, as the caller spelled it
    body: Body = field(default_factory=lambda: Body({}))
    signed_in: Callable[[], Principal] = Principal  # by the session cookie
    knows_chunks: bool = True  # HTTP/1.0 does not: it takes a cut for the end

    def header(self, name: str) -> str:
        """Return a header by its lower-case name; empty when absent."""
        return self.headers.get(name, "")

    @property
    def is_from_another_site(self) -> bool:
        """Say whether a browser sends this for another site's page, with what it remembers.

        No client that publishes says where it comes from. Browsers do; by plain http in `Origin`
        alone.
        """
        url = urlsplit(self.url)
        own = {"", f"{url.scheme}://{url.netloc}"}
        is_elsewhere = self.header("sec-fetch-site") in {"cross-site", "same-site"}
        return is_elsewhere or self.header("origin") not in own

    def authenticate(self) -> None:
        """Refuse a wrong credential where nothing else depends on who calls."""
        _ = self.principal

    @property
    def known_principal(self) -> Principal | None:
        """Return who calls by credentials of their own, if that has come out."""
        return vars(self).get("principal") if any(self.shown) else None

    @property
    def shown(self) -> tuple[str, ...]:
        """Return what who calls shows of themselves."""
        return tuple(map(self.header, SHOWN_IN))

    def is_from(self, principal: Principal) -> None:
        """Let `principal`, known by the same credential from before, be who calls."""
        vars(self)["principal"] = principal

    def is_let_in_to(self, repository: Repository) -> None:
        """Let `repository`, which who calls is known to be allowed to read, be what is read."""
        vars(self)["readable"] = repository

    @cached_property
    def readable(self) -> Repository:
        """Return the repository to who may read it. Raises as `repos.access.require`."""
        return require(self.principal, self.tenant, self.key, Role.READER)

    @property
    def known_readable(self) -> Repository | None:
        """Return the same, if it has come out that who calls may read it."""
        return vars(self).get("readable")

    @cached_property
    def principal(self) -> Principal:
        """Return who calls. Raises CredentialsRefused when what they show is wrong.

        The session cookie counts for reading only: a page of another site could send it along.
        """
        credentials = credentials_in(self.headers)
        if credentials is not None:
            return authenticate(credentials, address=self.address)
        if self.method in SAFE_METHODS:
            return self.signed_in()
        return Principal(address=self.address)


@dataclass(slots=True)
class Answer:
    """A status, headers, and a body in bytes or as a stream of `length` bytes."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: Readable | None = None
    reason: str | None = None  # None: the standard phrase
    # What it stands on, if another caller may be given the same; None: it is for this one alone.
    ground: Ground | None = None
    # Opens the stream anew, for the next caller.
    reopen: Callable[[], Readable] | None = None
    # Counts it as given out to the principal `by`.
    note: Callable[..., None] | None = None


# What is that small is sent in one piece.
SENT_AT_ONCE = 64 * 1024


class Pieces:
    """A stream of what is made piece by piece while it is sent."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1, /) -> bytes:
        """Return the next pieces: about `size` bytes, or as many as are sent well at once."""
        size = SENT_AT_ONCE if size < 0 else min(size, SENT_AT_ONCE)
        taken, length = [], 0
        for piece in self._pieces:
            taken.append(piece)
            length += len(piece)
            if size <= length:
                break
        return b"".join(taken)

    def close(self) -> None:
        """Make no more."""


def caching(ask: Ask, policy: str) -> dict[str, str]:
    """Return the caching headers of an answer to a caller who may read it.

    What nobody in particular was given may stand in shared caches; everything else may not.
    """
    return {
        "Cache-Control": f"{'public' if ask.principal.is_anonymous else 'private'}, {policy}",
        "Vary": "Accept, Accept-Encoding, Authorization, Cookie",
    }


def etag_of(body: bytes) -> str:
    """Return the strong ETag of exactly these bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_unchanged(ask: Ask, etag: str) -> bool:
    """Say whether the caller's `If-None-Match` names `etag` (RFC 9110: compared weakly)."""
    return names_etag(ask.header("if-none-match"), etag)


def names_etag(sent: str, etag: str) -> bool:
    """Say whether an `If-None-Match` that was sent, if one was, names `etag`."""
    tags = {tag.strip().removeprefix("W/") for tag in sent.split(",")}
    return bool(sent) and (etag in tags or "*" in tags)
