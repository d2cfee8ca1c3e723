"""Marks a change of contents, so that pages held in memory know that they are old."""

from __future__ import annotations

from packages.models import Project
from repos.stamps import next_serial


def contents_changed(project: Project) -> None:
    """End a transaction that altered the page of `project`: a new serial for both.

    Serials are handed out under the lock of the repository's state row, so their order is the
    order of commits.
    """
    project.changed = next_serial(project.repository_id)
    project.save(update_fields=["changed"])
