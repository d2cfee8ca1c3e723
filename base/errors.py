"""The root of every refusal that Larder explains to a person."""

from __future__ import annotations


class LarderError(Exception):
    """A refusal or failure with one plain sentence for whoever caused it.

    The sentence names the object and the way out, and holds no secret: it reaches terminals,
    pages and logs as it is. What it becomes on the wire (status, reason phrase, body) is the
    business of the door that answers.
    """

    def __init__(self, sentence: str) -> None:
        """Keep the sentence; doors and tests read it as `error.sentence`."""
        super().__init__(sentence)
        self.sentence = sentence


class NotThere(LarderError):
    """What the caller names is not there, where they may know what is."""


class InvalidInput(LarderError):
    """What was sent cannot be understood or is against a rule; nothing was changed."""
