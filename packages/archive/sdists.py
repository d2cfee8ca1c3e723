"""What an archive must hold to be an sdist (PyPA, source distribution format)."""

from __future__ import annotations

from packages.archive.judgement import Judgement
from packages.archive.paths import Tree
from packages.filenames import shown


def top_folder(tree: Tree, judgement: Judgement) -> str:
    """Return the single folder at the top of an sdist."""
    if len(tree.tops) > 1 or tree.tops != tree.top_folders:
        raise judgement.refusal(
            "has more than one file or folder at its top; an sdist has a single folder"
        )
    (top,) = tree.tops
    path = f"{top}/PKG-INFO"
    if tree.is_link(path):
        raise judgement.refusal(f"has {shown(path)} as a link; it must be a plain file")
    if path not in tree.files:
        raise judgement.refusal("has no PKG-INFO in its top folder; every sdist has it")
    return top
