"""Uploads with attestations, and by CI: who is believed, what is kept, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from base import clock
from base.audit import SYSTEM
from base.models import AuditEvent
from packages import curate, publish
from packages.attestations import VerifierAway
from packages.models import Distribution, Provenance
from packages.promotion import promote
from packages.provenance import attestations, copy_provenance, published_by
from repos import publishers
from repos.models import TrustedPublisher
from repos.targets import target_of_upload
from tests.attested import COMMIT, PROVENANCE, SENT, FakeVerifier, upload_attested, verifying
from tests.cast import Cast, basic, make_repository
from tests.conftest import MovableClock
from tests.dists import make_wheel
from tests.publishers import exchanged, make_issuer, trust

WHEEL = make_wheel("frog", "1.0")
OTHER_BYTES = make_wheel("frog", "1.0", files={"frog/other.py": b"other"})


@pytest.fixture
def verifier() -> Iterator[FakeVerifier]:
    with verifying() as fake:
        yield fake


def test_what_is_verified_is_kept_and_audited(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    publisher = trust(cast.acme.repository, make_issuer())
    verifier.logged_at = clock.now()
    answer = upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    assert answer.status_code == 200, answer.reason_phrase
    (expected,) = verifier.expected
    assert (expected.key, expected.kind, expected.source) == (publisher.pk, "github", "octo/frog")
    row = Distribution.objects.get()
    assert row.is_attested
    assert bytes(row.provenance.document) == PROVENANCE
    assert row.provenance.uploaded_to == cast.acme.repository
    assert published_by(row.provenance, cast.acme.reader.principal) is None
    first, second = attestations(row.provenance)
    assert (first.predicate, second.predicate) == ("publish", "SLSA provenance")
    assert first.build.source == "Octo/frog"
    assert first.build.commit_url == f"https://github.com/Octo/frog/commit/{COMMIT}"
    assert first.build.workflow_url.endswith(f"/blob/{COMMIT}/.github/workflows/release.yml")
    event = AuditEvent.objects.get(action="distribution.publish")
    assert event.after is not None
    assert event.after["is_attested"] is True
    # Who comes first is the owner.
    publisher.refresh_from_db()
    assert (publisher.owner_id, publisher.source_id) == ("4711", "815")


def test_what_was_signed_before_anybody_was_trusted_keeps_nobody_out(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    publisher = trust(cast.acme.repository, make_issuer())
    verifier.logged_at = clock.now() - timedelta(days=400)
    assert upload_attested(client, "1.0", WHEEL, by=cast.acme.writer).status_code == 200
    publisher.refresh_from_db()
    assert (publisher.owner_id, publisher.source_id) == ("", "")


@pytest.mark.parametrize("numbers", [{}, {"source_id": "815"}])
def test_what_was_signed_before_somebody_was_trusted_anew_attests_nothing(
    client: Client, cast: Cast, verifier: FakeVerifier, time: MovableClock, numbers: dict[str, str]
) -> None:
    publisher = trust(cast.acme.repository, make_issuer())
    verifier.logged_at = clock.now()
    time.move(hours=1)
    publishers.trust_anew(publisher, by=SYSTEM, **numbers)
    answer = upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    assert answer.status_code == 400
    assert "its publisher was trusted anew since" in answer.reason_phrase
    verifier.logged_at = clock.now()
    assert upload_attested(client, "1.0", WHEEL, by=cast.acme.writer).status_code == 200


@pytest.mark.parametrize("case", ["nobody", "another kind", "switched off", "claims", "elsewhere"])
def test_where_nobody_is_expected_they_are_ignored(
    client: Client, cast: Cast, verifier: FakeVerifier, case: str
) -> None:
    repository = cast.acme.repository
    match case:
        case "another kind":
            trust(repository, make_issuer("other"), source="me", workflow="")
        case "switched off":
            trust(repository, make_issuer(is_active=False))
        case "claims":
            trust(repository, make_issuer(), claims={"sub": "repo:octo/frog:environment:prod"})
        case "elsewhere":
            issuer = make_issuer()
            trust(make_repository(cast.acme.tenant, "other"), issuer)
            trust(repository, issuer, "toad")
    answer = upload_attested(client, "1.0", WHEEL, by=cast.acme.writer, sent="[broken")
    assert answer.status_code == 200
    assert verifier.asked == 0
    assert not Distribution.objects.get().is_attested
    assert not Provenance.objects.exists()


def test_what_is_refused_leaves_nothing_and_says_why(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    trust(cast.acme.repository, make_issuer())
    answer = upload_attested(client, "1.0", WHEEL, by=cast.acme.writer, sent='["altered"]')
    assert answer.status_code == 400
    assert "is altered." in answer.reason_phrase
    assert "is altered." in answer.content.decode()
    assert not Distribution.objects.exists()
    assert verifier.asked == 1


def test_while_nothing_can_be_verified_they_come_again_later(client: Client, cast: Cast) -> None:
    trust(cast.acme.repository, make_issuer())
    with patch.object(publish, "verify", side_effect=VerifierAway("Cannot be verified now.")):
        answer = upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert answer.reason_phrase == "Cannot be verified now."
    assert not Distribution.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_waits_to_have_them_verified_holds_no_connection(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    trust(cast.acme.repository, make_issuer())
    held: list[object] = []

    def waits(*args: Any, **more: Any) -> Any:
        held.append(connection.connection)
        return verifier.verify(*args, **more)

    with patch.object(publish, "verify", waits):
        assert upload_attested(client, "1.0", WHEEL, by=cast.acme.writer).status_code == 200
    assert held == [None]


def test_ci_answers_for_its_own_publisher_and_what_its_issuer_said_is_kept(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    issuer = make_issuer()
    own = trust(cast.acme.repository, issuer)
    trust(cast.acme.repository, issuer, source="octo/other")
    sha = "a" * 40
    minted = exchanged(issuer, sha=sha, run_id="12", run_attempt="2", environment="Release")
    shows = basic("__token__", minted.secret)["Authorization"]
    answer = upload_attested(client, "1.0", WHEEL, by=None, Authorization=shows)
    assert answer.status_code == 200, answer.reason_phrase
    assert [each.key for each in verifier.expected] == [own.pk]
    build = published_by(Provenance.objects.get(), cast.acme.reader.principal)
    assert build is not None
    assert (build.kind, build.source, build.commit) == ("github", "Octo/frog", sha)
    assert (build.workflow, build.environment) == (".github/workflows/release.yml", "release")
    assert build.run == "https://ci.example/Octo/frog/actions/runs/12/attempts/2"
    event = AuditEvent.objects.get(action="distribution.publish")
    assert event.after is not None
    assert (event.after["commit"], event.after["run"]) == (sha, build.run)
    # The same without attestations: what the issuer said stands alone.
    file = make_wheel("frog", "2.0")
    upload_attested(client, "2.0", file, by=None, sent="", Authorization=shows)
    row = Distribution.objects.get(filename=file[0])
    assert (row.is_attested, row.provenance.attested) == (False, [])
    assert row.provenance.said["commit"] == sha


@pytest.mark.parametrize("change", ["removed", "other owner", "made again", "anew"])
def test_a_publisher_that_goes_meanwhile_is_believed_no_more(
    client: Client, cast: Cast, verifier: FakeVerifier, change: str
) -> None:
    publisher = trust(cast.acme.repository, make_issuer())

    def meanwhile(*args: Any, **more: Any) -> Any:
        verified = verifier.verify(*args, **more)
        if change == "removed":
            publishers.remove_publisher(publisher, by=SYSTEM)
        elif change == "made again":
            TrustedPublisher.objects.update(owner_id="4711", source_id="816")
        elif change == "anew":
            publishers.trust_anew(publisher, by=SYSTEM)
        else:
            TrustedPublisher.objects.update(owner_id="666")
        return verified

    with patch.object(publish, "verify", meanwhile):
        answer = upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    assert answer.status_code == 400
    assert "is no longer trusted to publish frog to acme/local" in answer.reason_phrase
    assert not Distribution.objects.exists()


def test_the_same_bytes_again_change_nothing(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    trust(cast.acme.repository, make_issuer())
    upload_attested(client, "1.0", WHEEL, by=cast.acme.writer, sent="")
    assert upload_attested(client, "1.0", WHEEL, by=cast.acme.writer).status_code == 200
    assert verifier.asked == 0
    assert not Distribution.objects.get().is_attested


def test_other_bytes_take_their_own_attestations_or_none(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    repository = cast.acme.repository
    trust(repository, make_issuer())
    type(repository).objects.filter(pk=repository.pk).update(overwrite_allowed=True)
    upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    upload_attested(client, "1.0", OTHER_BYTES, by=cast.acme.writer, sent="")
    assert not Distribution.objects.get().is_attested
    assert not Provenance.objects.exists()
    upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    assert Distribution.objects.get().is_attested
    assert verifier.asked == 2


def test_a_promoted_copy_has_them_and_a_restored_file_has_them_still(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    trust(cast.acme.repository, make_issuer())
    upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    row = Distribution.objects.select_related("repository__tenant", "release__project").get()
    production = make_repository(cast.acme.tenant, "production")
    to = target_of_upload(cast.acme.admin.principal, "acme", "production")
    copy = promote(row, to=to, by=cast.acme.admin.principal).distribution
    copy.refresh_from_db()
    assert copy.is_attested
    assert bytes(copy.provenance.document) == PROVENANCE
    assert (copy.repository, copy.provenance.uploaded_to) == (production, cast.acme.repository)
    assert verifier.asked == 1  # it is of the bytes, whoever is trusted where they go
    curate.delete(row, by=cast.acme.admin.principal)
    curate.restore(row, by=cast.acme.admin.principal)
    assert bytes(Provenance.objects.get(distribution=row).document) == PROVENANCE


def test_a_copy_has_nothing_of_other_bytes_that_took_the_place_of_its_source(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    trust(cast.acme.repository, make_issuer())
    upload_attested(client, "1.0", WHEEL, by=cast.acme.writer)
    row = Distribution.objects.get()
    copy = Distribution(repository=row.repository, sha256="0" * 64)
    copy_provenance(row, copy)
    assert not copy.is_attested
    assert Provenance.objects.count() == 1


def test_rest_takes_them_and_its_check_says_what_the_upload_would(
    client: Client, cast: Cast, verifier: FakeVerifier
) -> None:
    trust(cast.acme.repository, make_issuer())
    root = "/api/v1/repositories/acme/local"
    for path, status in (("upload/check", 200), ("upload", 201)):
        altered = _form(client, f"{root}/{path}", cast, "[]")
        assert (altered.status_code, "is altered." in altered.json()["detail"]) == (400, True)
        assert _form(client, f"{root}/{path}", cast, SENT).status_code == status
    row = Distribution.objects.get()
    said = client.get(f"{root}/files/{row.pk}", headers=cast.acme.reader.headers).json()
    assert said["provenance"] == f"{said['url']}.provenance"
    (line,) = client.get(f"{root}/projects/frog/files", headers=cast.acme.reader.headers).json()[
        "results"
    ]
    assert line["provenance"] == said["provenance"]
    told = client.get(f"{root}/files/{row.pk}/provenance", headers=cast.acme.reader.headers).json()
    assert (told["published_by"], told["was_promoted"]) == (None, False)
    assert [each["build"]["commit"] for each in told["attestations"]] == [COMMIT, COMMIT]
    assert verifier.asked == 4


def _form(client: Client, path: str, cast: Cast, sent: str) -> Any:
    form = {"attestations": sent, "content": SimpleUploadedFile(*WHEEL)}
    return client.post(path, form, headers=cast.acme.writer.headers)
