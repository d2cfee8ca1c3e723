"""What the libraries say is wrong with an attestation, in our words."""

from __future__ import annotations

from packages.filenames import shown

# How sigstore begins to say what is wrong, and how we go on after "The attestation of ...".
_MEANING = (
    ("invalid X.509 certificate", "has a certificate that cannot be read."),
    ("invalid transparency log entry", "has a log entry that cannot be read."),
    ("Expected log entry version", "has a log entry of an unknown kind."),
    ("envelope signature must be non-empty", "is not signed."),
    ("bundle must contain an inclusion promise", "has no time that a log has signed."),
    ("not enough sources of verified time", "has no time that a log has signed."),
    ("Integrated time only supported", "has no time that a log has signed."),
    ("failed to verify SCT", "has a certificate that is in no trusted log of certificates."),
    ("Key usage", "has a certificate that is not for signing."),
    ("Extended usage", "has a certificate that is not for signing code."),
    ("invalid log entry", "has a log entry that no trusted log has signed."),
    ("DSSE: invalid signature", "was not signed by the key of its certificate."),
    ("log entry payload hash", "has the log entry of another statement."),
    ("log entry signatures", "has the log entry of another signature."),
    ("Unsupported DSSE log entry", "has a log entry of an unknown kind."),
)


def in_our_words(error: str) -> str:
    """Return how a sentence that begins with "The attestation of ..." ends."""
    for start, words in _MEANING:
        if error.startswith(start):
            return words
    return f"does not verify: {shown(error)}."
