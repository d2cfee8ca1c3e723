"""What is known of the indexes behind remotes, and of the files on their way from them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from repos.models import Kind as RepositoryKind
from repos.models import Repository


class UpstreamPage(models.Model):
    """What the index behind a remote last said of one name, and who is asking it now.

    The lines stand in one document: rows of `Distribution` are for bytes that we hold.
    """

    repository = models.ForeignKey(
        Repository, on_delete=models.CASCADE, related_name="upstream_pages"
    )
    scope = models.CharField(max_length=200, blank=True)
    normalized = models.CharField(max_length=200)
    is_served = models.BooleanField(default=False)  # False: "there is no such project"
    was_ever_served = models.BooleanField(default=False)
    let_go_at = models.DateTimeField(null=True, editable=False)  # of a remote that keeps names
    document = models.BinaryField(null=True)  # packages.upstream.documents
    asked_as = models.CharField(max_length=32, blank=True)  # which URL it was the answer of
    etag = models.CharField(max_length=255, blank=True)  # upstream's
    last_modified = models.CharField(max_length=64, blank=True)  # upstream's
    answered_at = models.DateTimeField(null=True)  # when upstream last said so, 304 included
    failed_at = models.DateTimeField(null=True)  # when it last could not say, since then
    failure = models.CharField(max_length=500, blank=True)
    used_at = models.DateTimeField(null=True)  # when a client last asked for it
    changed = models.BigIntegerField(default=0)  # the repository's serial at its last change
    # Who is asking upstream now: only the holder of the fence may write what comes back.
    fence = models.CharField(max_length=32, blank=True)
    heartbeat_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "scope", "normalized"], name="one_upstream_page_per_name"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["normalized"], name="upstream_page_by_name"),
            models.Index(fields=["repository", "changed"], name="upstream_page_changed"),
            models.Index(fields=["used_at"], name="upstream_page_used_at"),
        ]

    def __str__(self) -> str:
        return f"{self.normalized} behind {self.repository}"


class Fetch(models.Model):
    """One file on its way from upstream, for however many callers in however many processes."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="fetches")
    scope = models.CharField(max_length=200, blank=True)
    normalized = models.CharField(max_length=200)
    filename = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, blank=True)  # as upstream's page says, if it does
    host = models.CharField(max_length=255, blank=True)  # whose spool the bytes are in
    spool = models.CharField(max_length=255, blank=True)  # the file there, once bytes come
    size = models.BigIntegerField(null=True)  # as upstream announced it
    fence = models.CharField(max_length=32, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    refused_until = models.DateTimeField(null=True)  # after bytes that were not what was listed
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "scope", "normalized", "filename", "sha256"],
                name="one_fetch_per_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filename} for {self.repository}"


class UpstreamNames(models.Model):
    """A part of the list of projects of the index behind a remote, so that none is held whole.

    What is known of the list as such stands in the `UpstreamPage` without a name.
    """

    repository = models.ForeignKey(
        Repository, on_delete=models.CASCADE, related_name="upstream_names"
    )
    scope = models.CharField(max_length=200, blank=True)
    part = models.PositiveIntegerField()
    names = models.BinaryField()  # packages.listed

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "scope", "part"], name="one_part_of_names_per_number"
            ),
        ]

    def __str__(self) -> str:
        return f"part {self.part} of the names behind {self.repository}"


class UpstreamMetadata(models.Model):
    """The core metadata file that upstream serves beside a file, byte for byte (PEP 658).

    Kept whether or not we hold the file itself: a resolver asks for many and installs one.
    """

    repository = models.ForeignKey(
        Repository, on_delete=models.CASCADE, related_name="upstream_metadata"
    )
    scope = models.CharField(max_length=200, blank=True)
    normalized = models.CharField(max_length=200)
    filename = models.CharField(max_length=255)
    of_file = models.CharField(max_length=64, blank=True)  # Line.identity: another may come by name
    sha256 = models.CharField(max_length=64)
    raw = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "scope", "normalized", "filename"],
                name="one_upstream_metadata_per_file",
            ),
        ]

    def __str__(self) -> str:
        return f"metadata of {self.filename} behind {self.repository}"


class UpstreamHealth(models.Model):
    """How the index behind a remote has answered lately, for all processes: the circuit breaker."""

    repository = models.OneToOneField(
        Repository, on_delete=models.CASCADE, primary_key=True, related_name="upstream_health"
    )
    asked_as = models.CharField(max_length=32, blank=True)  # Source.reached_by: the settings then
    answered_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=500, blank=True)
    closed_until = models.DateTimeField(null=True)  # it is not asked before
    no_search_until = models.DateTimeField(
        null=True
    )  # it has no search of its own, as far as known

    def __str__(self) -> str:
        return f"health of {self.repository}"


class RemoteManager(models.Manager["Remote"]):
    """Finds the remotes that are in service."""

    def get_queryset(self) -> models.QuerySet[Remote]:
        """Return the remotes alone."""
        alive = super().get_queryset().filter(deleted_at__isnull=True)
        return alive.filter(kind=RepositoryKind.REMOTE)


class Remote(Repository):
    """A repository that is a remote, for lists of what remotes keep."""

    objects: ClassVar[RemoteManager] = RemoteManager()

    class Meta:
        proxy = True
        ordering: ClassVar = ["tenant__slug", "key"]
