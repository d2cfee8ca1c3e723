"""Has attestations verified, in a process beside this one that is replaced when it is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from django.conf import settings

from base.helper_process import Gone, HelperAway, HelperProcess
from packages.attestations.messages import (
    MAX_MESSAGE,
    Answer,
    Exhausted,
    IsVerified,
    Refusal,
    VerifyThis,
    answer_in,
    encoded,
)
from packages.attestations.values import AttestationRefused, Expected, Verified, VerifierAway
from packages.filenames import shown

log = structlog.get_logger(__name__)

# Of all that is sent with a file. Real attestations have 6 to 12 KiB each.
MAX_LENGTH = 512 * 1024

_COMMAND: tuple[str, ...] = ("packages.attestations.child",)
_AWAY = "Attestations cannot be verified now; nothing was stored. Try again in a minute."
# The processor's seconds, for each of the clock on the wall; then others wait for it as well.
_PATIENCE = 4
_SECONDS_TO_WAIT = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process that verifies may take; the tests of a Verifier make it less."""

    seconds: float = 5  # of the processor; eight attestations take a tenth of a second
    memory: int = 512 * 1024 * 1024  # private; the libraries themselves hold 75 MiB


class Verifier:
    """A process that verifies attestations, for any number of threads, one after the other."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._process: HelperProcess | None = None
        self._root: object = None

    @property
    def pid(self) -> int | None:
        """Return the number of the present process, for whoever watches it."""
        return self._process.pid if self._process else None

    def verify(
        self,
        raw: str,
        *,
        filename: str,
        sha256: str,
        expected: Sequence[Expected],
        trust_root: Path | None,
    ) -> Verified:
        """Return what was verified. Raises AttestationRefused or VerifierAway."""
        sent = raw.encode(errors="replace")  # half a character is no JSON either way
        if len(sent) > MAX_LENGTH:
            raise AttestationRefused(
                f"The attestations of {shown(filename)} have more than {MAX_LENGTH // 1024} KiB."
            )
        seconds = self._limits.seconds
        request = VerifyThis(sent, filename, sha256, tuple(expected), seconds)
        if not self._lock.acquire(timeout=_SECONDS_TO_WAIT):
            log.warning("verifier_busy")
            raise VerifierAway(_AWAY)
        try:
            answer = self._answered(request, trust_root)
        finally:
            self._lock.release()
        match answer:
            case IsVerified():
                return answer.verified
            case Refusal():
                if answer.traceback:
                    log.error("verifying_mistaken", filename=filename, traceback=answer.traceback)
                raise AttestationRefused(answer.sentence)
        raise AssertionError(answer)

    def close(self) -> None:
        """End the process; verifying would start another."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _answered(self, request: VerifyThis, trust_root: Path | None) -> IsVerified | Refusal:
        """Return the answer of a process; of a second one, should the first have died meanwhile.

        What has used up its time of the processor would do so again: it is refused. A process that
        has not, and is silent, is the machine's fault.
        """
        for _ in range(2):
            try:
                answer = self._asked(request, trust_root)
            except Gone as gone:
                self.close()
                log.warning("verifier_gone", signal=gone.signal_number, is_late=gone.is_late)
                if gone.signal_number == signal.SIGPROF:  # it was at work all the time
                    raise AttestationRefused(
                        f"The attestations of {shown(request.filename)} cannot be verified within "
                        f"{request.seconds:g} seconds of the processor."
                    ) from None
                if gone.is_late:
                    break
                continue
            except HelperAway as away:
                log.warning("verifier_away", reason=str(away))
                break
            if not isinstance(answer, Exhausted):
                return answer
            self.close()
            log.warning("verifier_exhausted")
        raise VerifierAway(_AWAY)

    def _asked(self, request: VerifyThis, trust_root: Path | None) -> Answer:
        process = self._fresh(trust_root)
        answer = process.answer_to(encoded(request), within=request.seconds * _PATIENCE)
        try:
            return answer_in(answer)
        except msgspec.DecodeError:
            raise Gone(0, is_late=False) from None

    def _fresh(self, trust_root: Path | None) -> HelperProcess:
        """Return a process that lives, and trusts what is trusted now."""
        root = _stamp(trust_root)
        if self._process is not None:
            if self._process.is_alive and self._root == root:
                return self._process
            self.close()
        self._process = HelperProcess(
            *_COMMAND,
            str(self._limits.memory),
            *([str(trust_root)] if trust_root else []),
            does="verifies attestations",
            answer_at_most=MAX_MESSAGE,
        )
        self._root = root
        return self._process


def verify(raw: str, *, filename: str, sha256: str, expected: Sequence[Expected]) -> Verified:
    """Return what the attestations in `raw` say of a file, all of them true and expected.

    Raises AttestationRefused, or VerifierAway where none can be verified now.
    """
    return _verifier.verify(
        raw,
        filename=filename,
        sha256=sha256,
        expected=expected,
        trust_root=settings.SIGSTORE_TRUST_ROOT,
    )


def _stamp(trust_root: Path | None) -> object:
    """Return what tells one state of the trust root from another: it may be refreshed."""
    if trust_root is None:
        return None
    try:
        state = trust_root.stat()
    except OSError as error:
        raise HelperAway(f"The trust root cannot be read ({error.strerror}).") from error
    return trust_root, state.st_mtime_ns, state.st_size, state.st_ino


_verifier = Verifier()
