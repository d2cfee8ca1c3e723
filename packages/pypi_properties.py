"""The `pypi.*` properties: what they are called, and where metadata and upload forms have them.

docs/extraction.md lists them for people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from packaging.utils import canonicalize_name

from packages.filenames import NormalizedName
from packages.metadata import CoreMetadata, requirement_in

NAME = "pypi.name"
NORMALIZED_NAME = "pypi.normalized.name"
VERSION = "pypi.version"
# Made of pypi.requires.dist, so that "who requires this?" is one look into an index.
REQUIRES_NAME = "pypi.requires.name"
_REQUIRES_DIST = "pypi.requires.dist"
PREFIX = "pypi."


class _Field(NamedTuple):
    """One property, the attribute of CoreMetadata, and the field of the upload form."""

    name: str
    attribute: str
    form: str


_FIELDS = (
    _Field(NAME, "name", "name"),
    _Field(VERSION, "version", "version"),
    _Field("pypi.metadata.version", "metadata_version", "metadata_version"),
    _Field("pypi.summary", "summary", "summary"),
    _Field("pypi.requires.python", "requires_python", "requires_python"),
    _Field("pypi.author", "author", "author"),
    _Field("pypi.author.email", "author_email", "author_email"),
    _Field("pypi.maintainer", "maintainer", "maintainer"),
    _Field("pypi.maintainer.email", "maintainer_email", "maintainer_email"),
    _Field("pypi.license", "license", "license"),
    _Field("pypi.license.expression", "license_expression", "license_expression"),
    _Field("pypi.license.files", "license_files", "license_file"),
    _Field("pypi.keywords", "keywords", "keywords"),
    _Field("pypi.classifiers", "classifiers", "classifiers"),
    _Field("pypi.platforms", "platforms", "platform"),
    _Field(_REQUIRES_DIST, "requires_dist", "requires_dist"),
    _Field("pypi.provides.extra", "provides_extra", "provides_extra"),
    _Field("pypi.home.page", "home_page", "home_page"),
    _Field("pypi.download.url", "download_url", "download_url"),
    _Field("pypi.project.urls", "project_urls", "project_urls"),
    _Field("pypi.dynamic", "dynamic", "dynamic"),
)
_MANY = frozenset(
    {
        "pypi.license.files",
        "pypi.keywords",
        "pypi.classifiers",
        "pypi.platforms",
        _REQUIRES_DIST,
        "pypi.provides.extra",
        "pypi.project.urls",
        "pypi.dynamic",
    }
)
# What distutils wrote where it had nothing to say.
_ABSENT = ("", "UNKNOWN")
# But for one space alone, which stays: each match costs, and a form may have millions of them.
_WHITE_SPACE = re.compile(r"[^\S ]\s*| \s+")
# All characters that are read as requirements; the largest real ones have 200 KiB.
_REQUIREMENTS_AT_MOST = 512 * 1024


def properties_of(metadata: CoreMetadata, normalized: NormalizedName | str) -> dict[str, list[str]]:
    """Return the properties that metadata says; what it does not say is left out."""
    said = {field.name: _texts(getattr(metadata, field.attribute)) for field in _FIELDS}
    return _cleaned(said, normalized)


def properties_in_form(
    fields: Mapping[str, Sequence[str]], normalized: NormalizedName
) -> dict[str, list[str]]:
    """Return the properties that an upload's form says; `fields` has the values of each field."""
    said = {field.name: list(fields.get(field.form, ())) for field in _FIELDS}
    return _cleaned(said, normalized)


def identity_properties(name: str, normalized: str, version: str) -> dict[str, list[str]]:
    """Return the properties of a file whose archive says nothing of itself."""
    return {NAME: [name], NORMALIZED_NAME: [normalized], VERSION: [version]}


def _texts(value: str | tuple[str, ...] | tuple[tuple[str, str], ...]) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [each if isinstance(each, str) else ", ".join(each) for each in value]


def _cleaned(said: dict[str, list[str]], normalized: str) -> dict[str, list[str]]:
    """Return each property with its values in one line, in the order in which they were said."""
    if said["pypi.keywords"]:
        said["pypi.keywords"] = _keywords(said["pypi.keywords"])
    properties = {}
    for name, values in said.items():
        lines = [_WHITE_SPACE.sub(" ", value).strip() for value in values]
        present = list(dict.fromkeys(line for line in lines if line not in _ABSENT))
        if present:
            properties[name] = present if name in _MANY else present[:1]
    properties[NORMALIZED_NAME] = [str(normalized)]
    if names := _required_names(properties.get(_REQUIRES_DIST, ())):
        properties[REQUIRES_NAME] = names
    return properties


def _required_names(requirements: Sequence[str]) -> list[str]:
    """Return the normalised names in requirements, each once; other texts are passed over."""
    names: dict[str, None] = {}
    left = _REQUIREMENTS_AT_MOST
    for text in requirements:
        left -= len(text)
        if left < 0:
            break
        if (requirement := requirement_in(text)) is not None:
            names[canonicalize_name(requirement.name)] = None
    return list(names)


def _keywords(values: Sequence[str]) -> list[str]:
    """Return single keywords: divided by commas, or in old files by spaces."""
    text = ",".join(values)
    return text.split(",") if "," in text else text.split()
