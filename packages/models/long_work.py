"""Work that takes long, while it goes on: how far it is, for the page and for the terminal."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from repos.models import Repository


class LongWork(models.Model):
    """What every long work in a repository tells of itself."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="+")
    by = models.CharField(max_length=255)  # the user's name then
    files = models.PositiveIntegerField()
    bytes = models.BigIntegerField()
    files_done = models.PositiveIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    began_at = models.DateTimeField()
    moved_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class FolderImport(LongWork):
    """One import of a folder of archives into a repository."""

    published = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"import of {self.files} files into {self.repository}"


class CachePurge(LongWork):
    """One purge of what a remote keeps; workers go on with it until it has ended."""

    # Those alone go that were fetched so many days before it began, or earlier.
    fetched_days = models.PositiveIntegerField(default=0)
    # And of them those that nobody had asked for in so many days; 0: in use or not.
    unused_days = models.PositiveIntegerField(default=0)
    by_token = models.CharField(max_length=255, blank=True)  # for the event at its end
    by_address = models.CharField(max_length=64, blank=True)
    is_counted = models.BooleanField(default=False)  # `files` and `bytes` are known
    # Who is at it: only the holder of the fence goes on, as long as the lease runs.
    fence = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository"],
                condition=models.Q(ended_at__isnull=True),
                name="one_purge_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"purge of what {self.repository} keeps"

    @property
    def which(self) -> str:
        """Say which of the kept files go."""
        ages = []
        if self.fetched_days:
            ages.append(f"fetched {self.fetched_days} days ago or earlier")
        if self.unused_days:
            ages.append(f"not asked for in {self.unused_days} days")
        return " and ".join(ages) or "all"
