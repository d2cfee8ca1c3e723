"""What is inside a repository: projects, releases, distributions, and the bytes behind them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Tenant
from packages.filenames import Kind
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
    last_upload_at = models.DateTimeField(null=True, editable=False)  # of a file since deleted too
    let_go_at = models.DateTimeField(null=True, editable=False)  # others may have the name again

    class Meta:
        ordering: ClassVar = ["normalized"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "scope", "normalized"],
                name="one_project_per_name_and_repository",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["repository", "changed"], name="project_changed"),
            models.Index(
                fields=["repository", "-last_upload_at", "-id"], name="project_by_last_upload"
            ),
        ]

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
        indexes: ClassVar = [
            models.Index(fields=["project", "-version_key"], name="release_by_version"),
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
        UNLISTED = "unlisted", "unlisted"  # a raw deploy that has no name yet

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
    # PEP 740: attestations of it were verified; and a provenance is served, which tells of those
    # by CI on public hosts. The defaults of the database too: who adds rows by SQL, or is of the
    # version before, knows nothing of them.
    is_attested = models.BooleanField(default=False, db_default=False)
    has_provenance = models.BooleanField(default=False, db_default=False)
    yanked = models.BooleanField(default=False)  # PEP 592, for this file alone
    yanked_reason = models.CharField(max_length=500, blank=True)
    findings = models.JSONField(default=list)  # what is odd and was let in, a sentence each
    extraction = models.CharField(
        max_length=10, choices=Extraction.choices, default=Extraction.PENDING
    )
    extraction_reason = models.CharField(max_length=500, blank=True)  # why failed or unlisted
    extraction_attempts = models.PositiveSmallIntegerField(default=0)  # begun, ended or not
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
            # For searches, the latest first, and for lists by name: `no` is looked for as well.
            models.Index(
                fields=["repository", "is_attested", "id"],
                condition=models.Q(deleted_at__isnull=True),
                name="distribution_attested",
            ),
            models.Index(
                fields=["repository", "is_attested", "filename"],
                condition=models.Q(deleted_at__isnull=True),
                name="distribution_attested_by_name",
            ),
            models.Index(
                fields=["repository", "extraction_attempts", "id"],
                condition=models.Q(extraction="pending", deleted_at__isnull=True),
                name="distribution_to_extract",
            ),
            models.Index(
                fields=["repository", "filename"],
                condition=models.Q(extraction__in=["failed", "unlisted"], deleted_at__isnull=True),
                name="distribution_not_extracted",
            ),
            models.Index(
                fields=["repository", "filename"],
                condition=~models.Q(upstream_change="") & models.Q(deleted_at__isnull=True),
                name="distribution_changed_upstream",
            ),
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


class Reading(models.Model):
    """What extraction has read in the archive of a distribution, beyond its core metadata."""

    distribution = models.OneToOneField(
        Distribution, on_delete=models.CASCADE, primary_key=True, related_name="reading"
    )
    sha256 = models.CharField(max_length=64)  # of the bytes that were read
    readme_html = models.TextField(blank=True)  # rendered and sanitised
    facts = models.JSONField(default=dict)  # packages.reading.facts
    contents = models.BinaryField()  # the members with their sizes: packages.reading.contents
    # What the uploading client said and the archive says otherwise, a sentence each.
    differences = models.JSONField(default=list)
    read_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return f"reading of {self.distribution_id}"


class Property(models.Model):
    """A searchable name and value on a distribution; a name may have many values."""

    class Origin(models.TextChoices):
        """Who says so. Extraction replaces what clients said, never what people said."""

        CLIENT = "client", "the uploading client"
        ARCHIVE = "archive", "the archive"
        PERSON = "person", "a person"

    distribution = models.ForeignKey(
        Distribution, on_delete=models.CASCADE, related_name="properties"
    )
    name = models.CharField(max_length=100)
    value = models.CharField(max_length=1000)
    origin = models.CharField(max_length=7, choices=Origin.choices, default=Origin.CLIENT)
    # `packages.versions.version_key` of a value that is a version, to compare by; else empty.
    version_key = models.CharField(max_length=1000, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "properties"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["distribution", "name", "value"], name="one_property_per_name_and_value"
            ),
        ]
        # Both end in the distribution: of two conditions the files come from the indexes alone.
        indexes: ClassVar = [
            models.Index(
                fields=["name", "value", "distribution"],
                name="property_by_value",
                # PostgreSQL: what begins with a text is found here whatever its locale.
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops", "int8_ops"],
            ),
            models.Index(
                fields=["name", "version_key", "distribution"],
                condition=~models.Q(version_key=""),
                name="property_by_version",
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops", "int8_ops"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}={self.value}"
