"""Reads what CI is from the claims of its issuer, each kind of which has its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.assertions import AssertionRefused
from accounts.models import Issuer
from base.ci_homes import BY_STRANGERS, home_of_github, home_of_gitlab, own_host

_NAME_AT_MOST = 200
_ID_AT_MOST = 100
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_GITHUB_FOLDER = ".github/workflows/"


@dataclass(frozen=True, slots=True)
class Identity:
    """What CI is, as publishers are written down (`repos.models.TrustedPublisher`)."""

    kind: Issuer.Kind
    source: str
    # What stays the same when a name comes to others: the numbers of the account or group, and of
    # the repository, project or account itself. Empty: the issuer tells none.
    owner_id: str = ""
    source_id: str = ""
    workflow: str = ""
    environment: str = ""
    ref: str = ""
    commit: str = ""
    spelled: str = ""  # the source as its owner writes it, where that tells no difference
    source_url: str = ""  # where people look at the source; empty where that is not known
    run: str = ""  # where they look at the run, likewise
    by_strangers: bool = False  # whoever sends a pull request can have started it
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return how people and the audit call it."""
        parts = (self.source, self.workflow, self.environment)
        return called(self.kind, self.issuer, *parts)

    @property
    def issuer(self) -> str:
        """Return who vouches for it, as its claims say: they were checked to be that issuer's."""
        return _said_perhaps(self.claims, "iss")

    @property
    def facts(self) -> dict[str, str]:
        """Return what is kept beside the files that it publishes: people see who built them."""
        names = ("issuer", "source_url", "environment", "ref", "commit", "run")
        folder = _GITHUB_FOLDER if self.kind == Issuer.Kind.GITHUB and self.workflow else ""
        return {name: getattr(self, name) for name in names} | {
            "kind": str(self.kind),
            "source": self.spelled or self.source,
            "workflow": f"{folder}{self.workflow}",  # its path
        }


def called(kind: str, issuer: str, *parts: str) -> str:
    """Return a name for CI of these parts. It is no user's: none of those has a space."""
    known = ", ".join(part for part in parts if part)
    return f"{service(kind, issuer)}: {known}"[:_NAME_AT_MOST]


def service(kind: str, issuer: str) -> str:
    """Return what people call who runs CI; with the host where it is not the public one."""
    label, host = Issuer.Kind(kind).label, own_host(kind, issuer)
    return f"{label} at {host}" if host else label


def identity_in(kind: str, claims: Mapping[str, Any]) -> Identity:
    """Return what the claims of an issuer of this kind say. Raises AssertionRefused."""
    match Issuer.Kind(kind):
        case Issuer.Kind.GITHUB:
            return _of_github(claims)
        case Issuer.Kind.GITLAB:
            return _of_gitlab(claims)
        case Issuer.Kind.GOOGLE:
            return _of_google(claims)
        case Issuer.Kind.OTHER:
            return Identity(Issuer.Kind.OTHER, _said(claims, "sub"), claims=claims)


def _of_github(claims: Mapping[str, Any]) -> Identity:
    """`workflow_ref` is owner/repository/.github/workflows/release.yml@refs/heads/main."""
    spelled = _said(claims, "repository")
    source = spelled.lower()
    versions = [_said_perhaps(claims, name) for name in ("ref", "sha")]
    started = _said(claims, "workflow_ref")
    # Of a reusable workflow: the file that has the job, where `workflow_ref` is who calls it.
    runs = _said_perhaps(claims, "job_workflow_ref") or started
    is_own = runs.lower().startswith(f"{source}/")
    workflow = _file_of(started, f"{source}/{_GITHUB_FOLDER}", versions) if is_own else ""
    url = f"{home_of_github(_said_perhaps(claims, 'iss'))}/{spelled}"
    run, attempt = (_number(claims, name) for name in ("run_id", "run_attempt"))
    return Identity(
        kind=Issuer.Kind.GITHUB,
        source=source,
        spelled=spelled,
        owner_id=_id(claims, "repository_owner_id"),
        source_id=_id(claims, "repository_id"),
        workflow=workflow,
        environment=_said_perhaps(claims, "environment").lower(),
        ref=_said_perhaps(claims, "ref"),
        commit=_commit(claims),
        source_url=url,
        run=f"{url}/actions/runs/{run}/attempts/{attempt or 1}" if run else "",
        by_strangers=_said_perhaps(claims, "event_name") in BY_STRANGERS,
        claims=claims,
    )


