"""What a zip must hold to be a wheel (PyPA, binary distribution format)."""

from __future__ import annotations

from packages.archive import limits
from packages.archive.entry_points import check_entry_points
from packages.archive.judgement import Judgement
from packages.archive.paths import Tree
from packages.archive.records import check_record
from packages.archive.zips import ZipContents
from packages.filenames import DistributionName, name_in_stem, shown
from repos.rules import Rules

NEEDED = ("METADATA", "WHEEL", "RECORD")


def metadata_in_wheel(contents: ZipContents, folder: str, judgement: Judgement) -> bytes:
    """Return a wheel's METADATA once everything beside it is in order."""
    for name in NEEDED:
        if f"{folder}/{name}" not in contents.tree.files:
            # PEP 427: without these three no installer knows what to do with it.
            raise judgement.refusal(f"lacks {shown(f'{folder}/{name}')}; every wheel has it")
    path = f"{folder}/entry_points.txt"
    if (raw := contents.read(path, limits.MAX_ENTRY_POINTS)) is not None:
        check_entry_points(raw, path, judgement)
    check_record(contents, folder, judgement)
    return contents.read(f"{folder}/METADATA", limits.MAX_METADATA) or b""


def dist_info_folder(tree: Tree, named: DistributionName, judgement: Judgement) -> str:
    """Return a wheel's only .dist-info folder.

    PEP 427 spells it as the file name does; old wheels do not, and pip compares the normalised
    name. More than one such folder stops pip ("multiple .dist-info directories").
    """
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
