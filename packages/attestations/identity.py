"""Who signed, as a certificate of Sigstore says it, and which expected publisher that is.

Nothing here knows whether the certificate is good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from base.ci_homes import BY_STRANGERS, home_of_github, home_of_gitlab, may_be_same
from packages.attestations.values import Expected
from packages.filenames import shown

# The certificate's extensions that are read, all below this identifier. Fulcio's list of them
# gives to each the claim that it is made of.
ARC = "1.3.6.1.4.1.57264.1."
_ISSUER = 8
_SOURCE = 12
_COMMIT = 13
_REF = 14
_SOURCE_ID = 15
_OWNER_ID = 17
_BUILD_CONFIG = 18
_TRIGGER = 20
_RUN = 21
_ENVIRONMENT = 23
READ = (
    _ISSUER, _SOURCE, _COMMIT, _REF, _SOURCE_ID, _OWNER_ID, _BUILD_CONFIG, _TRIGGER, _RUN,
    _ENVIRONMENT,
)  # fmt: skip

# A URL that ends with what tells most: the workflow and its ref.
_NAME_AT_MOST = 300
_ID_AT_MOST = 100


class NotExpected(Exception):
    """Nobody who is expected signed; the words continue "The attestation of ..."."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed; empty for what the certificate does not say."""

    issuer: str
    email: str
    source: str
    commit: str
    ref: str
    owner_id: str
    source_id: str
    build_config: str
    trigger: str
    run: str
    environment: str

    @property
    def name(self) -> str:
        """Return how a sentence calls it."""
        return shown(self.build_config or self.source or self.email or "nobody", _NAME_AT_MOST)


def signer_of(said: Mapping[int, str], email: str) -> Signer:
    """Return who signed by what the extensions say, by their last numbers."""
    return Signer(
        issuer=said.get(_ISSUER, ""),
        email=email,
        source=said.get(_SOURCE, ""),
        commit=said.get(_COMMIT, ""),
        ref=said.get(_REF, ""),
        owner_id=said.get(_OWNER_ID, ""),
        source_id=said.get(_SOURCE_ID, ""),
        build_config=said.get(_BUILD_CONFIG, ""),
        trigger=said.get(_TRIGGER, ""),
        run=said.get(_RUN, ""),
        environment=said.get(_ENVIRONMENT, ""),
    )


def publisher_of(signer: Signer, expected: Sequence[Expected]) -> Expected:
    """Return the first expected publisher that signed. Raises NotExpected."""
    fitting = [each for each in expected if _fits(signer, each)]
    if not fitting:
        raise NotExpected(f"was signed by {signer.name}, which may not publish this project.")
    by_owner = [each for each in fitting if may_be_same(each.owner_id, signer.owner_id)]
    for each in by_owner:
        if may_be_same(each.source_id, signer.source_id):
            return each
    why = (
        "is another than the one of this name that was trusted."
        if by_owner
        else "has another owner than the one that was trusted."
    )
    raise NotExpected(f"was signed by {signer.name}, which {why}")


def repository_of(signer: Signer, publisher: Expected) -> str:
    """Return the source repository without its host, written as the certificate has it."""
    return signer.source.removeprefix(f"{_home_of(publisher)}/")


def path_of_workflow(signer: Signer, kind: str) -> str:
    """Return the file that CI ran, as a path in its repository; empty where it is another's.

    The certificate has it as a URL that ends with @ and the ref or the commit; the file's own name
    may have an @ as well.
    """
    start = f"{signer.source}//" if kind == "gitlab" else f"{signer.source}/"
    for version in filter(None, (signer.commit, signer.ref)):
        if signer.build_config.startswith(start) and signer.build_config.endswith(f"@{version}"):
            return signer.build_config.removeprefix(start).removesuffix(f"@{version}")
    return ""


def _fits(signer: Signer, publisher: Expected) -> bool:
    """Say whether a publisher signed, whoever owns it."""
    if signer.issuer != publisher.issuer:
        return False
    if publisher.kind == "google":
        return bool(signer.email) and signer.email.lower() == publisher.source
    folder = ".github/workflows/" if publisher.kind == "github" else ""
    return (
        signer.source.lower() == f"{_home_of(publisher)}/{publisher.source}".lower()
        and path_of_workflow(signer, publisher.kind) == f"{folder}{publisher.workflow}"
        and (not publisher.ref or fnmatchcase(signer.ref, publisher.ref))
        and _environment_fits(signer, publisher)
        # Who trusts a job by these names the event, and of that no attestation is believed.
        and signer.trigger not in BY_STRANGERS
        # Who comes first is kept by these: that cannot be nobody.
        and _is_id(signer.owner_id)
        and _is_id(signer.source_id)
    )


def _is_id(said: str) -> bool:
    return 0 < len(said) <= _ID_AT_MOST


def _environment_fits(signer: Signer, publisher: Expected) -> bool:
    """Say whether the environment is the right one, as far as the certificate says.

    Most certificates name none, whether the job has one or not: then the token by which the file
    comes has been asked for it, and nobody else can be.
    """
    if not (signer.environment and publisher.environment):
        return True
    if publisher.kind == "github":  # there they are the same in any case
        return signer.environment.lower() == publisher.environment.lower()
    return signer.environment == publisher.environment


def _home_of(publisher: Expected) -> str:
    """Return where the repositories of an issuer's CI are, without a slash at the end."""
    home = home_of_gitlab if publisher.kind == "gitlab" else home_of_github
    return home(publisher.issuer)
