"""What verifies by the Sigstore of the tests, and what is sent to it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.attestations import AttestationRefused, Expected, Verified
from packages.attestations.sigstore_checks import Checks
from tests.signing import ISSUER
from tests.sigstores import the_sigstore

FILENAME = "frog-1.0.tar.gz"
SHA256 = hashlib.sha256(b"a frog").hexdigest()
UNISSUED = "has a certificate that no trusted authority had issued for the time of its log entry."
UNLOGGED = "has a log entry that no trusted log has signed."

Verify = Callable[..., Verified]
RefusalOf = Callable[..., str]


def expected(**other: Any) -> Expected:
    """Return the publisher that the tests' jobs are, or another."""
    usual: dict[str, Any] = {
        "key": 1,
        "kind": "github",
        "issuer": ISSUER,
        "source": "octo/frog",
        "workflow": "release.yml",
    }
    return Expected(**(usual | other))


def changed(attestation: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return an attestation with another value at a path such as envelope.signature."""
    other = copy.deepcopy(attestation)
    *parents, last = path.split(".")
    place: Any = other
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    if value is None:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return other


@pytest.fixture(scope="session")
def trust_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that has the tests' Sigstore trusted."""
    return the_sigstore().write_trust_root(tmp_path_factory.mktemp("root") / "trusted_root.json")


@pytest.fixture(scope="session")
def checks(trust_root: Path) -> Checks:
    """Return what verifies by that, in this process."""
    return Checks(str(trust_root))


@pytest.fixture
def verify(checks: Checks) -> Verify:
    """Verify attestations of a file, expecting octo/frog's release.yml, or others."""

    def verify(*attestations: Any, by: Any = None, **other: Any) -> Verified:
        usual = {"filename": FILENAME, "sha256": SHA256}
        return checks.verify(
            json.dumps(attestations).encode(), expected=by or [expected()], **usual | other
        )

    return verify


@pytest.fixture
def refusal_of(verify: Verify) -> RefusalOf:
    """Return why attestations are refused."""

    def refusal_of(*attestations: Any, **other: Any) -> str:
        with pytest.raises(AttestationRefused) as refused:
            verify(*attestations, **other)
        return refused.value.sentence

    return refusal_of
