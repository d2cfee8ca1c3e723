"""Imports of folders, while they go on: how far they are, for the page."""

from __future__ import annotations

from django.db import models

from repos.models import Repository


class FolderImport(models.Model):
    """One import of a folder of archives into a repository."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="imports")
    by = models.CharField(max_length=255)  # the user's name then
    files = models.PositiveIntegerField()
    bytes = models.BigIntegerField()
    files_done = models.PositiveIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    published = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField()
    moved_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"import of {self.files} files into {self.repository}"
