"""What the name of a distribution file says, and when two names mean the same file."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    canonicalize_version,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from base.errors import InvalidInput

__all__ = [
    "DistributionName",
    "FilenameRefused",
    "Kind",
    "NameRefused",
    "NormalizedName",
    "VersionRefused",
    "archive_format",
    "name_in_stem",
    "parse_filename",
    "parse_filename_of",
    "parse_name",
    "parse_version",
    "require_archive_name",
    "shown",
]

# Far above every real name and version, and low enough that an identity or a key fits a column.
MAX_NAME = 200
MAX_VERSION = 200
# What common file systems hold; a longer name could be stored here and saved by no client.
MAX_FILENAME = 255
# How much of a caller's text a sentence repeats: it ends up in a reason phrase.
MAX_SHOWN = 80

# Longest first: `.tar.gz` must win over what ends in `.gz` one day.
ARCHIVE_EXTENSIONS = (".tar.bz2", ".tar.gz", ".tgz", ".tar", ".zip")
EXTENSIONS = (".whl", ".egg", *ARCHIVE_EXTENSIONS)

# Core metadata specification, "Name": letters and digits at both ends. `fullmatch`, because `$`
# would let a trailing newline through.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
# All that names (PEP 508), versions (PEP 440: `!` and `+` too) and tags (PEP 425) are made of.
# Everything with a meaning in a URL, a shell, a page or a path is outside.
_OUTSIDE = re.compile(r"[^A-Za-z0-9._+!-]")
# pkg_resources' EGG_NAME: parts hold no "-", it is escaped as "_"; only the platform may.
_EGG = re.compile(
    r"(?P<name>[^-]+)-(?P<version>[^-]+)-py(?P<python>\d[\d.]*)(?:-(?P<platform>.+))?"
)


class FilenameRefused(InvalidInput):
    """A file name is not one of a distribution, or not of the one it came with."""


class NameRefused(InvalidInput):
    """A text is not the name of a project."""


class VersionRefused(InvalidInput):
    """A text is not a version."""


class Kind(enum.StrEnum):
    """What sort of archive a distribution is."""

    WHEEL = "wheel"
    SDIST = "sdist"
    EGG = "egg"
    DUMB = "dumb"


# The `filetype` field of the legacy upload API. `bdist_wininst`, `bdist_msi`, `bdist_rpm` and
# `bdist_dmg` are read by no installer of today.
_FILETYPES = {
    "sdist": Kind.SDIST,
    "bdist_wheel": Kind.WHEEL,
    "bdist_egg": Kind.EGG,
    "bdist_dumb": Kind.DUMB,
}


@dataclass(frozen=True, slots=True)
class DistributionName:
    """A file name, understood.

    `name` is as the file name spells it. `identity` is equal for two file names exactly if they
    mean the same file: normalised name, canonical version, and tags and build of a wheel, Python
    and platform of an egg, archive format of an sdist. It is readable, and shorter than 512
    characters by construction. `python_tag` is what the legacy API calls the Python version:
    `py2.py3` (wheel), `3.11` (egg), `source`, `any` (dumb).
    """

    filename: str
    kind: Kind
    name: str
    normalized: NormalizedName
    version: Version
    identity: str
    python_tag: str


def parse_name(text: str) -> NormalizedName:
    """Return the normalised form of a project's name."""
    if len(text) > MAX_NAME:
        raise NameRefused(
            f"The project name {shown(text)} is {len(text)} characters long; "
            f"at most {MAX_NAME} are allowed."
        )
    if not _NAME.fullmatch(text):
        raise NameRefused(
            f"{shown(text)} is not a project name: use ASCII letters and digits, with '.', '_' "
            "or '-' only between them."
        )
    return canonicalize_name(text)


