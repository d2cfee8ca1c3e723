"""Log lines that a person or a machine can read, and that hold no secret."""

from __future__ import annotations

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# What stands behind one of these names, however a header, a form, a query or a dictionary was
# turned into text: `'password': ['x']`, `"token": "x"`, `Cookie: x`, `secret=x&`.
_NAMES = (
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "art-api",
    "art_api",
    "cookie",
    "sessionid",
    "host-larder",
)
_NAMED = re.compile(
    rf"""
    ( (?: {"|".join(_NAMES)} ) [\w-]{{0,30}}+ )
    ( \\{{0,4}} ["']? \s* [:=] \s* [\[({{]{{0,4}} (?: b(?=["']) )? \\{{0,4}} )
    (?: (["']) (?: \\. | (?!\3) [^\\\n] )*+ | [^\s'",;&)\]}}]+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Each with what is always there, in small letters, where the pattern matches: looking for a word is
# much quicker, and every request writes a line.
_SECRETS = (
    # Our tokens, a password within a URL, credentials in a header.
    (("lrd_", "lrr_", "lrp_"), re.compile(r"(lrd|lrr|lrp)_[0-9A-Za-z]+"), r"\1_***"),
    (("lra_",), re.compile(r"lra_[0-9A-Za-z._-]+"), "lra_***"),
    # What CI shows of itself: a JSON Web Token.
    (("eyj",), re.compile(r"\beyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]*"), "eyJ***"),
    (("://",), re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]*(?=@)"), "***"),
    (
        ("basic", "bearer"),
        re.compile(r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{4,}"),
        r"\1 ***",
    ),
    (_NAMES, _NAMED, r"\1\2***"),
)
# Values that are written as they are; everything else becomes text first.
_PLAIN = (bool, int, float, type(None))


def without_secrets(text: str) -> str:
    """Return `text` with everything that looks like a credential struck out."""
    # Two letters are an i to `re.IGNORECASE`, and to it alone.
    small = text.replace("\u0130", "i").replace("\u0131", "i").casefold()
    for words, pattern, replacement in _SECRETS:
        if any(word in small for word in words):
            text = pattern.sub(replacement, text)
    return text


def configure() -> None:
    """Send every log record, Django's and libraries' too, to standard error through structlog."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,  # the request's number
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _strike_out,
                structlog.processors.LogfmtRenderer(
                    key_order=["timestamp", "level", "logger", "event", "request"],
                    bool_as_flag=False,
                ),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _strike_out(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    return {
        # A value under such a name is struck out as well as one that holds it.
        key: value if isinstance(value, _PLAIN) else _struck(key, value)
        for key, value in event.items()
    }


def _struck(key: str, value: object) -> str:
    return "***" if _NAMED.search(f"{key}=x") else without_secrets(str(value))


class StrikingFormatter(logging.Formatter):
    """Formats as another formatter does, and strikes secrets out: for who logs on their own."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, traceback and all."""
        return without_secrets(self.inner.format(record))
