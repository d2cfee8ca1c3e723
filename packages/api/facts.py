"""What the REST door says of files, and the forms that it takes about them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from rest_framework import serializers

from accounts.models import Issuer
from accounts.rest.views import Strict
from packages.index.base import PageFile
from packages.models import Distribution, Project
from packages.provenance import uploader
from repos.models import Repository

# What of a file is made of more than its row.
_MADE = {
    "repository", "project", "version", "is_release_yanked", "uploaded_by", "url", "provenance",
}  # fmt: skip


class FileFacts(serializers.ModelSerializer[Distribution]):
    """A file that a repository holds; the context says by whom it is read (`by`)."""

    repository = serializers.CharField(source="__str__", read_only=True, help_text="tenant/key")
    project = serializers.CharField(help_text="Empty until extraction has named the file.")
    version = serializers.CharField()
    kind = serializers.CharField(help_text="wheel, sdist, ...; empty as above.")
    upstream_change = serializers.CharField(help_text="Of a remote: what upstream did since.")
    is_release_yanked = serializers.BooleanField()
    uploaded_by = serializers.CharField(
        help_text="Empty for who has not signed in, and of what nobody uploaded."
    )
    url = serializers.URLField(allow_null=True, help_text="Where its bytes are.")
    provenance = serializers.URLField(
        allow_null=True,
        help_text="Where its attestations are (PEP 740); null: none were verified here, or their "
        "CI has issuers of its own, which a provenance cannot name.",
    )

    class Meta:
        model = Distribution
        fields = (
            "id", "repository", "project", "version", "filename", "path", "kind", "size", "sha256",
            "requires_python", "yanked", "yanked_reason", "is_release_yanked", "findings",
            "extraction", "extraction_reason", "upstream_change", "uploaded_at", "uploaded_by",
            "deleted_at", "url", "provenance",
        )  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: Distribution) -> dict[str, Any]:
        """Return a file with what its release says."""
        release = instance.release
        own = {
            name: self.fields[name].to_representation(value)
            if (value := getattr(instance, name)) is not None
            else None
            for name in self.Meta.fields
            if name not in _MADE
        }
        said = own | {
            "repository": str(instance.repository),
            "project": release.project.normalized if release else "",
            "version": release.version if release else "",
            "is_release_yanked": release is not None and release.yanked,
            "uploaded_by": uploader(instance, self.context["by"]),
            "url": url_of_row(instance),
            "provenance": provenance_of_row(instance),
        }
        return {name: said[name] for name in self.Meta.fields}


class LineFacts(serializers.Serializer[Any]):
    """A file as installers are shown it."""

    filename = serializers.CharField()
    version = serializers.CharField()
    kind = serializers.CharField()
    size = serializers.IntegerField(allow_null=True, help_text="null: upstream does not say.")
    sha256 = serializers.CharField(help_text="Empty where upstream does not say.")
    uploaded_at = serializers.DateTimeField(allow_null=True)
    requires_python = serializers.CharField()
    yanked_reason = serializers.CharField(allow_null=True, help_text="null: it is not yanked.")
    provenance = serializers.URLField(
        allow_null=True, help_text="Where its attestations are (PEP 740), here or upstream."
    )
    source = serializers.CharField(help_text="Of a virtual: the member that has it.")  # type: ignore[assignment]  # a field, not where it is
    url = serializers.URLField()


class BuildFacts(serializers.Serializer[Any]):
    """A run of CI; empty is what nobody says of it."""

    kind = serializers.ChoiceField(Issuer.Kind.choices)
    issuer = serializers.CharField(help_text="Who vouches for it, as tokens name it (iss).")
    host = serializers.CharField(
        help_text="Where it runs; empty: on the public host of its kind, github.com say."
    )
    source = serializers.CharField(help_text="Its repository, or an account.")  # type: ignore[assignment]  # a field, not where it is
    source_url = serializers.CharField()
    workflow = serializers.CharField(help_text="Its path in the repository.")
    environment = serializers.CharField()
    ref = serializers.CharField()
    commit = serializers.CharField()
    run = serializers.CharField(help_text="Where people look at it.")


class AttestationFacts(serializers.Serializer[Any]):
    """An attestation that was verified here, with the run that its certificate names."""

    predicate_type = serializers.CharField()
    build = BuildFacts()
    logged_at = serializers.DateTimeField(help_text="In the transparency log.")


class ProvenanceFacts(serializers.Serializer[Any]):
    """Who vouches for where a file comes from."""

    published_by = BuildFacts(
        allow_null=True,
        help_text="What the issuer of CI said at the upload (trusted publishing); null: it came "
        "by a token or a password, or who asks has not signed in.",
    )
    attestations = AttestationFacts(many=True)
    checked_at = serializers.DateTimeField(
        allow_null=True, help_text="At the upload; null: nobody vouches for it."
    )
    was_promoted = serializers.BooleanField(
        help_text="It was uploaded, and this checked, in another repository."
    )


class ProjectInList(serializers.Serializer[Any]):
    """A project in the list of a repository."""

    project = serializers.CharField(source="normalized")
    name = serializers.CharField(help_text="As its latest upload spells it.")
    scope = serializers.CharField(help_text="Of a remote: where upstream has it.")
    status = serializers.ChoiceField(Project.Status.choices)
    version = serializers.CharField(help_text="The newest that is shown; empty: none is.")
    summary = serializers.CharField()
    last_upload_at = serializers.DateTimeField(allow_null=True)


class ProjectFacts(serializers.Serializer[Any]):
    """A project as a repository shows it."""

    project = serializers.CharField(source="name")
    status = serializers.CharField()
    status_reason = serializers.CharField()
    versions = serializers.ListField(child=serializers.CharField())
    stale_since = serializers.DateTimeField(
        allow_null=True, help_text="When upstream said so, if it cannot be asked now."
    )


class ProjectStatus(Strict):
    """A project's status marker (PEP 792)."""

    status = serializers.ChoiceField(Project.Status.choices)
    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class ReleaseFacts(serializers.Serializer[Any]):
    """A release that was published here."""

    version = serializers.CharField()
    yanked = serializers.BooleanField()
    yanked_reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class Yank(Strict):
    """Whether something is yanked (PEP 592), and why."""

    yanked = serializers.BooleanField()
    reason = serializers.CharField(
        max_length=500, default="", allow_blank=True, help_text="Installers print it."
    )


