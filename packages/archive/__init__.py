"""The archive gate: what an uploaded file must be to come in, and nothing is ever extracted.

One entry, `inspect`, reads every byte of a file once, with bounds on time and memory, and either
returns what it says of itself or raises `ArchiveRefused` (or its kin for names and metadata) with
the cause. Whatever is wrong with the bytes is a refusal; whatever is wrong with our disk stays
the `OSError` it is. The zip and tar readers are our own, because the point is to refuse what
other readers would see differently: a reader that makes sense of anything cannot tell.
docs/uploads.md lists every rule with its level.
"""

from packages.archive.gate import Inspected, inspect
from packages.archive.judgement import ArchiveRefused

__all__ = ["ArchiveRefused", "Inspected", "inspect"]
