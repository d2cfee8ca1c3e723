"""The files that a repository holds: found, yanked, deleted, restored, described, promoted."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.principal import Principal
from accounts.rest.pages import Order, PageAsked, page_of
from accounts.rest.schema import paged
from accounts.rest.views import RestView, asked, sent
from accounts.roles import Role
from packages import cache, curate
from packages.api.facts import (
    FileFacts,
    Promotion,
    Properties,
    PropertyValues,
    ProvenanceFacts,
    Uploaded,
    Yank,
)
from packages.deletion import delete_file
from packages.describe import remove_properties, set_properties
from packages.held_files import files_in
from packages.index.base import FileNotFound
from packages.models import Distribution, Property, Reading
from packages.promotion import promote
from packages.properties import said_by
from packages.provenance import attestations, provenance_of, published_by
from packages.publish import Published
from packages.search.conditions import attested
from packages.visibility import hidden_above
from repos.access import admitted
from repos.targets import target_of_upload

_BY_NAME = Order(("filename", "pk"), (str, int))
_BUILT = {
    "kind": "github",
    "issuer": "https://token.actions.githubusercontent.com",
    "host": "",
    "source": "acme/frog",
    "source_url": "https://github.com/acme/frog",
    "workflow": ".github/workflows/release.yml",
    "environment": "",
    "ref": "refs/tags/v1.0",
    "commit": "0e2a68d2f4dbbd2a6f8bd4ad25b4e5fb0ac54a1c",
    "run": "https://github.com/acme/frog/actions/runs/17/attempts/1",
}
_ATTESTED = {
    "published_by": _BUILT | {"environment": "release"},
    "attestations": [
        {
            "predicate_type": "https://slsa.dev/provenance/v1",
            "build": _BUILT,
            "logged_at": "2026-11-20T10:15:02Z",
        }
    ],
    "checked_at": "2026-11-20T10:15:09Z",
    "was_promoted": False,
}


class FilesAsked(PageAsked):
    """Which files are wanted."""

    project = serializers.CharField(required=False, max_length=200, help_text="Normalised.")
    filename = serializers.CharField(required=False, max_length=255)
    extraction = serializers.ChoiceField(Distribution.Extraction.choices, required=False)
    attested = serializers.BooleanField(
        required=False,
        help_text="Those that have attestations which were verified here, or those that have none.",
    )
    upstream_change = serializers.ChoiceField(
        ["any", *Distribution.UpstreamChange.values],
        required=False,
        help_text="Of a remote: what upstream has done to them since they were kept.",
    )
    deleted = serializers.BooleanField(
        default=False, help_text="Those that were deleted, to who administers the repository."
    )


class Files(RestView):
    """The files that a repository holds."""

    @extend_schema(
        operation_id="list_files", parameters=[FilesAsked], responses=paged(FileFacts, "FilePage")
    )
    def get(self, request: Request, tenant: str, key: str) -> Response:
        """List the files that a local or remote holds, by name; a virtual holds none itself."""
        rows = files_in(admitted(self.by, tenant, key, Role.READER))
        wanted = asked(FilesAsked, request)
        rows = rows.filter(deleted_at__isnull=not wanted["deleted"])
        if "project" in wanted:
            rows = rows.filter(release__project__normalized=wanted["project"])
        for name in ("filename", "extraction"):
            if name in wanted:
                rows = rows.filter(**{name: wanted[name]})
        if "attested" in wanted:
            rows = rows.filter(attested(wanted["attested"]))
        if "upstream_change" in wanted:
            rows = rows.exclude(upstream_change="")  # the index is of these
            if wanted["upstream_change"] != "any":
                rows = rows.filter(upstream_change=wanted["upstream_change"])
        return page_of(request, rows, _BY_NAME, FileFacts)


class OneFile(RestView):
    """A file that a repository holds."""

    @extend_schema(operation_id="read_file", responses=FileFacts)
    def get(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Read what is known of a file, and where its bytes are."""
        return Response(_told(self.by, (tenant, key, pk)))

    @extend_schema(
        operation_id="yank_file",
        request=Yank,
        responses=FileFacts,
        examples=[OpenApiExample("offered again", {"yanked": False}, request_only=True)],
    )
    def patch(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Yank one file of a release, or take that back."""
        row = _file(self.by, (tenant, key, pk), Role.WRITER)
        said = sent(Yank, request)
        curate.yank(row, reason=said["reason"], by=self.by, undo=not said["yanked"])
        return Response(_told(self.by, (tenant, key, pk)))

    @extend_schema(operation_id="delete_file", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Delete a file, which can be restored for 30 days; what a remote has kept just goes."""
        row = _file(self.by, (tenant, key, pk), Role.ADMIN)
        delete_file(row, by=self.by)
        return Response(status=204)


class Restoring(RestView):
    """A file that was deleted."""

    @extend_schema(operation_id="restore_file", request=None, responses=FileFacts)
    def post(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """List a deleted file again, with the bytes it had."""
        curate.restore(_file(self.by, (tenant, key, pk), Role.ADMIN), by=self.by)
        return Response(_told(self.by, (tenant, key, pk)))


class ReadingAgain(RestView):
    """A file whose extraction has failed."""

    @extend_schema(operation_id="extract_file_again", request=None, responses={202: FileFacts})
    def post(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Let a file wait once more whose metadata could not be extracted."""
        curate.try_again(_file(self.by, (tenant, key, pk), Role.WRITER), by=self.by)
        return Response(_told(self.by, (tenant, key, pk)), status=202)


class LiftingQuarantine(RestView):
    """A file that upstream has quarantined."""

    @extend_schema(operation_id="lift_quarantine", request=None, responses=FileFacts)
    def post(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Give a file of a remote out again that upstream has quarantined."""
        cache.lift_quarantine(_file(self.by, (tenant, key, pk), Role.ADMIN), by=self.by)
        return Response(_told(self.by, (tenant, key, pk)))


class Promoting(RestView):
    """A file on its way to another repository."""

    @extend_schema(
        operation_id="promote_file",
        request=Promotion,
        responses={200: Uploaded, 201: Uploaded},
        examples=[OpenApiExample("a copy", {"to": "acme/production"}, request_only=True)],
    )
    def post(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Copy or move a file to another repository of the tenant; it is not sent again."""
        row = _file(self.by, (tenant, key, pk))
        said = sent(Promotion, request)
        to_tenant, _, to_key = said["to"].partition("/")
        target = target_of_upload(self.by, to_tenant, to_key)
        return published(promote(row, to=target, by=self.by, is_move=said["move"]), self.by)


class FileProvenance(RestView):
    """Where a file comes from."""

    @extend_schema(
        operation_id="read_provenance",
        responses=ProvenanceFacts,
        examples=[OpenApiExample("attested", _ATTESTED, response_only=True)],
    )
    def get(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """Read who built a file: what its attestations prove, and what the issuer of CI said."""
        row = _file(self.by, (tenant, key, pk))
        found = provenance_of(row, self.by)
        said = {
            "published_by": published_by(found, self.by) if found else None,
            "attestations": attestations(found) if found else [],
            "checked_at": found.uploaded_at if found else None,
            "was_promoted": found is not None and found.uploaded_to_id != row.repository_id,
        }
        return Response(ProvenanceFacts(said).data)


class FileProperties(RestView):
    """The properties of a file."""

    @extend_schema(operation_id="list_properties", responses=Properties)
    def get(self, request: Request, tenant: str, key: str, pk: str) -> Response:
        """List the properties of a file, and who says so: people, its archive, the client."""
        return Response(_properties(_file(self.by, (tenant, key, pk))))


class OneProperty(RestView):
    """A property that people give a file."""

    @extend_schema(
        operation_id="set_property",
        request=PropertyValues,
        responses=Properties,
        examples=[OpenApiExample("approved", {"values": ["yes"]}, request_only=True)],
    )
    def put(self, request: Request, tenant: str, key: str, pk: str, name: str) -> Response:
        """Give a file a property; these values take the place of those it had from people."""
        row = _file(self.by, (tenant, key, pk), Role.WRITER)
        set_properties(row, {name: sent(PropertyValues, request)["values"]}, by=self.by)
        return Response(_properties(row))

    @extend_schema(operation_id="remove_property", request=None, responses={204: None})
    def delete(self, request: Request, tenant: str, key: str, pk: str, name: str) -> Response:
        """Take a property away that people gave a file."""
        row = _file(self.by, (tenant, key, pk), Role.WRITER)
        remove_properties(row, [name], by=self.by)
        return Response(status=204)


def published(done: Published, by: Principal) -> Response:
    """Answer with what an upload, or a promotion, came to."""
    rows = Distribution.objects.select_related("release__project", "repository__tenant")
    row = rows.get(pk=done.distribution.pk)
    facts = {"created": done.created, "notes": hidden_above(row, by=by)}
    said = {"file": FileFacts(row, context={"by": by}).data} | facts
    return Response(said, status=201 if done.created else 200)


def _told(by: Principal, where: tuple[str, str, str]) -> Any:
    """Return the facts of a file that the caller may read."""
    return FileFacts(_file(by, where), context={"by": by}).data


def _file(by: Principal, where: tuple[str, str, str], role: Role = Role.READER) -> Distribution:
    """Return a file that the caller may know of, in a repository where they have a role."""
    tenant, key, pk = where
    come_in = admitted(by, tenant, key, role)
    row = files_in(come_in).filter(pk=pk).first()
    if row is None:
        raise FileNotFound(f"There is no file {pk} in {come_in.repository}.")
    return row


def _properties(row: Distribution) -> dict[str, Any]:
    reading = Reading.objects.filter(distribution=row).first()
    return {
        "properties": [
            {"name": name, "values": values, "origin": origin.value}
            for origin in (Property.Origin.PERSON, Property.Origin.ARCHIVE, Property.Origin.CLIENT)
            for name, values in said_by(row, origin).items()
        ],
        "differences": reading.differences if reading is not None else [],
    }
