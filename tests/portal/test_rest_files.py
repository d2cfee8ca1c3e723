"""Files by REST: checked before they are published, described and named after."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.roles import Role
from base.models import AuditEvent
from packages.models import Blob, Distribution, Reading
from tests.cast import Cast, grant
from tests.dists import make_wheel
from tests.portal.test_rest import API, Rest, by_session, by_token, frog, told

__all__ = ["frog"]  # the fixture


def checked(by: Rest, name: str, content: bytes, **fields: str) -> Any:
    """Send a form to be checked, the file last."""
    form = fields | {"content": SimpleUploadedFile(name, content)}
    return by.client.post(f"{API}/repositories/acme/local/upload/check", form, headers=by.headers)


def test_an_upload_is_checked_and_nothing_is_kept(cast: Cast, frog: Distribution) -> None:
    wes, counts = by_token(cast.acme.writer), (Distribution.objects.count(), Blob.objects.count())
    name, content = make_wheel("toad", "1.0")
    events = AuditEvent.objects.count()
    said = checked(wes, name, content, properties="qa.approved=yes")
    assert said.status_code == 200, said.content
    found = said.json()
    assert (found["name"], found["version"], found["is_there"]) == ("toad", "1.0", False)
    assert (found["size"], found["properties"]["qa.approved"]) == (len(content), ["yes"])
    there = checked(wes, frog.filename, make_wheel("frog", "1.0")[1]).json()
    assert (there["is_there"], there["sha256"]) == (True, frog.sha256)
    other = checked(wes, frog.filename, make_wheel("frog", "1.0", description="other")[1])
    assert "File already exists" in told(other, 400)
    assert "is not a zip archive" in told(checked(wes, name, b"x"), 400)
    told(checked(by_token(cast.acme.reader), name, content), 403)
    assert "Sign in" in told(checked(by_session(cast.acme.writer), name, content), 401)
    assert (Distribution.objects.count(), Blob.objects.count()) == counts
    assert AuditEvent.objects.count() == events


def test_who_uploaded_a_file_is_told_to_who_has_signed_in(cast: Cast, frog: Distribution) -> None:
    grant(cast.acme.repository, Role.READER)
    base, nobody = "/repositories/acme/local/files", Rest({})
    for by, name in ((nobody, ""), (by_token(cast.acme.reader), "wes")):
        (listed,) = by("GET", base).json()["results"]
        assert listed == by("GET", f"{base}/{frog.pk}").json()
        assert listed["uploaded_by"] == name


def test_attested_files_are_listed_apart(cast: Cast, frog: Distribution) -> None:
    base, ray = "/repositories/acme/local/files?attested", by_token(cast.acme.reader)
    for is_attested in (False, True):
        Distribution.objects.update(is_attested=is_attested)
        for asked in ("true", "false"):
            found = ray("GET", f"{base}={asked}").json()["results"]
            assert [each["filename"] for each in found] == (
                [frog.filename] if (asked == "true") == is_attested else []
            )
    assert "valid boolean" in told(ray("GET", f"{base}=maybe"), 400)


def test_properties_say_what_was_sent_otherwise_than_the_archive_has_it(
    cast: Cast, frog: Distribution
) -> None:
    ray, path = by_token(cast.acme.reader), f"/repositories/acme/local/files/{frog.pk}/properties"
    assert ray("GET", path).json()["differences"] == []
    Reading.objects.create(
        distribution=frog,
        sha256=frog.sha256,
        contents=b"",
        differences=["The client sent another summary."],
        read_at=frog.uploaded_at,
    )
    assert ray("GET", path).json()["differences"] == ["The client sent another summary."]


def test_a_file_without_a_name_is_found_and_named_by_who_may_write(
    cast: Cast, frog: Distribution
) -> None:
    Distribution.objects.update(release=None, extraction="unlisted", extraction_reason="No name.")
    wes, base = by_token(cast.acme.writer), "/repositories/acme/local/files"
    (found,) = wes("GET", f"{base}?extraction=unlisted").json()["results"]
    assert (found["filename"], found["project"]) == (frog.filename, "")
    named = wes("PUT", f"{base}/{found['id']}/properties/pypi.name", {"values": ["frog"]})
    assert named.status_code == 200, named.content
    assert wes("GET", f"{base}/{found['id']}").json()["extraction"] == "pending"
