"""Says what CI is in the words of its host, to who runs it and hears that nobody trusts it."""

from __future__ import annotations

from accounts.identities import Identity
from accounts.models import Issuer

_SHOWN_AT_MOST = 200  # of each: what an issuer says of it can be long


def job_in_words(identity: Identity) -> str:
    """Return all that publishers are compared with, but for further claims.

    Logs of CI are public often, and those claims may name people: they are not repeated.
    """
    match Issuer.Kind(identity.kind):
        case Issuer.Kind.GITHUB:
            return f"this job: repository {_where(identity, 'workflow')}"
        case Issuer.Kind.GITLAB:
            return f"this job: project {_where(identity, 'pipeline file')}"
        case Issuer.Kind.GOOGLE:
            return f"this service account: {_cut(identity.source)}"
        case Issuer.Kind.OTHER:
            return f"this subject (sub): {_cut(identity.source)}"


def _where(identity: Identity, file: str) -> str:
    environment, ref = identity.environment, identity.ref
    told = (
        _cut(identity.source),
        # What it runs may be another's: that is none of those which publishers name.
        f"{file} {_cut(identity.workflow)}" if identity.workflow else f"no {file} of its own",
        f"environment {_cut(environment)}" if environment else "no environment",
        f"ref {_cut(ref)}" if ref else "no ref",
        # Whoever sends a pull request can have started it: it fits who names the event alone.
        *([f"event {_cut(str(identity.claims['event_name']))}"] if identity.by_strangers else []),
    )
    return ", ".join(told)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_AT_MOST else f"{text[:_SHOWN_AT_MOST]}…"
