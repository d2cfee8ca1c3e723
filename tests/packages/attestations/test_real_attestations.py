"""Attestations of public projects, as their CI made them: true as they are, and in no other way.

Verified by the trust root that comes with sigstore, in the process that does so, without a network.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pypi_attestations import Distribution, Provenance

from packages.attestations import AttestationRefused, Expected, Verified
from packages.attestations.verifier import Verifier
from tests.packages.attestations.conftest import UNISSUED, UNLOGGED, changed
from tests.sigstores import PUBLISH, SLSA

REAL = Path(__file__).parent / "real"
SDIST = "pypi_attestations-0.0.19.tar.gz"
SDIST_SHA256 = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3"
ON_GITHUB = Expected(
    key=7,
    kind="github",
    issuer="https://token.actions.githubusercontent.com",
    source="trailofbits/pypi-attestations",
    workflow="release.yml",
    owner_id="2314423",
    ref="refs/tags/v*",
)
FROM_GITLAB = "gitlab_oidc_project-0.0.3.tar.gz"
FROM_GITLAB_SHA256 = "c1ca9b0d85df1606451098233018534497bf584362e10e4a8c21dfaea92c02a8"
ON_GITLAB = Expected(
    key=8,
    kind="gitlab",
    issuer="https://gitlab.com",
    source="facutuesca/gitlab-oidc-project",
    workflow=".gitlab-ci.yml",
)


MATERIAL = "verification_material"
ENTRY = f"{MATERIAL}.transparency_entries.0"


def read(name: str) -> Any:
    return json.loads((REAL / name).read_text(encoding="utf-8"))


def published() -> Any:
    """Return the attestation that a public provenance holds."""
    (bundle,) = read(f"{SDIST}.provenance")["attestation_bundles"]
    (attestation,) = bundle["attestations"]
    return attestation


@pytest.fixture(scope="module")
def verifier() -> Iterator[Verifier]:
    """What verifies, in its process."""
    verifier = Verifier()
    yield verifier
    verifier.close()


def verified(verifier: Verifier, *attestations: Any, **other: Any) -> Verified:
    usual = {"filename": SDIST, "sha256": SDIST_SHA256, "expected": [ON_GITLAB, ON_GITHUB]}
    return verifier.verify(json.dumps(attestations), trust_root=None, **(usual | other))


def refusal(verifier: Verifier, *attestations: Any, **other: Any) -> str:
    with pytest.raises(AttestationRefused) as refused:
        verified(verifier, *attestations, **other)
    return refused.value.sentence.removeprefix(f"The attestation of '{SDIST}' ")


def test_those_of_github_are_true(verifier: Verifier) -> None:
    first, second = verified(verifier, published(), read(f"{SDIST}.slsa.attestation")).attested
    assert (first.predicate_type, second.predicate_type) == (PUBLISH, SLSA)
    assert first.key == second.key == 7
    assert first.source == "https://github.com/trailofbits/pypi-attestations"
    assert first.commit == "08802efe1f8e5fec4ad842d6b8ce97656092ee72"
    assert first.ref == "refs/tags/v0.0.19"
    assert first.workflow == ".github/workflows/release.yml"
    assert first.run.endswith("/actions/runs/12169989787/attempts/1")
    assert first.logged_at == datetime(2024, 12, 4, 23, 14, 1, tzinfo=UTC)


def test_those_of_gitlab_are_true(verifier: Verifier) -> None:
    sent = read(f"{FROM_GITLAB}.publish.attestation")
    found = verified(verifier, sent, filename=FROM_GITLAB, sha256=FROM_GITLAB_SHA256)
    assert [each.workflow for each in found.attested] == [".gitlab-ci.yml"]
    assert found.attested[0].owner_id == "12885801"


@pytest.mark.parametrize("name", [f"{SDIST}.provenance", f"{FROM_GITLAB}.publish.attestation"])
def test_their_readers_verify_what_is_served(
    verifier: Verifier, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(folder, str(tmp_path))  # they write there
    is_ours = name.startswith(SDIST)
    filename = SDIST if is_ours else FROM_GITLAB
    sha256 = SDIST_SHA256 if is_ours else FROM_GITLAB_SHA256
    sent = published() if is_ours else read(name)
    served = verified(verifier, sent, filename=filename, sha256=sha256).provenance
    (bundle,) = Provenance.model_validate_json(served).attestation_bundles
    distribution = Distribution(name=filename, digest=sha256)
    for attestation in bundle.attestations:
        kind, _ = attestation.verify(bundle.publisher, distribution, offline=True)
        assert kind == PUBLISH


def test_a_public_provenance_is_served_as_it_was(verifier: Verifier) -> None:
    provenance = Provenance.model_validate(read(f"{SDIST}.provenance"))
    served = Provenance.model_validate_json(verified(verifier, published()).provenance)
    assert served == provenance


def flipped(encoded: str, at: int = -1) -> str:
    """Return base64 with one bit of its bytes turned."""
    raw = bytearray(base64.b64decode(encoded))
    raw[at] ^= 1
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("envelope.signature", "was not signed by the key of its certificate."),
        ("envelope.statement", "was not signed by the key of its certificate."),
        (f"{MATERIAL}.certificate", UNISSUED),
        (f"{ENTRY}.canonicalizedBody", UNLOGGED),
        (f"{ENTRY}.inclusionProof.rootHash", UNLOGGED),
        (f"{ENTRY}.inclusionProof.hashes.3", UNLOGGED),
        (
            f"{ENTRY}.inclusionPromise.signedEntryTimestamp",
            UNLOGGED,
        ),
    ],
)
def test_one_bit_makes_it_untrue(verifier: Verifier, path: str, words: str) -> None:
    place: Any = published()
    for name in path.split("."):
        place = place[int(name) if name.isdigit() else name]
    assert refusal(verifier, changed(published(), path, flipped(place))) == words


def test_another_time_makes_it_untrue(verifier: Verifier) -> None:
    later = changed(published(), f"{ENTRY}.integratedTime", "1733354042")
    assert refusal(verifier, later) == UNLOGGED
    long_after = changed(published(), f"{ENTRY}.integratedTime", "1764000000")
    assert refusal(verifier, long_after) == UNISSUED


def test_parts_of_two_are_no_whole(verifier: Verifier) -> None:
    other = read(f"{SDIST}.slsa.attestation")
    for part, words in (
        ("envelope", "was not signed by the key of its certificate."),
        (MATERIAL, "was not signed by the key of its certificate."),
        # It was logged some seconds before the certificate was issued.
        (f"{MATERIAL}.transparency_entries", UNISSUED),
    ):
        place: Any = other
        for name in part.split("."):
            place = place[name]
        assert refusal(verifier, changed(published(), part, place)) == words


def test_it_is_of_no_other_file(verifier: Verifier) -> None:
    assert refusal(verifier, published(), sha256="0" * 64) == (
        "is one of a file with another SHA-256."
    )
    other = "pypi_attestations-0.0.20.tar.gz"
    assert refusal(verifier, published(), filename=other) == (
        f"The attestation of '{other}' is one of another file: '{SDIST}'."
    )


@pytest.mark.parametrize(
    "other",
    [
        {"source": "trailofbits/other"},
        {"workflow": "test.yml"},
        {"ref": "refs/heads/*"},
        {"issuer": "https://ci.example"},
    ],
)
def test_it_is_of_no_other_publisher(verifier: Verifier, other: dict[str, str]) -> None:
    expected = [msgspec.structs.replace(ON_GITHUB, **other)]
    assert refusal(verifier, published(), expected=expected) == (
        "was signed by 'https://github.com/trailofbits/pypi-attestations/.github/workflows/"
        "release.yml@refs/tags/v0.0.19', which may not publish this project."
    )


def test_it_is_of_no_other_owner(verifier: Verifier) -> None:
    expected = [msgspec.structs.replace(ON_GITHUB, owner_id="1")]
    assert refusal(verifier, published(), expected=expected).endswith(
        "has another owner than the one that was trusted."
    )


def test_the_sigstore_of_somebody_else_does_not_vouch_for_it(
    verifier: Verifier, trust_root: Path
) -> None:
    other = Verifier()
    try:
        with pytest.raises(AttestationRefused, match="no trusted authority"):
            other.verify(
                json.dumps([published()]),
                filename=SDIST,
                sha256=SDIST_SHA256,
                expected=[ON_GITHUB],
                trust_root=trust_root,
            )
    finally:
        other.close()
