"""Extracts what archives say of themselves, in the background, after the quiet period.

One file never stops the others: what cannot be read is tried three times, a while apart, and then
is failed, with a reason that a person understands. The attempt is committed before the archive is
opened, so that one which kills its reader, or the worker, is counted all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import structlog
from django.db.models import F

from base import clock
from base.errors import LarderError
from packages import storage
from packages.blobs import RaceLost
from packages.extraction.naming import Unnamed, name_and_write
from packages.extraction.results import Read, write_read, write_state
from packages.extraction.turns import Ended, Turn, TurnLost, pending, take_turn
from packages.metadata import parse_core_metadata
from packages.models import Blob, Distribution
from packages.reading import ArchiveFacts, Reader, ReaderAway, ReadingFailed
from packages.storage import ObjectMissing, Spooled, StorageFailed

log = structlog.get_logger(__name__)

FILES_AT_MOST = 200
TIME_AT_MOST = timedelta(seconds=60)
ATTEMPTS_AT_MOST = 3
_OTHERS_LOOKED_AT = 3

_State = Distribution.Extraction
_ATTEMPTS = "extraction_attempts"
_OURS = "Larder made a mistake while reading it; it is in the log of the worker."


def extract_due() -> int:
    """Extract in each repository where it is due, for a minute at most; return how many files."""
    turn = take_turn()
    if turn is None:
        return 0
    ends = clock.now() + TIME_AT_MOST
    files = 0
    with closing(Reader()) as reader:
        while turn is not None:
            files += extract_in(turn, reader)
            turn = take_turn() if clock.now() < ends else None
    return files


class Reads(Protocol):
    """Whoever reads an archive: packages.reading.Reader."""

    def read(self, path: Path, filename: str) -> ArchiveFacts:
        """Return what the archive says. Raises ReadingFailed."""


def extract_in(turn: Turn, reader: Reads) -> int:
    """Extract what waits in the repository of a turn, within its bounds; return how many files."""
    ends = turn.began + TIME_AT_MOST
    waiting = list(pending(turn.repository).values_list("pk", flat=True)[:FILES_AT_MOST])
    how = Ended.TRIED_ALL if len(waiting) < FILES_AT_MOST else Ended.MORE_LEFT
    done = 0
    try:
        for pk in waiting:
            if clock.now() >= ends:
                how = Ended.MORE_LEFT
                break
            turn.keep()
            _extract(turn, pk, reader)
            done += 1
    except (StorageFailed, ReaderAway) as away:
        log.warning("extraction has to wait", of=str(turn.repository), reason=str(away))
        how = Ended.SOMETHING_AWAY
    except TurnLost:
        log.info("another worker extracts here now", of=str(turn.repository))
        return done
    turn.end(how)
    return done


def _extract(turn: Turn, pk: int, reader: Reads) -> None:
    """Try one file. Raises StorageFailed or ReaderAway where none can be read now, and TurnLost."""
    file = (
        pending(turn.repository)
        .select_related("blob", "release__project", "repository__tenant")
        .filter(pk=pk)
        .first()
    )
    if file is None or file.blob is None:
        return  # it was deleted, or settled, since the list was made
    if file.extraction_attempts >= ATTEMPTS_AT_MOST:
        never = f"Reading it was begun {ATTEMPTS_AT_MOST} times and never came to an end."
        write_state(turn, file, _State.FAILED, never)
        return
    try:
        with storage.spooled(turn.kept_along(_bytes_of(file.blob)), prefix="extract-") as spool:
            _read(turn, file, spool, reader)
    except ObjectMissing as missing:
        if _others_are_missing_too(file.blob):
            raise  # another disk, or bucket, than the one that they were put into
        write_state(turn, file, _State.FAILED, missing.sentence)
    except StorageFailed as failure:
        if not storage.answers():
            raise
        # Storage is there and does not give this object: that must not keep the others waiting.
        if _count_attempt(file):
            _try_again_or_fail(turn, file, failure.sentence)
    except OSError as error:
        log.exception("an archive could not be copied from storage", filename=file.filename)
        if _count_attempt(file):
            why = error.strerror or "it is in the log of the worker"
            _try_again_or_fail(turn, file, f"It could not be copied to be read: {why}.")


def _others_are_missing_too(blob: Blob) -> bool:
    """Say whether storage has none of the objects that were put last."""
    others = Blob.objects.exclude(pk=blob.pk).order_by("-pk")[:_OTHERS_LOOKED_AT]
    keys = [other.storage_key for other in others]
    return bool(keys) and not any(map(storage.has, keys))


def _bytes_of(blob: Blob) -> Iterator[bytes]:
    return storage.chunks(blob.storage_key, blob.size)


def _read(turn: Turn, file: Distribution, spool: Spooled, reader: Reads) -> None:
    """Read the archive and write what came of it; whatever is wrong with it is its own matter."""
    if spool.sha256 != file.sha256:
        wrong = f"Storage has other bytes than were published: their SHA-256 is {spool.sha256}."
        write_state(turn, file, _State.FAILED, wrong)
        return
    if not _count_attempt(file):
        return
    try:
        with turn.kept_meanwhile():
            facts = reader.read(spool.path, file.filename)
        read = _understood(facts)
        _write(turn, file, spool, read)
    except TurnLost:
        raise
    except ReaderAway:
        Distribution.objects.filter(pk=file.pk).update(extraction_attempts=F(_ATTEMPTS) - 1)
        raise
    except ReadingFailed as failed:
        _try_again_or_fail(turn, file, failed.sentence)
    except RaceLost:
        _try_again_or_fail(turn, file, "Others published the same file at that moment.")
    except Unnamed as unnamed:
        write_state(turn, file, _State.UNLISTED, unnamed.sentence)
    except LarderError as refused:  # another attempt would be refused as well
        write_state(turn, file, _State.FAILED, refused.sentence)
    except Exception:  # one file must not stop the others, be the mistake ours
        log.exception("a file could not be extracted", filename=file.filename, sha256=file.sha256)
        _try_again_or_fail(turn, file, _OURS)


def _understood(facts: ArchiveFacts) -> Read:
    raw = facts.metadata
    return Read(facts, parse_core_metadata(raw) if raw is not None else None)


def _write(turn: Turn, file: Distribution, spool: Spooled, read: Read) -> None:
    if file.release is None:
        name_and_write(turn, file, spool, read)
    else:
        write_read(turn, file, file.release, read)


def _count_attempt(file: Distribution) -> bool:
    """Commit that the archive is about to be opened; False: it has other bytes by now."""
    same = Distribution.objects.filter(pk=file.pk, sha256=file.sha256, extraction=_State.PENDING)
    file.extraction_attempts += 1
    return bool(same.update(extraction_attempts=F(_ATTEMPTS) + 1))


def _try_again_or_fail(turn: Turn, file: Distribution, reason: str) -> None:
    is_last = file.extraction_attempts >= ATTEMPTS_AT_MOST
    write_state(turn, file, _State.FAILED if is_last else _State.PENDING, reason)
