"""The text of one member of a file that we hold, read out of storage without unpacking the rest."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from packages.archive import ArchiveRefused
from packages.archive.members import beginning_of_member, digests_of_members
from packages.filenames import FilenameRefused
from packages.index.base import Stored
from packages.inside.texts import lines_of, text_of
from packages.models import Reading
from packages.reading import Member, MemberKind, unpacked_members
from packages.sought import opened
from packages.storage import StorageFailed

# Of a member: more is for an editor. Change logs and generated tables stay below.
BYTES_AT_MOST = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MemberText:
    """A member's lines, or the sentence why there are none to show."""

    member: Member
    lines: Sequence[str] = ()
    why_not: str = ""
    is_cut: bool = False  # only its first `BYTES_AT_MOST` were read


def members_in(reading: Reading) -> tuple[Member, ...]:
    """Return what the archive holds, as it was read."""
    return unpacked_members(bytes(reading.contents))


def member_text(held: Stored, member: Member) -> MemberText:
    """Return what can be read of a member; `held` says where the bytes of its archive are."""
    if member.kind is MemberKind.LINK:
        return MemberText(member, why_not=f"It is a link to {member.target}.")
    try:
        raw = member_bytes(held, member.path, at_most=BYTES_AT_MOST)
    except (ArchiveRefused, FilenameRefused, StorageFailed) as refused:
        return MemberText(member, why_not=refused.sentence)
    if raw is None:
        return MemberText(member, why_not=f"{held.filename} has no such member.")
    is_cut = member.size > len(raw)
    text = text_of(raw, is_cut=is_cut)
    if text is None:
        return MemberText(member, why_not="It is no text in UTF-8: its bytes are not shown here.")
    return MemberText(member, lines_of(text), is_cut=is_cut)


def member_bytes(held: Stored, path: str, *, at_most: int) -> bytes | None:
    """Return the first bytes of a member; None where there is none of this path.

    Raises ArchiveRefused, FilenameRefused for what is no archive by its name, and StorageFailed.
    """
    with closing(opened(held.storage_key, held.size)) as file:
        return beginning_of_member(file, held.filename, held.size, path, at_most=at_most)


def member_digests(held: Stored) -> dict[str, bytes]:
    """Return the SHA-256 of members by path, where they can be had soon; raises as `member_bytes`.

    A wheel's are not asked for: its RECORD lists them.
    """
    with closing(opened(held.storage_key, held.size)) as file:
        return digests_of_members(file, held.filename, held.size)