def parse_version(text: str) -> Version:
    """Return the version that a text says."""
    _require_short_version(text)
    try:
        # PEP 440 drops white space around a version, but means the ASCII kind.
        version = Version(text) if text.isascii() else None
    except InvalidVersion:
        version = None
    if version is None:
        raise VersionRefused(
            f"{shown(text)} is not a version: PEP 440 wants something like 1.0, 1.0rc1, "
            "1.0.post1 or 1.0+local."
        )
    # Its normal form may be longer: 1.0-1 is 1.0.post1.
    _require_short_version(str(version))
    return version


def parse_filename(
    filename: str, *, name: str, version: str, filetype: str = ""
) -> DistributionName:
    """Return what a file name says, if it agrees with the name and version it came with."""
    normalized, release = parse_name(name), parse_version(version)
    _require_plain(filename)
    extension = _extension(filename)
    match _kind(filename, extension, filetype):
        case Kind.WHEEL:
            return _wheel(filename, normalized, release)
        case Kind.EGG:
            return _egg(filename, normalized, release)
        case kind:
            return _archive(filename, normalized, release, kind)


def parse_filename_of(filename: str, normalized: NormalizedName) -> DistributionName:
    """Return what a file name says that came with its project's normalised name alone.

    So files stand on the pages of other indexes: the version is read from the file name.
    """
    _require_plain(filename)
    extension = _extension(filename)
    stem = filename.removesuffix(extension)
    match _kind(filename, extension, ""):
        case Kind.WHEEL:
            return _wheel(filename, normalized, parse_version("".join(stem.split("-")[1:2])))
        case Kind.EGG:
            found = _EGG.fullmatch(stem)
            version = found["version"].replace("_", "-") if found else ""
            return _egg(filename, normalized, parse_version(version))
        case kind:
            version = _version_in_stem(stem, normalized)
            return _archive(filename, normalized, parse_version(version), kind)


def _version_in_stem(stem: str, normalized: NormalizedName) -> str:
    """Return what stands behind the name in `<name>-<version>`; empty where no name does.

    At most one split can fit: a left side that ends in a separator does not normalise to a name.
    """
    if stem.isascii():
        for left, right in _splits(stem, "-"):
            if canonicalize_name(left) == normalized:
                return right
    return ""


def guess(filename: str) -> tuple[str, str]:
    """Return the project and version that a file name alone seems to say; empty where it says none.

    For people, who see what was guessed: an old name with several "-" may be meant otherwise.
    """
    extension = next((each for each in EXTENSIONS if filename.endswith(each)), "")
    stem = filename.removesuffix(extension)
    if extension in {".whl", ".egg"}:
        name, _, rest = stem.partition("-")
        version = rest.partition("-")[0]
        version = version.replace("_", "-") if extension == ".egg" else version
        return (name, version) if _as_version(version) else ("", "")
    # Of a dumb archive a platform follows the version: what is before its dot is tried too.
    before_dots = [left for left, _ in _splits(stem, ".")]
    for text in (stem, *reversed(before_dots)):
        for name, version in _splits(text, "-"):
            if _NAME.fullmatch(name) and _as_version(version):
                return name, version
    return "", ""


def name_in_stem(stem: str, normalized: NormalizedName, version: Version) -> str | None:
    """Return the name as spelled in `<name>-<version>`, or None if it says anything else.

    A name may hold "-" in old files, and so may a version, hence the search. At most one split
    can fit, because a left side that ends in a separator does not normalise to a name.
    """
    if not stem.isascii():  # lower-casing turns a Kelvin sign into "k"
        return None
    for left, right in _splits(stem, "-"):
        if canonicalize_name(left) == normalized:
            return left if _spells(right, version) else None
    return None


def archive_format(filename: str) -> str:
    """Return how a file is packed: `tar.gz` (for `.tgz` too), `tar.bz2`, `tar` or `zip`."""
    match _extension(filename):
        case ".tgz":
            return "tar.gz"
        case ".whl" | ".egg":
            return "zip"
        case extension:
            return extension.removeprefix(".")


def require_archive_name(filename: str) -> None:
    """Refuse a file name that no distribution has, whatever its project. Raises FilenameRefused."""
    _require_plain(filename)
    _extension(filename)


