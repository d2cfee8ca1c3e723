"""Reading an archive: all that it says of itself, in a process apart and within bounds."""

from packages.reading.contents import packed_members, unpacked_members
from packages.reading.limits import SECONDS_AT_MOST, Limits
from packages.reading.process import ReaderAway
from packages.reading.reader import Reader
from packages.reading.values import ArchiveFacts, Member, MemberKind, ReadingFailed

__all__ = [
    "SECONDS_AT_MOST",
    "ArchiveFacts",
    "Limits",
    "Member",
    "MemberKind",
    "Reader",
    "ReaderAway",
    "ReadingFailed",
    "packed_members",
    "unpacked_members",
]