def _of_gitlab(claims: Mapping[str, Any]) -> Identity:
    """`ci_config_ref_uri` is host/group/project//.gitlab-ci.yml@refs/heads/main."""
    spelled = _said(claims, "project_path")
    source = spelled.lower()
    namespace = _said(claims, "namespace_path").lower()
    if not source.startswith(f"{namespace}/"):
        raise AssertionRefused("The token's project_path is not in its namespace_path.")
    versions = [_said_perhaps(claims, name) for name in ("ref_path", "sha")]
    _, _, configuration = _said_perhaps(claims, "ci_config_ref_uri").partition("/")
    url = f"{home_of_gitlab(_said_perhaps(claims, 'iss'))}/{spelled}"
    job = _number(claims, "job_id")
    return Identity(
        kind=Issuer.Kind.GITLAB,
        source=source,
        spelled=spelled,
        owner_id=_id(claims, "namespace_id"),
        source_id=_id(claims, "project_id"),
        workflow=_file_of(configuration, f"{source}//", versions),
        environment=_said_perhaps(claims, "environment"),
        ref=_said_perhaps(claims, "ref_path"),
        commit=_commit(claims),
        source_url=url,
        run=f"{url}/-/jobs/{job}" if job else "",
        claims=claims,
    )


def _file_of(said: str, start: str, versions: Iterable[str]) -> str:
    """Return the file between `start` and @ with a version; empty where it is another's.

    The file's own name may have an @ as well: release.yml@2.yml is not release.yml.
    """
    if said[: len(start)].lower() != start:
        return ""
    for version in filter(None, versions):
        if said.endswith(f"@{version}"):
            return said[len(start) :].removesuffix(f"@{version}")
    return ""


def _of_google(claims: Mapping[str, Any]) -> Identity:
    if claims.get("email_verified") is not True:
        raise AssertionRefused("The token does not say that its e-mail address was verified.")
    email = _said(claims, "email").lower()
    return Identity(Issuer.Kind.GOOGLE, email, source_id=_id(claims, "sub"), claims=claims)


def _commit(claims: Mapping[str, Any]) -> str:
    """Return the commit that the run is of; what is none is not told."""
    said = _said_perhaps(claims, "sha")
    return said if _COMMIT.fullmatch(said) else ""


def _number(claims: Mapping[str, Any], name: str) -> str:
    """Return a number that becomes part of an address; empty for anything else."""
    said = _said_perhaps(claims, name)
    return said if said.isascii() and said.isdecimal() else ""


def _id(claims: Mapping[str, Any], name: str) -> str:
    """Return what is kept of a publisher, so that it fits nobody else from then on."""
    said = _said(claims, name)
    if len(said) > _ID_AT_MOST:
        raise AssertionRefused(f"The token's claim {name} is too long.")
    return said


def _said(claims: Mapping[str, Any], name: str) -> str:
    said = _said_perhaps(claims, name)
    if not said:
        raise AssertionRefused(f"The token lacks the claim {name}.")
    return said


def _said_perhaps(claims: Mapping[str, Any], name: str) -> str:
    """Return a text, or a number as one; empty for nothing. Raises AssertionRefused."""
    value = claims.get(name)
    if value is None:
        return ""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    text = value if isinstance(value, str) else str(value) if is_number else None
    if text is None or not text.isprintable():
        raise AssertionRefused(f"The token's claim {name} is no text.")
    return text