def shown(text: str, at_most: int = MAX_SHOWN) -> str:
    """Return a caller's text quoted for a sentence: short, ASCII, without control characters."""
    cut = text if len(text) <= at_most else text[: at_most - 3] + "..."
    return ascii(cut)


def _require_short_version(text: str) -> None:
    if len(text) > MAX_VERSION:
        raise VersionRefused(
            f"The version {shown(text)} is {len(text)} characters long; "
            f"at most {MAX_VERSION} are allowed."
        )


def _require_plain(filename: str) -> None:
    if len(filename) > MAX_FILENAME:
        raise FilenameRefused(
            f"The file name {shown(filename)} is {len(filename)} characters long; "
            f"at most {MAX_FILENAME} are allowed."
        )
    if filename.startswith("."):
        raise FilenameRefused(
            f"{shown(filename)} starts with a dot; a distribution's file name starts with the "
            "project's name."
        )
    if outside := _OUTSIDE.search(filename):
        raise FilenameRefused(
            f"{shown(filename)} holds {outside.group()!a}; a distribution's file name is "
            "made of ASCII letters, digits and . _ - + ! only."
        )


def _extension(filename: str) -> str:
    for extension in EXTENSIONS:
        if filename.endswith(extension):
            return extension
    raise FilenameRefused(
        f"{shown(filename)} is no archive that Python installs: its name must end in one of "
        f"{', '.join(EXTENSIONS)}."
    )


def _kind(filename: str, extension: str, filetype: str) -> Kind | None:
    """Return the kind that field and extension agree on; None is an sdist or a dumb archive."""
    by_extension = {".whl": Kind.WHEEL, ".egg": Kind.EGG}.get(extension)
    if not filetype:
        return by_extension
    if filetype not in _FILETYPES:
        raise FilenameRefused(
            f"The filetype {shown(filetype)} of {shown(filename)} is not accepted; use one of "
            f"{', '.join(_FILETYPES)}."
        )
    kind = _FILETYPES[filetype]
    if by_extension is None and kind in (Kind.SDIST, Kind.DUMB):
        return kind
    if by_extension is kind:
        return kind
    right = "sdist" if by_extension is None else f"bdist_{by_extension}"
    raise FilenameRefused(
        f"The filetype {shown(filetype)} does not fit {shown(filename)}; a {extension} file is "
        f"{shown(right)}."
    )


def _wheel(filename: str, normalized: NormalizedName, version: Version) -> DistributionName:
    """Read a wheel's name by PEP 427; any spelling of the project's name will do.

    `packaging` reads 01.0 as 1.0 and py3.py2 as the set it is: hence the identity is made of
    what it read, not of the text.
    """
    try:
        said, said_version, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        raise FilenameRefused(
            f"{shown(filename)} is not a wheel's name: PEP 427 wants "
            "name-version[-build]-python-abi-platform.whl."
        ) from None
    if said != normalized:
        raise _disagrees(filename, "project", str(said), str(normalized))
    if said_version != version:
        raise _disagrees(filename, "version", str(said_version), str(version))
    # A compressed tag set is a full product, so that its three sets name it without spelling
    # out each combination (there can be tens of thousands).
    tag = "-".join(
        _joined(values)
        for values in (
            (tag.interpreter for tag in tags),
            (tag.abi for tag in tags),
            (tag.platform for tag in tags),
        )
    )
    rest = [f"build={build[0]}{build[1]}", tag] if build else [tag]
    return DistributionName(
        filename=filename,
        kind=Kind.WHEEL,
        name=filename.partition("-")[0],
        normalized=normalized,
        version=version,
        identity=_identity(normalized, version, Kind.WHEEL, *rest),
        python_tag=filename.removesuffix(".whl").split("-")[-3],
    )


