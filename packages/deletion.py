"""Deletes a file by whichever use case it is: what was published, or what a remote keeps."""

from __future__ import annotations

from accounts.principal import Principal
from packages import cache, curate
from packages.models import Distribution
from repos.models import Kind


def delete_file(distribution: Distribution, *, by: Principal) -> None:
    """Leave a tombstone of what was published, restorable for a while; what is kept just goes."""
    if distribution.repository.kind == Kind.REMOTE:
        cache.drop(distribution, by=by)
    else:
        curate.delete(distribution, by=by)
