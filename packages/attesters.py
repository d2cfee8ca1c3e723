"""Whose attestations of a project are believed: its publishers, which a certificate can name.

PEP 740 knows GitHub, GitLab and Google; who is no one of these attests nothing here.
"""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.principal import Principal
from packages.attestations import AttestationRefused, Expected, Verified
from packages.filenames import NormalizedName
from repos.models import Repository, TrustedPublisher
from repos.publishers import Whose, keep

_KINDS = ("github", "gitlab", "google")


def expected(repository: Repository, project: NormalizedName, by: Principal) -> list[Expected]:
    """Return who may attest a file of a project that `by` uploads; empty: nobody is expected."""
    return [
        Expected(
            key=each.pk,
            kind=each.issuer.kind,  # type: ignore[arg-type]  # one of _KINDS
            issuer=each.issuer.url,
            source=each.source,
            workflow=each.workflow,
            owner_id=each.owner_id,
            source_id=each.source_id,
            ref=each.ref,
            environment=each.environment,
        )
        for each in _publishers(repository, project, by).select_related("issuer")
    ]


def confirm(
    verified: Verified, *, repository: Repository, project: NormalizedName, by: Principal
) -> None:
    """Ask again, in the transaction that publishes: a publisher may be gone since the start.

    Who publishes first is who is trusted, as with tokens; what was signed before the publisher was
    added says nothing of who has the name now, and what was signed before somebody was trusted anew
    nothing at all. Raises AttestationRefused.
    """
    present = _publishers(repository, project, by)
    for each in sorted(verified.attested, key=lambda each: each.key):  # two lock in one order
        whose, found = Whose(each.owner_id, each.source_id), present.filter(pk=each.key)
        found = found.exclude(trusted_anew_at__gt=each.logged_at)
        is_of_now = found.filter(created_at__lte=each.logged_at).exists()
        if not (keep(found, whose) if is_of_now else any(map(whose.may_be, found))):
            raise AttestationRefused(
                f"{each.source} is no longer trusted to publish {project} to {repository} by what "
                "was signed then: its publisher was trusted anew since, or was removed, or has "
                "become another's, while the file was uploaded."
            )


def _publishers(
    repository: Repository, project: NormalizedName, by: Principal
) -> QuerySet[TrustedPublisher]:
    """Return the publishers; of those of a token of CI's, only these.

    Of further claims no certificate tells: who is only trusted with some attests nothing.
    """
    found = TrustedPublisher.objects.filter(
        repository=repository,
        normalized=project,
        issuer__kind__in=_KINDS,
        issuer__is_active=True,
        claims={},
    )
    if by.token is not None and by.token.publishing_id is not None:
        found = found.filter(tokens=by.token.publishing_id)
    return found
