"""How much an upload must be right, apart from the models: judging archives needs no tables."""

from __future__ import annotations

import enum


class Rules(enum.StrEnum):
    """How much an upload must be right to be taken: see docs/uploads.md for each rule."""

    COMPATIBLE = "compatible"  # what installers of today and yesterday read
    STRICT = "strict"  # what the public index takes
