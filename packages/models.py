"""What is inside a repository: projects, releases, distributions, and the bytes behind them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Tenant
from packages.filenames import Kind
from repos.models import Kind as RepositoryKind
from repos.models import Repository


class Project(models.Model):
    """A name in one repository, unique by its normalised form. Its row is never deleted.

    A local has the name, and keeps it, from its first file on, until an administrator lets it go. A
    remote has a row for each name of which it holds, or held, a file.
    """

    class Status(models.TextChoices):
        """PEP 792: the status markers of a project."""

        ACTIVE = "active", "active"
        ARCHIVED = "archived", "archived"  # no uploads
        DEPRECATED = "deprecated", "deprecated"  # obsolete, still usable
        QUARANTINED = "quarantined", "quarantined"  # no uploads, no files offered

    repository = models.ForeignKey(Repository, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=200)  # as the latest upload spells it
    scope = models.CharField(max_length=200, blank=True)  # of a remote: where upstream has it
    normalized = models.CharField(max_length=200)  # PEP 503
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    status_reason = models.CharField(max_length=500, blank=True)
    changed = models.BigIntegerField(default=0)  # the repository's serial at its last change
    created_at = models.DateTimeField(editable=False)
    let_go_at = models.DateTimeField(null=True, editable=False)  # others may have the name again

    class Meta:
        ordering: ClassVar = ["normalized"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "scope", "normalized"],
                name="one_project_per_name_and_repository",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["repository", "changed"], name="project_changed")]

    def __str__(self) -> str:
        return f"{self.repository}/{self.normalized}"


class Release(models.Model):
    """One version of a project. Versions that are equal under PEP 440 are one release."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="releases")
    version = models.CharField(max_length=200)  # normalised, of the first file
    canonical = models.CharField(max_length=200)  # equal for equal versions
    version_key = models.CharField(max_length=1000)  # order-preserving text of PEP 440
    yanked = models.BooleanField(default=False)  # PEP 592, for all its files
    yanked_reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        ordering: ClassVar = ["project", "-version_key"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "canonical"], name="one_release_per_version_and_project"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project.normalized} {self.version}"


class Blob(models.Model):
    """Bytes in storage, shared by the distributions of one tenant with the same SHA-256."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="blobs")
    sha256 = models.CharField(max_length=64)
    sha1 = models.CharField(max_length=40)
    md5 = models.CharField(max_length=32)
    blake2b_256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    storage_key = models.CharField(max_length=255, unique=True)  # never reused
    named_at = models.DateTimeField(
        db_index=True
    )  # when a distribution last began or ended using it

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "sha256"], name="one_blob_per_content_and_tenant"
            ),
        ]

    def __str__(self) -> str:
        return f"sha256 {self.sha256[:12]}, {self.size} bytes"


class LooseObject(models.Model):
    """An object in storage that no blob row names: being put, or dropped and to be removed.

    Written before the object is put and gone once a blob row names it, so a crash at any moment
    leaves a row that says what to sweep; storage never has to be listed.
    """

    storage_key = models.CharField(max_length=255, primary_key=True)
    noted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.storage_key


class Distribution(models.Model):
    """An archive whose bytes we hold, or held: a deleted one stays as its own tombstone."""

    class Extraction(models.TextChoices):
        """How far the reading of its metadata in the background has come."""

        PENDING = "pending", "pending"
        EXTRACTED = "extracted", "extracted"
        FAILED = "failed", "failed"
        UNLISTED = "unlisted", "unlisted"

    class UpstreamChange(models.TextChoices):
        """What upstream has done to a file that a remote holds."""

        YANKED = "yanked", "yanked upstream"
        REMOVED = "removed", "removed upstream"
        QUARANTINED = "quarantined", "quarantined upstream"
        OTHER_BYTES = "other-bytes", "shown upstream with another hash"

    repository = models.ForeignKey(
        Repository, on_delete=models.PROTECT, related_name="distributions"
    )
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, null=True, related_name="distributions"
    )
    blob = models.ForeignKey(
        Blob, on_delete=models.PROTECT, null=True, related_name="distributions"
    )
    path = models.CharField(max_length=700)  # within the repository, as Artifactory's users see it
    filename = models.CharField(max_length=255)
    # Equal for two spellings of one file name; a remote's begins with its scope.
    identity = models.CharField(max_length=720)
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in Kind])
    python_tag = models.CharField(max_length=255, blank=True)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    requires_python = models.CharField(max_length=500, blank=True)
    metadata_sha256 = models.CharField(max_length=64, blank=True)  # empty: none is served (PEP 658)
    yanked = models.BooleanField(default=False)  # PEP 592, for this file alone
    yanked_reason = models.CharField(max_length=500, blank=True)
    findings = models.JSONField(default=list)  # what is odd and was let in, a sentence each
    extraction = models.CharField(
        max_length=10, choices=Extraction.choices, default=Extraction.PENDING
    )
    uploaded_at = models.DateTimeField(editable=False)
    uploaded_by = models.CharField(max_length=201, blank=True)  # the user's name then
    used_at = models.DateTimeField(null=True, editable=False)  # of a remote: last given out
    upstream_change = models.CharField(max_length=12, choices=UpstreamChange.choices, blank=True)
    upstream_changed_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["filename"]
        constraints: ClassVar = [
            # Deleted rows count: a name that was used never returns with other bytes.
            models.UniqueConstraint(
                fields=["repository", "identity"], name="one_distribution_per_identity"
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at__isnull=False) | models.Q(blob__isnull=False),
                name="a_living_distribution_has_its_bytes",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["repository", "filename"], name="distribution_by_filename"),
            models.Index(fields=["repository", "path"], name="distribution_by_path"),
            models.Index(fields=["deleted_at"], name="distribution_deleted_at"),
        ]

    def __str__(self) -> str:
        return self.filename


class StoredMetadata(models.Model):
    """The core metadata file of a distribution, byte for byte as it stands in the archive.

    Apart from the distribution, so that listing files does not read descriptions.
    """

    distribution = models.OneToOneField(
        Distribution, on_delete=models.CASCADE, primary_key=True, related_name="stored_metadata"
    )
    raw = models.BinaryField()

    def __str__(self) -> str:
        return f"metadata of {self.distribution_id}"


class Property(models.Model):
    """A searchable name and value on a distribution; a name may have many values."""

    distribution = models.ForeignKey(
        Distribution, on_delete=models.CASCADE, related_name="properties"
    )
    name = models.CharField(max_length=100)
    value = models.CharField(max_length=1000)

    class Meta:
        verbose_name_plural = "properties"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["distribution", "name", "value"], name="one_property_per_name_and_value"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["name", "value"], name="property_by_value")]

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


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
    answered_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=500, blank=True)
    closed_until = models.DateTimeField(null=True)  # it is not asked before

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