class PropertyFacts(serializers.Serializer[Any]):
    """A property of a file, with all of its values from one origin."""

    name = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField())
    origin = serializers.ChoiceField(["client", "archive", "person"])


class Properties(serializers.Serializer[Any]):
    """All properties of a file."""

    properties = PropertyFacts(many=True)
    differences = serializers.ListField(
        child=serializers.CharField(),
        help_text="What the client sent otherwise than the archive has it, a sentence each.",
    )


class PropertyValues(Strict):
    """The values of a property that people give a file."""

    values = serializers.ListField(
        child=serializers.CharField(max_length=1000), allow_empty=False, max_length=200
    )


class Promotion(Strict):
    """Where a file goes."""

    to = serializers.CharField(max_length=201, help_text="tenant/key of a repository.")
    move = serializers.BooleanField(
        default=False, help_text="It is deleted where it was: its name cannot be used there again."
    )


class Uploaded(serializers.Serializer[Any]):
    """What an upload, or a promotion, came to."""

    file = FileFacts()
    created = serializers.BooleanField(help_text="false: the same bytes were there already.")
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="Which virtuals do not show the file, and why."
    )


def url_of_row(row: Distribution) -> str | None:
    """Return where installers get the bytes of a file; None for one that they are not offered."""
    if row.release is None or row.deleted_at is not None:
        return None
    project = row.release.project
    return url_of(row.repository, project.scope, project.normalized, row.sha256, row.filename)


def provenance_of_row(row: Distribution) -> str | None:
    """Return where the provenance of a file is that was verified; None where none is served."""
    url = url_of_row(row) if row.has_provenance else None
    return f"{url}.provenance" if url else None


def provenance_of_line(repository: Repository, project: str, file: PageFile) -> str | None:
    """Return where the provenance of a file is that a repository shows, here or upstream."""
    if not file.has_provenance:
        return file.provenance or None
    return f"{url_of(repository, '', project, file.sha256, file.filename)}.provenance"


def url_of(repository: Repository, scope: str, project: str, sha256: str, filename: str) -> str:
    """Return the URL of a file; with its digest, where that is known, of these bytes alone."""
    parts = (str(repository), scope, "files", project, sha256, filename)
    return "/".join([settings.BASE_URL, *(quote(part) for part in parts if part)])
