"""What is kept, and told, of where a file comes from: who built it, and by which CI it came.

Two vouch for it. An attestation is verified here (PEP 740, docs/decisions/0015) and can be verified
by anybody who has the file; what the issuer of CI said was checked at the upload, by us alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db.models import F, QuerySet

from accounts.identities import called, service
from accounts.models import Issuer, PublishingToken
from accounts.principal import Principal
from base.ci_homes import own_host
from packages.attestations import Attested, Verified
from packages.filenames import NormalizedName
from packages.models import Distribution, Provenance
from repos.models import TrustedPublisher

Place = tuple[int, str]  # the id of a repository, and a file's name
# As the ends of their types tell them apart (PEP 740, SLSA).
_PREDICATES = {"/attestations/publish/v1": "publish", "/provenance/v1": "SLSA provenance"}


@dataclass(frozen=True, slots=True)
class Build:
    """A run of CI, as it is vouched for; empty is what nobody says of it."""

    kind: str  # accounts.models.Issuer.Kind
    source: str
    issuer: str = ""  # who vouches for it, as tokens and certificates name it
    source_url: str = ""
    workflow: str = ""  # the path in the source
    environment: str = ""
    ref: str = ""
    commit: str = ""
    run: str = ""

    @property
    def name(self) -> str:
        """Return how people and the audit call it."""
        return called(self.kind, self._where, self.source, self.workflow_name)

    @property
    def label(self) -> str:
        """Return what its kind is called."""
        return Issuer.Kind(self.kind).label

    @property
    def service(self) -> str:
        """Return what people call who runs it."""
        return service(self.kind, self._where)

    @property
    def host(self) -> str:
        """Return the host where it runs; empty where that is the public one of its kind."""
        return own_host(self.kind, self._where)

    @property
    def workflow_name(self) -> str:
        """Return the file's name alone."""
        return self.workflow.rpartition("/")[2]

    @property
    def commit_url(self) -> str:
        """Return where people look at the commit; empty where that is not known."""
        return self._at(f"commit/{self.commit}")

    @property
    def workflow_url(self) -> str:
        """Return where people read the workflow as it was in that commit; likewise."""
        return self._at(f"blob/{self.commit}/{self.workflow}") if self.workflow else ""

    @property
    def _where(self) -> str:
        """Return what tells the host: of older rows, which name no issuer, the source."""
        return self.issuer or self.source_url

    def _at(self, path: str) -> str:
        if not self.source_url or not self.commit:
            return ""
        between = "/-/" if self.kind == Issuer.Kind.GITLAB else "/"
        return f"{self.source_url}{between}{path}"


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attestation that was verified: what it is called, and the run that made it."""

    predicate: str
    predicate_type: str
    build: Build
    logged_at: datetime  # in the transparency log


def write_provenance(row: Distribution, verified: Verified | None, by: Principal) -> dict[str, str]:
    """Keep what vouches for a file that `by` has just uploaded, and return which run sent it.

    That is for the audit: what is kept here goes when the file is overwritten.
    """
    said = _said_of(by)
    if verified is None and not said:
        return {}
    Provenance.objects.create(
        distribution=row,
        said=said,
        attested=_kept(verified) if verified else [],
        document=verified.provenance if verified else b"",
        uploaded_to=row.repository,
        uploaded_at=row.uploaded_at,
    )
    return {name: said[name] for name in ("commit", "run") if said.get(name)}


def copy_provenance(source: Distribution, copy: Distribution) -> None:
    """Let a copy of a file have what vouches for its bytes: that does not depend on the place."""
    # The source may have been overwritten since the copy's bytes were read.
    same_bytes = Provenance.objects.filter(distribution__sha256=copy.sha256)
    found = same_bytes.filter(distribution=source).first()
    if found is None:
        return
    Provenance.objects.create(
        distribution=copy,
        said=found.said,
        attested=found.attested,
        document=found.document,
        uploaded_to_id=found.uploaded_to_id,
        uploaded_at=found.uploaded_at,
    )
    copy.is_attested, copy.has_provenance = bool(found.attested), bool(found.document)
    copy.save(update_fields=["is_attested", "has_provenance"])


def provenances() -> QuerySet[Provenance]:
    """Return what is told of files: all but the documents, which can be long."""
    return Provenance.objects.defer("document").select_related("uploaded_to__tenant")


def provenance_of(file: Distribution, by: Principal) -> Provenance | None:
    """Return what vouches for a file, as far as `by` is told of it; None where nobody does."""
    found = provenances().filter(distribution=file).first()
    if found is None or not (found.attested or published_by(found, by)):
        return None
    return found


def published_by(row: Provenance, by: Principal) -> Build | None:
    """Return the run of CI that published a file, as its issuer said; None: it was no CI's.

    What is attested is public; the names of people and jobs are not.
    """
    return Build(**row.said) if row.said and by.hears_names else None


def uploader(file: Distribution, by: Principal) -> str:
    """Return who uploaded a file, as far as `by` is told; empty: nobody did, or they are not."""
    return file.uploaded_by if by.hears_names else ""


def attesters(project: NormalizedName, files: Collection[Place]) -> dict[Place, str]:
    """Return whose CI attests each of some files of a project, as people call it."""
    if not files:
        return {}
    rows = provenances().filter(
        distribution__release__project__normalized=project,
        distribution__repository__in={repository for repository, _ in files},
        distribution__is_attested=True,
    )
    places = F("distribution__repository"), F("distribution__filename")
    return {
        (row.repository, row.filename): " and ".join(
            dict.fromkeys(each.build.name for each in attestations(row))
        )
        for row in rows.annotate(repository=places[0], filename=places[1])
    }


def attestations(row: Provenance) -> list[Attestation]:
    """Return the attestations of a file, all of them verified."""
    return [_told(each) for each in row.attested]


def _said_of(by: Principal) -> dict[str, str]:
    limits = by.token
    if limits is None or limits.publishing_id is None:
        return {}
    said = PublishingToken.objects.get(pk=limits.publishing_id).said
    return {each.name: said[each.name] for each in fields(Build) if each.name in said}


def _kept(verified: Verified) -> list[dict[str, object]]:
    """Return what is kept of attestations; who may be asked for their publisher is asked now."""
    publishers = TrustedPublisher.objects.filter(pk__in=[each.key for each in verified.attested])
    kinds = dict(publishers.values_list("pk", "issuer__kind"))
    return [
        {
            "predicate_type": each.predicate_type,
            "logged_at": each.logged_at.isoformat(),
            "build": asdict(_build(each, kinds[each.key])),
        }
        for each in verified.attested
    ]


def _build(each: Attested, kind: str) -> Build:
    url = urlsplit(each.source)
    is_repository = url.scheme == "https"  # else an account's e-mail address
    return Build(
        kind=kind,
        issuer=each.issuer,
        source=url.path.strip("/") if is_repository else each.source,
        source_url=each.source if is_repository else "",
        workflow=each.workflow,
        ref=each.ref,
        commit=each.commit,
        run=each.run if each.run.startswith("https://") else "",  # it becomes a link
    )


def _told(kept: Mapping[str, Any]) -> Attestation:
    kind = kept["predicate_type"]
    words = (word for end, word in _PREDICATES.items() if kind.endswith(end))
    at = datetime.fromisoformat(kept["logged_at"])
    return Attestation(next(words, kind), kind, Build(**kept["build"]), at)
