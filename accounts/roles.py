"""The three roles that a grant gives and a token narrows."""

from __future__ import annotations

from django.db import models


class Role(models.IntegerChoices):
    """What somebody may do in a repository; a greater role includes the smaller ones."""

    READER = 1, "reader"  # read, search, explain
    WRITER = 2, "writer"  # also publish, yank, set properties
    ADMIN = 3, "admin"  # also delete, restore, status, members, grants, settings
