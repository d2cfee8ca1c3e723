"""The generator's uploads as twine would send them."""

from __future__ import annotations

from packages.filenames import FilenameRefused, Kind, NameRefused, VersionRefused, parse_filename
from tests.archives.cases import Case
from tests.uploads import form_body, twine_fields

_FILETYPES = {
    Kind.WHEEL: ("bdist_wheel", "py3"),
    Kind.SDIST: ("sdist", "source"),
    Kind.EGG: ("bdist_egg", "3.11"),
    Kind.DUMB: ("bdist_dumb", "any"),
}


def body_of(case: Case) -> bytes:
    """Return the form with a case's file, and its own values in place of twine's."""
    content = case.content()
    fields = dict(twine_fields(case.name, case.version, case.filename, content))
    fields["filetype"], fields["pyversion"] = _FILETYPES[_kind(case)]
    return form_body({**fields, **case.form}.items(), filename=case.filename, content=content)


def _kind(case: Case) -> Kind:
    try:
        return parse_filename(case.filename, name=case.name, version=case.version).kind
    except (FilenameRefused, NameRefused, VersionRefused):
        return Kind.WHEEL
