"""What a zip must hold to be a wheel (PyPA, binary distribution format)."""

from __future__ import annotations

import configparser
import re

from packages.archive import limits
from packages.archive.judgement import Judgement
from packages.archive.paths import Tree
from packages.archive.records import check_record
from packages.archive.zips import ZipContents
from packages.filenames import name_in_stem, shown
from repos.models import Rules

_NEEDED = ("METADATA", "WHEEL", "RECORD")
_SCRIPTS = ("console_scripts", "gui_scripts")
# PyPA, entry points: a name becomes a file's name.
_SCRIPT_NAME = re.compile(r"[\w.-]+")


def metadata_in_wheel(contents: ZipContents, folder: str, judgement: Judgement) -> bytes:
    """Return a wheel's METADATA once everything beside it is in order."""
    for name in _NEEDED:
        if f"{folder}/{name}" not in contents.tree.files:
            # PEP 427: without these three no installer knows what to do with it.
            raise judgement.refusal(f"lacks {shown(f'{folder}/{name}')}; every wheel has it")
    _check_entry_points(contents, folder, judgement)
    check_record(contents, folder, judgement)
    return contents.read(f"{folder}/METADATA", limits.MAX_METADATA) or b""


def dist_info_folder(tree: Tree, judgement: Judgement) -> str:
    """Return a wheel's only .dist-info folder.

    PEP 427 spells it as the file name does; old wheels do not, and pip compares the normalised
    name. More than one such folder stops pip ("multiple .dist-info directories").
    """
    named = judgement.named
    folders = sorted(top for top in tree.top_folders if top.lower().endswith(".dist-info"))
    if len(folders) != 1:
        raise judgement.refusal(
            f"has {len(folders)} .dist-info folders at its top; a wheel has exactly one"
        )
    (folder,) = folders
    stem = folder.removesuffix(".dist-info")
    if name_in_stem(stem, named.normalized, named.version) is None:
        raise judgement.refusal(
            f"has the folder {shown(folder)}, which is not the one of "
            f"version {shown(str(named.version))} of {shown(named.normalized)}"
        )
    right = "-".join(named.filename.split("-")[:2])
    if stem != right and judgement.rules == Rules.STRICT:
        raise judgement.refusal(
            f"has the folder {shown(folder)}; strict rules want {shown(f'{right}.dist-info')}, "
            "as the file's name spells it"
        )
    return folder


def _check_entry_points(contents: ZipContents, folder: str, judgement: Judgement) -> None:
    """Refuse entry points that installers stumble over, or that name scripts elsewhere."""
    path = f"{folder}/entry_points.txt"
    raw = contents.read(path, limits.MAX_ENTRY_POINTS)
    if raw is None:
        return
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    try:
        parser.read_string(raw.decode())
    except (UnicodeDecodeError, configparser.Error) as error:
        raise judgement.refusal(
            f"has {shown(path)}, which is no UTF-8 INI file ({type(error).__name__})"
        ) from None
    for section in _SCRIPTS:
        for name in parser[section] if parser.has_section(section) else ():
            if not _SCRIPT_NAME.fullmatch(name):
                raise judgement.refusal(
                    f"has the script {shown(name)} in {shown(path)}, which is no name for one"
                )
