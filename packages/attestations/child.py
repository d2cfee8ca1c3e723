"""The process that verifies attestations: apart, since what it reads them by is large and young.

    python -m packages.attestations.child <bytes of memory> [<trust root>]

It reads no setting and opens no connection; `base.helper_loop` says what holds for it besides.
"""

from __future__ import annotations

import signal
import sys
import traceback

from base.helper_loop import answer_requests
from packages.attestations.messages import (
    Answer,
    Exhausted,
    IsVerified,
    Refusal,
    VerifyThis,
    encoded,
    request_in,
)
from packages.attestations.sigstore_checks import Checks
from packages.attestations.values import AttestationRefused
from packages.filenames import shown

# Of Python's audit events. Verifying needs none of it.
_FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork")
_TRACEBACK = 4000  # characters of its end
_IDLE_SECONDS = 600


class WentOut(Exception):
    """What never happens was tried: no OSError, which would pass for a malformed attestation."""


def main() -> None:
    """Verify attestations until there will be none, or for some minutes there has been none."""
    stay_alone()
    checks = Checks((*sys.argv[2:], "")[0])

    def answer(sent: bytes) -> bytes:
        request = request_in(sent)
        signal.setitimer(signal.ITIMER_PROF, request.seconds)
        return encoded(_answer(checks, request))

    answer_requests(answer, memory=int(sys.argv[1]), idle_seconds=_IDLE_SECONDS)


def _answer(checks: Checks, request: VerifyThis) -> Answer:
    """Return what was verified, or why nothing was."""
    try:
        return IsVerified(
            checks.verify(
                request.raw,
                filename=request.filename,
                sha256=request.sha256,
                expected=request.expected,
            )
        )
    except AttestationRefused as refused:
        return Refusal(refused.sentence)
    except MemoryError:
        return Exhausted()
    except Exception as error:  # noqa: BLE001 - what cannot be verified is not true
        which = f"The attestations of {shown(request.filename)}"
        return Refusal(
            f"{which} cannot be verified ({type(error).__name__}).",
            traceback=traceback.format_exc()[-_TRACEBACK:],
        )


def stay_alone() -> None:
    """Open no connection and start no process from now on, whatever is made of what was sent."""

    def look(event: str, _arguments: object) -> None:
        if event.startswith(_FORBIDDEN):
            raise WentOut(f"The process that verifies attestations does no {event}.")

    sys.addaudithook(look)


if __name__ == "__main__":
    main()
