"""What an archive must hold to be an sdist (PyPA, source distribution format)."""

from __future__ import annotations

from packages.archive.judgement import Judgement
from packages.archive.paths import Tree


def top_folder(tree: Tree, judgement: Judgement) -> str:
    """Return the single folder at the top of an sdist."""
    if len(tree.tops) > 1 or tree.tops != tree.top_folders:
        raise judgement.refusal(
            "has more than one file or folder at its top; an sdist has a single folder"
        )
    (top,) = tree.tops
    if f"{top}/PKG-INFO" not in tree.files:
        raise judgement.refusal("has no PKG-INFO in its top folder; every sdist has it")
    return top
