"""What goes wrong: one sentence for people, one exit code for scripts."""

from __future__ import annotations

# 2 is argparse's, for a command that cannot be read.
REFUSED, SIGN_IN, FORBIDDEN, MISSING, AWAY = 1, 3, 4, 5, 6
BY_STATUS = {401: SIGN_IN, 403: FORBIDDEN, 404: MISSING}
_SERVER_FAULT = 500


class Problem(Exception):
    """A sentence that says what is wrong, and how the command ends."""

    def __init__(self, sentence: str, code: int = REFUSED) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


def code_of(status: int) -> int:
    """Return how the command ends when the server answers with this status."""
    return AWAY if status >= _SERVER_FAULT else BY_STATUS.get(status, REFUSED)
