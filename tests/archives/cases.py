"""One upload of the generator: what it is called, what is in it, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from repos.rules import Rules
from tests.dists import make_sdist, make_wheel

NAME, VERSION = "frog", "1.0"
WHEEL = "frog-1.0-py3-none-any.whl"
SDIST = "frog-1.0.tar.gz"
INFO = "frog-1.0.dist-info"


@dataclass(frozen=True)
class Case:
    """An upload.

    `says` is a part of the sentence that refuses it, its own and no other case's; empty for a
    good one. With `let_in` only strict rules refuse it; compatible ones take it, and note
    `finding` where that is given. `form` replaces fields of the form that twine would send.
    """

    slug: str  # names what it attacks
    content: Callable[[], bytes]
    says: str = ""
    filename: str = WHEEL
    name: str = NAME
    version: str = VERSION
    let_in: bool = False
    finding: str = ""
    says_strictly: str = ""  # where strict rules stumble over something else first
    form: Mapping[str, str] = field(default_factory=dict)

    def sentence(self, rules: Rules) -> str:
        """Return a part of the sentence with which a level refuses it."""
        return self.says_strictly if self.says_strictly and rules == Rules.STRICT else self.says

    def is_refused_by(self, rules: Rules) -> bool:
        """Say whether this level refuses it."""
        return bool(self.says) and not (self.let_in and rules == Rules.COMPATIBLE)


def only_compatible(
    slug: str,
    content: Callable[[], bytes],
    says: str,
    *,
    filename: str = WHEEL,
    finding: str = "",
    name: str = NAME,
    version: str = VERSION,
) -> Case:
    """Return an upload that strict rules refuse and compatible ones take."""
    return Case(
        slug, content, says, filename, name=name, version=version, let_in=True, finding=finding
    )


def wheel(**changes: object) -> Callable[[], bytes]:
    """Return what makes a wheel of frog 1.0; the changes are those of `make_wheel`."""
    return lambda: make_wheel(NAME, VERSION, **changes)[1]  # type: ignore[arg-type]


def sdist(**changes: object) -> Callable[[], bytes]:
    """Return what makes an sdist of frog 1.0; the changes are those of `make_sdist`."""
    return lambda: make_sdist(NAME, VERSION, **changes)[1]  # type: ignore[arg-type]


def slugs(cases: tuple[Case, ...]) -> list[str]:
    """Return the slugs for pytest, each there once."""
    found = [case.slug for case in cases]
    assert len(set(found)) == len(found), [slug for slug in found if found.count(slug) > 1]
    assert all(re.fullmatch(r"[a-z0-9-]+", slug) for slug in found)
    return found
