"""What text search looks through: one document per project that has something to show."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from packages.models.contents import Project
from repos.models import Repository


class Document(models.Model):
    """The text about a project, cut into words; without files to show there is none.

    `packages.documents` keeps it; databases index its words each in its own way (migration
    0009_search_words).
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, primary_key=True, related_name="document"
    )
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="documents")
    normalized = models.CharField(max_length=200)  # the project's, in the order of bytes
    name = models.CharField(max_length=200)
    version = models.CharField(max_length=200)  # the newest that is shown
    summary = models.CharField(max_length=1000, blank=True)
    # Words of packages.words with one space between them, each once.
    about = models.TextField(blank=True)  # of name, summary and keywords
    words = models.TextField(blank=True)  # of all that and of the README

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["normalized", "project"], name="document_by_name"),
        ]

    def __str__(self) -> str:
        return f"document of {self.normalized}"
