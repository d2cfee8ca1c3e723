"""What is refused of attestations, and why: each with its own sentence."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pypi_attestations import Distribution, GooglePublisher, Provenance
from sigstore.models import TrustedRoot
from sigstore.verify import Verifier

from packages.attestations import AttestationRefused, sigstore_checks
from packages.attestations.child import WentOut
from packages.attestations.sigstore_checks import Checks
from tests.packages.attestations.conftest import (
    FILENAME,
    SHA256,
    UNISSUED,
    UNLOGGED,
    RefusalOf,
    Verify,
    changed,
    expected,
)
from tests.sigstores import (
    AT,
    MACHINE,
    ON_GITHUB,
    PUBLISH,
    SLSA,
    Job,
    Sigstore,
    statement,
    the_sigstore,
)
from tests.transparency import Log, canonical, text

STATED = statement(FILENAME, SHA256)
GOOGLE = "https://accounts.google.com"
ON_GOOGLE = replace(MACHINE, issuer=GOOGLE)


def attested(stated: Any = STATED, **other: Any) -> dict[str, Any]:
    return the_sigstore().attestation(stated, **other)


@pytest.fixture(scope="module")
def good() -> dict[str, Any]:
    """An attestation that is true; tests change copies of it."""
    return attested()


def certified(key: Any, **other: Any) -> Any:
    usual: dict[str, Any] = {"at": AT, "noted_by": the_sigstore().certificates}
    return the_sigstore().authority.certify(key, Job(), **usual | other)


def test_what_is_true_is_told(verify: Verify) -> None:
    found = verify(attested(), attested(statement(FILENAME, SHA256, SLSA, predicate={"a": 1})))
    assert [each.predicate_type for each in found.attested] == [PUBLISH, SLSA]
    first = found.attested[0]
    assert first.key == 1
    assert first.source == "https://ci.example/Octo/frog"
    assert first.workflow == ".github/workflows/release.yml"
    assert first.run == "https://ci.example/Octo/frog/actions/runs/9/attempts/1"
    assert (first.ref, first.commit, first.owner_id) == ("refs/heads/main", "5" * 40, "4711")
    assert first.logged_at == AT


def test_the_provenance_is_in_the_words_of_its_readers(verify: Verify) -> None:
    both = verify(
        attested(job=ON_GITHUB),
        attested(statement(FILENAME, SHA256, SLSA), job=ON_GITHUB),
        by=[expected(issuer=ON_GITHUB.issuer)],
    )
    provenance = json.loads(both.provenance)
    assert provenance["version"] == 1
    (bundle,) = provenance["attestation_bundles"]
    assert bundle["publisher"] == {
        "kind": "GitHub",
        "repository": "Octo/frog",
        "workflow": "release.yml",
        "environment": None,
    }
    assert len(bundle["attestations"]) == 2
    assert Provenance.model_validate_json(both.provenance)


def test_what_two_publishers_sign_is_in_two_bundles(verify: Verify) -> None:
    machine = expected(key=2, kind="google", issuer=GOOGLE, source="deploy@acme.example")
    both = verify(
        attested(job=ON_GITHUB),
        attested(statement(FILENAME, SHA256, SLSA), job=ON_GOOGLE),
        by=[expected(issuer=ON_GITHUB.issuer), machine],
    )
    assert [each.key for each in both.attested] == [1, 2]
    assert both.attested[1].source == "Deploy@acme.example"
    bundles = json.loads(both.provenance)["attestation_bundles"]
    assert [bundle["publisher"]["kind"] for bundle in bundles] == ["GitHub", "Google"]


def test_no_provenance_tells_of_an_issuer_of_one_s_own(verify: Verify) -> None:
    own = verify(attested())
    assert (len(own.attested), own.provenance) == (1, b"")
    both = verify(
        attested(),
        attested(statement(FILENAME, SHA256, SLSA), job=ON_GITHUB),
        by=[expected(), expected(key=2, issuer=ON_GITHUB.issuer)],
    )
    assert [each.issuer for each in both.attested] == [Job().issuer, ON_GITHUB.issuer]
    (bundle,) = json.loads(both.provenance)["attestation_bundles"]
    assert [len(bundle["attestations"]), bundle["publisher"]["kind"]] == [1, "GitHub"]


def test_a_reader_verifies_what_is_served(
    verify: Verify, monkeypatch: pytest.MonkeyPatch, trust_root: Any
) -> None:
    by = [expected(kind="google", issuer=GOOGLE, source="deploy@acme.example", workflow="")]
    served = verify(attested(job=ON_GOOGLE), by=by).provenance
    trusted = Verifier(trusted_root=TrustedRoot.from_file(str(trust_root)))
    monkeypatch.setattr(Verifier, "production", lambda **_: trusted)
    (bundle,) = Provenance.model_validate_json(served).attestation_bundles
    assert bundle.publisher == GooglePublisher(email="Deploy@acme.example")
    distribution = Distribution(name=FILENAME, digest=SHA256)
    said, _ = bundle.attestations[0].verify(bundle.publisher, distribution, offline=True)
    assert said == PUBLISH


def test_nothing_is_served_that_was_not_verified(verify: Verify) -> None:
    good, by = attested(job=ON_GITHUB), [expected(issuer=ON_GITHUB.issuer)]
    more = copy.deepcopy(good)
    more["note"] = more["envelope"]["note"] = "trust me"
    more["envelope"]["signature"] += "\n"
    assert verify(more, by=by).provenance == verify(good, by=by).provenance
    assert b"trust me" not in verify(more, by=by).provenance


def test_a_name_may_be_written_in_another_way(verify: Verify) -> None:
    stated = statement("Tree_Frog-1.0-py3-none-any.whl", SHA256)
    assert verify(attested(stated), filename="tree_frog-1.0.0-py3-none-any.whl").attested
    odd = statement("frog-1.0.tar.bz2", SHA256)
    assert verify(attested(odd), filename="frog-1.0.tar.bz2").attested


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("", "are no JSON."),
        ("{not json", "are no JSON."),
        ("[" * 100_000, "are no JSON."),
        ("{}", "are no list with at least one of them."),
        ("[]", "are no list with at least one of them."),
        ("null", "are no list with at least one of them."),
        (json.dumps([{}] * 9), "are 9; 8 are the most."),
    ],
)
def test_no_list_of_attestations_is_refused(checks: Checks, raw: str, words: str) -> None:
    with pytest.raises(AttestationRefused) as refused:
        checks.verify(raw.encode(), filename=FILENAME, sha256=SHA256, expected=[expected()])
    assert refused.value.sentence == f"The attestations of 'frog-1.0.tar.gz' {words}"


MATERIAL = "verification_material"
ENTRY = f"{MATERIAL}.transparency_entries.0"
ZERO = text(bytes(32))


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("version", 2, "is none of PEP 740: see its 'version'."),
        ("envelope", None, "is none of PEP 740: see its 'envelope'."),
        ("envelope.statement", 7, "is none of PEP 740: see its 'envelope.statement'."),
        ("envelope.signature", "", "is not signed."),
        ("envelope.signature", text(b"x"), "was not signed by the key of its certificate."),
        ("envelope.statement", text(b"{}"), "was not signed by the key of its certificate."),
        (f"{MATERIAL}.certificate", text(b"x"), "has a certificate that cannot be read."),
        (
            f"{MATERIAL}.transparency_entries",
            [],
            "is none of PEP 740: see its 'verification_material.transparency_entries'.",
        ),
        (f"{MATERIAL}.transparency_entries", [{}, {}], "has 2 log entries; one is read."),
        (f"{MATERIAL}.transparency_entries", [{}], "has a log entry that cannot be read."),
        (f"{ENTRY}.logIndex", "x", "has a log entry that cannot be read."),
        (f"{ENTRY}.more", "x", "has a log entry that cannot be read."),
        (f"{ENTRY}.inclusionProof", None, "has a log entry that cannot be read."),
        (f"{ENTRY}.inclusionProof.checkpoint", None, "has a log entry that cannot be read."),
        (f"{ENTRY}.inclusionPromise", None, "has no time that a log has signed."),
        (f"{ENTRY}.integratedTime", None, "has no time that a log has signed."),
        (f"{ENTRY}.integratedTime", "0", "has no time that a log has signed."),
        (f"{ENTRY}.kindVersion.kind", "alpine", "has no time that a log has signed."),
        (f"{ENTRY}.kindVersion.version", "0.0.3", "has a log entry of an unknown kind."),
        (f"{ENTRY}.kindVersion.kind", "hashedrekord", "has a log entry of an unknown kind."),
        (f"{ENTRY}.logIndex", "1", UNLOGGED),  # the promise is of another
        (f"{ENTRY}.inclusionPromise.signedEntryTimestamp", text(b"x"), UNLOGGED),
        (f"{ENTRY}.inclusionProof.logIndex", "0", UNLOGGED),
        (f"{ENTRY}.inclusionProof.treeSize", "99999", UNLOGGED),
        (f"{ENTRY}.inclusionProof.rootHash", ZERO, UNLOGGED),
        (f"{ENTRY}.inclusionProof.hashes", [], UNLOGGED),
        (f"{ENTRY}.inclusionProof.hashes", [ZERO] * 3, UNLOGGED),
        (f"{ENTRY}.inclusionProof.checkpoint.envelope", "log\n1\nAAAA\n", UNLOGGED),
        (f"{ENTRY}.inclusionProof.checkpoint.envelope", "a\n1\nAA\n\n— a A\n", "is malformed."),
        (f"{ENTRY}.integratedTime", "253402300800", "is malformed."),  # the year 10000
        (f"{ENTRY}.canonicalizedBody", text(b"{}"), UNLOGGED),
        (f"{ENTRY}.logId.keyId", ZERO, UNLOGGED),
    ],
)
def test_a_changed_attestation_is_refused(
    refusal_of: RefusalOf, good: dict[str, Any], path: str, value: Any, words: str
) -> None:
    sentence = refusal_of(changed(good, path, value))
    assert sentence == f"The attestation of 'frog-1.0.tar.gz' {words}"


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        (b"not json", "has a statement that cannot be read."),
        ({**STATED, "_type": "https://in-toto.io/Statement/v0.1"}, "has a statement that cannot"),
        (statement(FILENAME, "0" * 64), "is one of a file with another SHA-256."),
        (statement("frog-1.1.tar.gz", SHA256), "is one of another file: 'frog-1.1.tar.gz'."),
        (statement("", SHA256), "is one of another file: ''."),
        ({**STATED, "subject": STATED["subject"] * 2}, "speaks of 2 files; one is allowed."),
        ({**STATED, "subject": []}, "has a statement that cannot be read."),
        (
            {**STATED, "subject": [{"name": FILENAME, "digest": {"sha512": "0" * 128}}]},
            "is one of a file with another SHA-256.",
        ),
        (
            statement(FILENAME, SHA256, "https://acme.example/kind"),
            "is of an unknown kind: 'https://acme.example/kind'.",
        ),
    ],
)
def test_what_states_something_else_is_refused(
    refusal_of: RefusalOf, stated: Any, words: str
) -> None:
    assert refusal_of(attested(stated)).startswith(f"The attestation of 'frog-1.0.tar.gz' {words}")


def test_two_of_a_kind_are_refused(refusal_of: RefusalOf) -> None:
    assert refusal_of(attested(), attested()) == (
        f"Attestation 2 of 'frog-1.0.tar.gz' is the second one of the kind '{PUBLISH}'."
    )


def test_one_that_is_not_true_refuses_all(refusal_of: RefusalOf, good: dict[str, Any]) -> None:
    broken = changed(good, "envelope.signature", text(b"x"))
    assert refusal_of(attested(statement(FILENAME, SHA256, SLSA)), broken) == (
        "Attestation 2 of 'frog-1.0.tar.gz' was not signed by the key of its certificate."
    )


def test_another_sigstore_is_not_trusted(refusal_of: RefusalOf) -> None:
    other = Sigstore()
    assert refusal_of(other.attestation(STATED)).endswith(UNISSUED)
    ours = the_sigstore()
    for mixed, words in (
        (Sigstore(authority=other.authority), UNISSUED),
        (Sigstore(ours.authority, other.certificates, ours.signatures), "log of certificates."),
        (Sigstore(ours.authority, ours.certificates, other.signatures), UNLOGGED),
    ):
        assert refusal_of(mixed.attestation(STATED)).endswith(words)


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ({"noted_by": None}, "has a certificate that is in no trusted log of certificates."),
        ({"signs": False}, "has a certificate that is not for signing."),
        ({"for_code": False}, "has a certificate that is not for signing code."),
    ],
)
def test_a_certificate_for_something_else_is_refused(
    refusal_of: RefusalOf, certificate: dict[str, Any], words: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    sentence = refusal_of(attested(key=key, certificate=certified(key, **certificate)))
    assert sentence == f"The attestation of 'frog-1.0.tar.gz' {words}"


def test_a_key_of_another_sort_is_refused(refusal_of: RefusalOf) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert refusal_of(attested(key=key)).endswith("whose key is on no elliptic curve.")


def test_a_certificate_of_another_key_is_refused(refusal_of: RefusalOf) -> None:
    one, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    sentence = refusal_of(attested(key=one, certificate=certified(other)))
    assert sentence.endswith("was not signed by the key of its certificate.")


def test_a_signature_of_another_type_of_payload_is_refused(refusal_of: RefusalOf) -> None:
    sentence = refusal_of(attested(payload_type="text/plain"))
    assert sentence.endswith("was not signed by the key of its certificate.")


@pytest.mark.parametrize("seconds", [-1, 601])
def test_the_time_that_counts_is_that_of_the_log(refusal_of: RefusalOf, seconds: int) -> None:
    late = attested(logged_at=AT + timedelta(seconds=seconds))
    assert refusal_of(late) == f"The attestation of 'frog-1.0.tar.gz' {UNISSUED}"


@pytest.mark.parametrize("seconds", [0, 599])
def test_it_may_be_verified_years_after(verify: Verify, seconds: int) -> None:
    at = datetime(2021, 1, 1, tzinfo=UTC)
    logged = at + timedelta(seconds=seconds)
    assert verify(attested(at=at, logged_at=logged)).attested[0].logged_at == logged


def test_a_certificate_from_before_its_authority_is_refused(refusal_of: RefusalOf) -> None:
    assert refusal_of(attested(at=datetime(2019, 1, 1, tzinfo=UTC))).endswith(UNISSUED)


Mend = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("mend", "words"),
    [
        (
            lambda spec: spec["payloadHash"].update(value="0" * 64),
            "has the log entry of another statement.",
        ),
        (
            lambda spec: spec["signatures"][0].update(signature=text(b"other")),
            "has the log entry of another signature.",
        ),
        (
            lambda spec: spec["signatures"][0].update(verifier=text(b"other")),
            "has the log entry of another signature.",
        ),
        (
            lambda spec: spec["signatures"].append(spec["signatures"][0]),
            "has the log entry of another signature.",
        ),
    ],
)
def test_the_entry_of_another_signature_is_refused(
    refusal_of: RefusalOf, good: dict[str, Any], mend: Mend, words: str
) -> None:
    body = json.loads(
        base64.b64decode(good[MATERIAL]["transparency_entries"][0]["canonicalizedBody"])
    )
    mend(body["spec"])
    entry = the_sigstore().signatures.entry(canonical(body), AT)  # true of something else
    assert refusal_of(changed(good, ENTRY, entry)).endswith(words)


def test_an_entry_of_a_log_that_nobody_trusts_is_refused(
    refusal_of: RefusalOf, good: dict[str, Any]
) -> None:
    body = base64.b64decode(good[MATERIAL]["transparency_entries"][0]["canonicalizedBody"])
    assert refusal_of(changed(good, ENTRY, Log().entry(body, AT))).endswith(UNLOGGED)


def test_a_library_that_goes_out_is_no_fault_of_the_attestation(
    checks: Checks, good: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def goes_out(_sent: object) -> None:
        raise WentOut("The process that verifies attestations does no socket.connect.")

    monkeypatch.setattr(sigstore_checks, "_bundle_of", goes_out)
    raw = json.dumps([good]).encode()
    with pytest.raises(WentOut):
        checks.verify(raw, filename=FILENAME, sha256=SHA256, expected=[expected()])
