"""The lines of an upstream's page: what is believed of them, and what is dropped.

Everything here was written by somebody else. A line whose file is not plausibly one of the page's
project is hidden; a field that is not what its specification says is left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from packages.filenames import (
    DistributionName,
    FilenameRefused,
    NameRefused,
    NormalizedName,
    VersionRefused,
    parse_filename_of,
)
from packages.upstream.errors import UpstreamUnreadable

LINES_AT_MOST = 200_000

_URL_AT_MOST = 2000
_TEXT_AT_MOST = 500
_DIGESTS = {
    name: hashlib.new(name).digest_size * 2
    for name in sorted(hashlib.algorithms_guaranteed)
    if not name.startswith("shake")
}
_HEX = re.compile(r"[0-9a-f]+")
_STATUSES = frozenset({"active", "archived", "deprecated", "quarantined"})


class Line(msgspec.Struct, frozen=True, array_like=True):
    """One file as upstream lists it. Absolute URL; digests in lower-case hex by algorithm."""

    filename: str
    version: str
    url: str
    hashes: dict[str, str]
    size: int | None  # in bytes
    uploaded_at: datetime | None
    requires_python: str
    yanked_reason: str | None  # PEP 592: None when not yanked
    has_metadata: bool  # PEP 658/714
    metadata_sha256: str  # empty where upstream names none
    provenance: str  # PEP 740; empty for none
    kind: str
    python_tag: str

    @property
    def sha256(self) -> str:
        """Return the digest that our URLs name; empty when upstream does not say."""
        return self.hashes.get("sha256", "")

    @property
    def identity(self) -> str:
        """Return what tells the file from another that once had its name: 64 characters."""
        return self.sha256 or hashlib.sha256(self.url.encode()).hexdigest()


class Document(msgspec.Struct, frozen=True, array_like=True):
    """What upstream says of one project. Lines are ordered by version, then file name."""

    status: str
    status_reason: str
    lines: tuple[Line, ...]


# What a field may be at all: a page that nests anything else is none, and is not built in memory.
Scalar = str | int | float | bool | None
_Digests = dict[str, Scalar]


class Claimed(msgspec.Struct):
    """One link as it stood on a page, before anything of it is believed.

    Named as PEP 691 names the keys; HTML is brought into the same form.
    """

    filename: Scalar = None
    url: Scalar = None
    hashes: _Digests | Scalar = None
    size: Scalar = None
    upload_time: Scalar = msgspec.field(default=None, name="upload-time")
    requires_python: Scalar = msgspec.field(default=None, name="requires-python")
    yanked: Scalar = False
    core_metadata: _Digests | Scalar = msgspec.field(default=None, name="core-metadata")
    dist_info_metadata: _Digests | Scalar = msgspec.field(default=None, name="dist-info-metadata")
    provenance: Scalar = None


def believed(
    project: NormalizedName,
    claimed: Iterable[Claimed],
    *,
    base: str,
    status: object = None,
    reason: object = None,
) -> Document:
    """Return what may be believed of a page whose links are relative to `base`.

    Raises UpstreamUnreadable for a page that is too long to be one.
    """
    found: dict[str, tuple[Version, Line]] = {}
    for number, each in enumerate(claimed):
        if number >= LINES_AT_MOST:
            raise too_long()
        named = _named(project, each)
        url = _absolute(base, each.url)
        if named is None or not url or named.identity in found:
            continue  # of two lines for one file, the first counts
        found[named.identity] = (named.version, _line(named, url, each))
    ordered = sorted(found.values(), key=lambda pair: (pair[0], pair[1].filename))
    return Document(
        status=status if isinstance(status, str) and status in _STATUSES else "active",
        status_reason=_text(reason),
        lines=tuple(line for _, line in ordered),
    )


def too_long() -> UpstreamUnreadable:
    """Return the refusal of a page with more lines than any project has."""
    return UpstreamUnreadable(f"The page has more than {LINES_AT_MOST} lines.")


def _named(project: NormalizedName, claimed: Claimed) -> DistributionName | None:
    """Return what the file's name says, or None when it is no file of this project."""
    filename = claimed.filename
    if filename is None and isinstance(claimed.url, str):
        filename = last_part(claimed.url)
    if not isinstance(filename, str):
        return None
    try:
        return parse_filename_of(filename, project)
    except (FilenameRefused, NameRefused, VersionRefused):
        return None


def last_part(url: str) -> str:
    """Return the last part of a URL's path: PEP 503 wants the file's name there."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""


def _line(named: DistributionName, url: str, claimed: Claimed) -> Line:
    metadata = claimed.core_metadata
    if metadata is None:
        metadata = claimed.dist_info_metadata
    of_metadata = _hashes(metadata)
    return Line(
        filename=named.filename,
        version=str(named.version),
        url=url,
        hashes=_hashes(claimed.hashes),
        size=_size(claimed.size),
        uploaded_at=_time(claimed.upload_time),
        requires_python=_requires_python(claimed.requires_python),
        yanked_reason=_yanked_reason(claimed.yanked),
        has_metadata=metadata is True or bool(of_metadata) or isinstance(metadata, dict),
        metadata_sha256=of_metadata.get("sha256", ""),
        provenance=_provenance(claimed.provenance),
        kind=named.kind.value,
        python_tag=named.python_tag,
    )


def _absolute(base: str, url: object) -> str:
    """Return where a link leads, without its fragment; empty where Larder would not go."""
    if not isinstance(url, str) or len(url) > _URL_AT_MOST:
        return ""
    try:
        parts = urlsplit(urljoin(base, url))
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        absolute = parts._replace(fragment="").geturl()
    except ValueError:
        return ""
    # A link never signs in by itself: `user:password@` goes nowhere from here.
    if not is_one or "@" in parts.netloc or not absolute.isprintable():
        return ""
    return absolute.replace(" ", "%20") if len(absolute) <= _URL_AT_MOST else ""


def _hashes(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {
        name: digest.lower()
        for name, digest in value.items()
        if isinstance(digest, str)
        and len(digest) == _DIGESTS.get(name)
        and _HEX.fullmatch(digest.lower())
    }


def _size(value: object) -> int | None:
    is_one = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if is_one and isinstance(value, int) else None


def _time(value: object) -> datetime | None:
    """PEP 700 wants a zone; uv throws a page away that has a time without one."""
    if not isinstance(value, str) or len(value) > 40:  # noqa: PLR2004 - ISO 8601 is shorter
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _requires_python(value: object) -> str:
    return _specifiers(value) if isinstance(value, str) and len(value) <= _TEXT_AT_MOST else ""


@lru_cache(maxsize=4096)
def _specifiers(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return ""
    return text if text.isprintable() else ""


def _yanked_reason(value: object) -> str | None:
    if isinstance(value, str) and value:
        return _text(value)
    return "" if value is True else None


def _provenance(value: object) -> str:
    """PEP 740: an absolute URL, of which only https is believed."""
    url = _absolute("", value)
    return url if url.startswith("https://") else ""


def _text(value: object) -> str:
    """Return one bounded line for people; what cannot be printed is left out."""
    if not isinstance(value, str):
        return ""
    line = " ".join(value[: 2 * _TEXT_AT_MOST].split())
    return "".join(char for char in line if char.isprintable())[:_TEXT_AT_MOST]
