"""The publishers that a repository trusts, with whether their projects are there yet."""

from __future__ import annotations

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, QuerySet

from packages.models import Project
from repos.models import Repository, TrustedPublisher


def publishers_of(repository: Repository) -> QuerySet[TrustedPublisher]:
    """Return them by project; `is_pending`: nobody has published the project yet."""
    projects = Project.objects.filter(
        repository=OuterRef("repository"),
        normalized=OuterRef("normalized"),
        let_go_at__isnull=True,
    )
    return (
        TrustedPublisher.objects.filter(repository=repository)
        .select_related("issuer", "repository__tenant")
        .annotate(is_pending=ExpressionWrapper(~Exists(projects), output_field=BooleanField()))
        .order_by("normalized", "pk")
    )
