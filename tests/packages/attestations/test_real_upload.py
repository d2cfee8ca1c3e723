"""An sdist of a public project with the attestations that its CI made, uploaded and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pypi_attestations
import pytest
from django.test import Client

from packages.attestations import verifier
from packages.models import Distribution
from packages.provenance import attestations
from repos.models import TrustedPublisher
from tests.cast import Cast
from tests.journeys.distributions import File, attested_sdist
from tests.packages.attestations.test_real_attestations import ON_GITHUB, SDIST, published, read
from tests.publishers import make_issuer, trust
from tests.uploads import upload


@pytest.fixture(scope="module")
def sdist() -> Iterator[File]:
    yield attested_sdist()
    verifier._verifier.close()


@pytest.fixture
def publisher(cast: Cast) -> TrustedPublisher:
    """The project's own, in a repository of ours."""
    issuer = make_issuer(url=ON_GITHUB.issuer)
    return trust(cast.acme.repository, issuer, "pypi-attestations", source=ON_GITHUB.source)


def sent(sdist: File, cast: Cast, *attestations: Any) -> Any:
    file = (sdist.path.name, sdist.path.read_bytes())
    change = {"attestations": json.dumps(attestations)}
    name, version = "pypi-attestations", "0.0.19"
    return upload(Client(), name, version, file, by=cast.acme.writer, change=change)


def test_it_is_verified_by_the_public_trust_root_and_read_back(
    cast: Cast, publisher: TrustedPublisher, sdist: File
) -> None:
    answer = sent(sdist, cast, published(), read(f"{SDIST}.slsa.attestation"))
    assert answer.status_code == 200, answer.reason_phrase
    found = attestations(Distribution.objects.get().provenance)
    assert [each.predicate for each in found] == ["publish", "SLSA provenance"]
    build = found[0].build
    assert (build.source, build.workflow_name) == ("trailofbits/pypi-attestations", "release.yml")
    assert build.commit_url == f"https://github.com/{build.source}/commit/{build.commit}"
    assert build.run.startswith(f"https://github.com/{build.source}/actions/runs/")
    publisher.refresh_from_db()
    # It was signed before anybody was trusted here: whose the name was then keeps nobody out now.
    assert (publisher.owner_id, publisher.source_id) == ("", "")
    url = f"/acme/local/files/pypi-attestations/{sdist.sha256}/{SDIST}.provenance"
    raw = Client().get(url, headers=cast.acme.reader.headers).content
    (bundle,) = pypi_attestations.Provenance.model_validate_json(raw).attestation_bundles
    file = pypi_attestations.Distribution.from_file(sdist.path)
    read_back = [
        each.verify(bundle.publisher, file, offline=True)[0] for each in bundle.attestations
    ]
    assert read_back == [each.predicate_type for each in found]


def test_an_altered_one_is_refused(cast: Cast, publisher: TrustedPublisher, sdist: File) -> None:
    attestation = published()
    signature = attestation["envelope"]["signature"]
    attestation["envelope"]["signature"] = f"{signature[:20]}AAAA{signature[24:]}"
    answer = sent(sdist, cast, attestation)
    assert answer.status_code == 400
    assert SDIST in answer.reason_phrase
    assert not Distribution.objects.exists()