def _egg(filename: str, normalized: NormalizedName, version: Version) -> DistributionName:
    found = _EGG.fullmatch(filename.removesuffix(".egg"))
    if found is None:
        raise FilenameRefused(
            f"{shown(filename)} is not an egg's name: it should be "
            "name-version-pyX.Y[-platform].egg."
        )
    said = canonicalize_name(found["name"])
    if said != normalized:
        raise _disagrees(filename, "project", str(said), str(normalized))
    if not _spells(found["version"].replace("_", "-"), version):
        raise _disagrees(filename, "version", found["version"], str(version))
    tags = [f"py{found['python']}"]
    if found["platform"]:
        tags.append(found["platform"].lower())
    return DistributionName(
        filename=filename,
        kind=Kind.EGG,
        name=found["name"],
        normalized=normalized,
        version=version,
        identity=_identity(normalized, version, Kind.EGG, *tags),
        python_tag=found["python"],
    )


def _archive(
    filename: str, normalized: NormalizedName, version: Version, kind: Kind | None
) -> DistributionName:
    """Read an sdist's name, or a dumb archive's; without a filetype, whichever of them it is."""
    extension = _extension(filename)
    stem = filename.removesuffix(extension)
    packed = archive_format(filename)
    if kind is not Kind.DUMB and (spelled := name_in_stem(stem, normalized, version)):
        return DistributionName(
            filename=filename,
            kind=Kind.SDIST,
            name=spelled,
            normalized=normalized,
            version=version,
            identity=_identity(normalized, version, Kind.SDIST, packed),
            python_tag="source",
        )
    if kind is not Kind.SDIST and (dumb := _name_and_platform(stem, normalized, version)):
        spelled, platform = dumb
        return DistributionName(
            filename=filename,
            kind=Kind.DUMB,
            name=spelled,
            normalized=normalized,
            version=version,
            identity=_identity(normalized, version, Kind.DUMB, f"{platform}.{packed}"),
            python_tag="any",
        )
    # PEP 625: the name normalised with "_", so that the first "-" ends it.
    right = f"{normalized.replace('-', '_')}-{version}"
    if kind is Kind.DUMB:
        right += ".platform"
    raise FilenameRefused(
        f"{shown(filename)} does not name version {shown(str(version))} of {shown(normalized)}; "
        f"it should be {shown(right + extension)}."
    )


def _name_and_platform(
    stem: str, normalized: NormalizedName, version: Version
) -> tuple[str, str] | None:
    """Return name and platform of `<name>-<version>.<platform>`, as distutils' bdist_dumb writes.

    A platform starts with a letter and does not make another version of what is before it:
    `foo-1.0.post1` is no build of foo 1.0 for the platform "post1".
    """
    for left, platform in _splits(stem, "."):
        spelled = name_in_stem(left, normalized, version)
        if spelled is None or not platform[:1].isalpha():
            continue
        if _as_version(stem[len(spelled) + 1 :]) is None:
            return spelled, platform.lower()
    return None


def _spells(text: str, version: Version) -> bool:
    """Say whether a text in a file name is this version, in today's spelling or an old one."""
    said = _as_version(text)
    if said is not None:
        return said == version
    if version.local is None:
        return False
    # Old setuptools wrote the "+" of a local version as "-", and "-" as "_" where "-" divides.
    # Only where the text is no version by itself: pip would read `1.0-1` as 1.0.post1.
    return any(
        _as_version(f"{left}+{right}") == version
        for separator in "-_"
        for left, right in _splits(text, separator)
    )


def _as_version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _splits(text: str, separator: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(re.escape(separator), text):
        yield text[: found.start()], text[found.end() :]


def _joined(values: Iterable[str]) -> str:
    return ".".join(sorted(set(values)))


def _identity(normalized: NormalizedName, version: Version, kind: Kind, *rest: str) -> str:
    # A space divides, because no part can hold one (see _OUTSIDE).
    return " ".join((normalized, canonicalize_version(version), kind, *rest))


def _disagrees(filename: str, what: str, said: str, right: str) -> FilenameRefused:
    return FilenameRefused(
        f"{shown(filename)} says {what} {shown(said)}, but it came as {shown(right)}; "
        "both must be the same."
    )
