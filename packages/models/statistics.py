"""What was counted: downloads of files, and per day what a repository gave out and held."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from packages.models.contents import Distribution
from repos.models import Repository


class FileDownloads(models.Model):
    """How often a file was downloaded on one day (UTC), through whichever repository."""

    distribution = models.ForeignKey(
        Distribution, on_delete=models.CASCADE, related_name="downloads"
    )
    day = models.DateField()
    count = models.PositiveIntegerField()
    last_at = models.DateTimeField()
    last_by = models.CharField(max_length=201, blank=True)  # the user's name then

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["distribution", "day"], name="one_count_per_file_and_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} downloads of {self.distribution_id} on {self.day}"


class RepositoryDay(models.Model):
    """One day (UTC) of a repository: what was downloaded through it, what it held at the end.

    Of the present day: so far. Days on which nothing happened have no row.
    """

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    downloads = models.PositiveIntegerField(default=0)
    downloaded_bytes = models.BigIntegerField(default=0)
    fetched = models.PositiveIntegerField(default=0)  # of the downloads: came from upstream
    # None until they are counted (`packages.statistics.recount`).
    projects = models.PositiveIntegerField(null=True)
    files = models.PositiveIntegerField(null=True)
    stored_bytes = models.BigIntegerField(null=True)
    counted_serial = models.BigIntegerField(null=True)  # the repository's, when they were counted

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["repository", "day"], name="one_row_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.repository} on {self.day}"
