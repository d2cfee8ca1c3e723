"""An upload as a door hands it over, and the ways in which it is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from base.errors import InvalidInput, LarderError
from packages.filenames import DistributionName, parse_filename, parse_name, parse_version

# In bytes: of a form, everything but the file. A long description, many classifiers and
# requirements; before the file or, from old distutils, behind it.
FORM_AROUND_THE_FILE = 8 * 1024 * 1024


class UploadRefused(InvalidInput):
    """The upload breaks a rule; nothing was changed."""


class FileTooLarge(UploadRefused):
    """The file is larger than its repository takes."""


class FileExists(LarderError):
    """The name is taken by other bytes. "File already exists" are the words clients look for."""


class QuotaExceeded(LarderError):
    """The tenant has no room for the file."""


class ProjectClosed(LarderError):
    """The project takes no uploads (PEP 792: archived or quarantined)."""


class ReleaseClosed(LarderError):
    """The release is too old to take another file."""


class NameServedUpstream(LarderError):
    """The first upload of a name that an index beside this repository is known to serve."""


@dataclass(slots=True)
class Upload:
    """One upload as a door received it.

    `fields` may still grow while `chunks` is read: old distutils sends most of its form behind
    the file.
    """

    filename: str
    chunks: Iterable[bytes]
    fields: dict[str, list[str]] = field(default_factory=dict)
    declared_size: int | None = None  # of the file and what follows it in the form, in bytes

    @property
    def is_named(self) -> bool:
        """Say whether name and version have come."""
        return bool(self.value("name") and self.value("version"))

    def value(self, name: str) -> str:
        """Return a field's first value, stripped; empty when it is absent or "UNKNOWN"."""
        text = next(iter(self.fields.get(name, ())), "").strip()
        return "" if text == "UNKNOWN" else text

    def name(self) -> DistributionName:
        """Return what the file name says, once it agrees with the form."""
        for needed in ("name", "version"):
            if not self.value(needed):
                raise UploadRefused(f"The form has no {needed}.")
        parse_name(self.value("name"))
        parse_version(self.value("version"))
        return parse_filename(
            self.filename,
            name=self.value("name"),
            version=self.value("version"),
            filetype=self.value("filetype"),
        )
