"""One archive before the rules of its repository: refused, or let in with what is odd about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from base.errors import InvalidInput
from packages.archive import limits
from packages.filenames import shown
from repos.rules import Rules


class ArchiveRefused(InvalidInput):
    """A file is not an archive of the kind that its name says, or breaks a rule of archives."""


@dataclass(slots=True)
class Judgement:
    """What every reader asks: how to refuse, what only strict rules refuse, how much is too much.

    Each `says` is the end of a sentence that begins with the file's name, without a full stop.
    """

    filename: str
    rules: Rules
    file_limit: int
    packed_size: int
    findings: list[str] = field(default_factory=list)

    def refusal(self, says: str) -> ArchiveRefused:
        """Return the refusal that both levels agree on."""
        return ArchiveRefused(f"{shown(self.filename)} {says}.")

    def damaged(self, where: str = "") -> ArchiveRefused:
        """Return the refusal of bytes that no reader makes sense of."""
        within = f" in {where}" if where else ""
        return self.refusal(f"is damaged or cut short{within}")

    def only_compatible(self, says: str) -> None:
        """Refuse by strict rules; let in and note by compatible ones."""
        if self.rules == Rules.STRICT:
            raise self.refusal(f"{says}; strict rules do not take that")
        self.note(says)

    def note(self, says: str) -> None:
        """Note what is odd and let in."""
        if len(self.findings) < limits.MAX_FINDINGS:
            self.findings.append(f"{shown(self.filename)} {says}."[: limits.MAX_FINDING])

    def require_few_members(self, count: int) -> None:
        """Refuse more members than any real archive has."""
        if count > limits.MAX_MEMBERS:
            raise self.refusal(f"has more than {limits.MAX_MEMBERS} members")

    def require_unpacked(self, size: int) -> None:
        """Refuse what unpacks to too much, or to so much more that it is made for nothing else."""
        largest = limits.UNPACKED_PER_FILE_LIMIT * self.file_limit
        if size > largest:
            raise self.refusal(
                f"unpacks to more than {largest} bytes, {limits.UNPACKED_PER_FILE_LIMIT} times "
                "what a file may have here"
            )
        if size > limits.RATIO_FROM and size > limits.MAX_RATIO * self.packed_size:
            raise self.refusal(
                f"unpacks to more than {limits.MAX_RATIO} times its size and is taken for a "
                "decompression bomb"
            )

    def require_small(self, member: str, size: int, largest: int) -> None:
        """Refuse a file that is read whole and larger than any real one of its name."""
        if size > largest:
            raise self.refusal(f"has {shown(member)} of {size} bytes; at most {largest} are read")
