"""Uploads by REST: a form, as clients send it, or the bytes as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.views import RestView, Strict, asked
from base.bodies import body_of
from packages.api.facts import Uploaded
from packages.api.files import published
from packages.by_hand import ByHand, check, properties_in_lines, publish_by_hand
from packages.multipart_form import BrokenForm, MultipartForm
from repos.targets import target_of_upload


class UploadForm(Strict):
    """The form of an upload."""

    content = serializers.FileField()
    name = serializers.CharField(required=False, help_text="Where the file's name does not say.")
    version = serializers.CharField(required=False, help_text="The same.")
    sha256 = serializers.CharField(required=False, help_text="What arrives otherwise is refused.")
    properties = serializers.CharField(required=False, help_text="name=value, one a line.")
    attestations = serializers.CharField(
        required=False,
        help_text="A JSON array of attestations (PEP 740). They are verified where the project has "
        "trusted publishers, and ignored where it has none.",
    )


class UploadAsked(Strict):
    """What the address says of the bytes that come."""

    name = serializers.CharField(required=False, default="", max_length=200)
    version = serializers.CharField(required=False, default="", max_length=200)
    sha256 = serializers.CharField(required=False, default="", max_length=64)


class CheckedFile(serializers.Serializer[Any]):
    """What publishing a file would come to."""

    filename = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Sent with the upload, no other bytes are published.")
    requires_python = serializers.CharField()
    is_there = serializers.BooleanField(help_text="The same bytes are there already.")
    overwrites = serializers.BooleanField(help_text="It would take the place of another file.")
    findings = serializers.ListField(child=serializers.CharField())
    properties = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))


class Upload(RestView):
    """Takes a form with a file in it."""

    takes_sessions = False

    @extend_schema(
        operation_id="upload_form",
        request={"multipart/form-data": UploadForm},
        responses={200: Uploaded, 201: Uploaded},
    )
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Publish a file that comes in a form. Sessions are not taken here: show a token."""
        target = target_of_upload(self.by, tenant, key)
        return published(publish_by_hand(_in_form(request), target=target, by=self.by), self.by)


class Checking(RestView):
    """Takes the same form, and keeps nothing of it."""

    takes_sessions = False

    @extend_schema(
        operation_id="check_upload",
        request={"multipart/form-data": UploadForm},
        responses=CheckedFile,
    )
    def post(self, request: Request, tenant: str, key: str) -> Response:
        """Say what publishing a file would come to, or be refused as it would; nothing is kept."""
        target = target_of_upload(self.by, tenant, key)
        found = check(_in_form(request), repository=target.repository, by=self.by)
        return Response(CheckedFile(found).data)


def _in_form(request: Request) -> ByHand:
    form = MultipartForm(request.headers.get("Content-Type", ""), body_of(request._request))  # noqa: SLF001 - the framework has no other way
    file = form.file()
    if file is None:
        raise BrokenForm("The form has no file in it.")
    said = _said(form)
    chunks = _then_nothing_new(file.chunks, form, said)
    return ByHand(
        filename=file.filename,
        chunks=chunks,
        name=said["name"],
        version=said["version"],
        sha256=said["sha256"],
        properties=properties_in_lines(said["properties"]),
        declared_size=file.declared_size,
        attestations=said["attestations"],
    )


def _said(form: MultipartForm) -> dict[str, str]:
    """Return what the fields say that have come."""
    return {
        name: next(iter(form.fields.get(name, ())), "").strip()
        for name in ("name", "version", "sha256", "properties", "attestations")
    }


def _then_nothing_new(
    chunks: Iterator[bytes], form: MultipartForm, said: dict[str, str]
) -> Iterator[bytes]:
    """Yield the file, and refuse it where a field comes too late to count."""
    yield from chunks
    for name, value in _said(form).items():
        if value != said[name]:
            raise BrokenForm(f"Put the field {name} before the file.")


class RawUpload(RestView):
    """Takes the bytes of a file."""

    takes_sessions = False

    @extend_schema(
        operation_id="upload_bytes",
        parameters=[UploadAsked],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={200: Uploaded, 201: Uploaded},
    )
    def put(self, request: Request, tenant: str, key: str, filename: str) -> Response:
        """Publish the bytes that come. Sessions are not taken here: show a token."""
        target = target_of_upload(self.by, tenant, key)
        said = asked(UploadAsked, request)
        body = body_of(request._request)  # noqa: SLF001 - as above
        given = ByHand(filename, body.chunks(), declared_size=body.left, **said)
        return published(publish_by_hand(given, target=target, by=self.by), self.by)
