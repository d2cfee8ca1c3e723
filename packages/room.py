"""Room for one more file: what stands where it would go, and what its tenant's quota leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from accounts.models import Tenant
from packages.models import Distribution
from packages.uploads import FileTooLarge, QuotaExceeded
from repos.models import Repository


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a file would go, and what is there now: a tombstone counts."""

    repository: Repository
    filename: str
    distribution: Distribution | None

    @property
    def replaced(self) -> dict[str, object]:
        """Return what the audit keeps of the file that would be overwritten, if any."""
        there = self.distribution
        if there is None:
            return {}
        names = ("sha256", "size", "yanked", "yanked_reason")
        return {name: getattr(there, name) for name in names}

    @property
    def freed(self) -> int:
        """Return how many bytes overwriting would give back to the tenant."""
        return self.distribution.size if self.distribution is not None else 0


def bytes_left(spot: Spot) -> int | None:
    """Return how large a file the tenant has room for there; None when it has no quota."""
    tenant = Tenant.objects.get(pk=spot.repository.tenant_id)
    if tenant.quota_bytes is None:
        return None
    return max(0, tenant.quota_bytes - tenant.used_bytes) + spot.freed


def judge_room(spot: Spot, size: int) -> None:
    """Refuse a file of `size` bytes that the tenant's quota has no room for."""
    if not _fitting(spot, size).exists():
        raise no_room(spot)


def take_room(spot: Spot, size: int) -> None:
    """Count the file against its tenant, in the same statement that checks the quota."""
    taken = _fitting(spot, size).update(
        used_bytes=F("used_bytes") + size - spot.freed,
        used_files=F("used_files") + (0 if spot.distribution else 1),
    )
    if not taken:
        raise no_room(spot)


def _fitting(spot: Spot, size: int) -> QuerySet[Tenant]:
    """Return the tenant if the file fits there; what takes no more than before always does."""
    fits = Q(pk=spot.repository.tenant_id)
    if size > spot.freed:
        fits &= Q(quota_bytes__isnull=True) | Q(
            quota_bytes__gte=F("used_bytes") + size - spot.freed
        )
    if spot.distribution is None:
        fits &= Q(quota_files__isnull=True) | Q(quota_files__gt=F("used_files"))
    return Tenant.objects.filter(fits)


def no_room(spot: Spot) -> QuotaExceeded:
    """Return the refusal of a file that its tenant has no room for: of its bytes, or of a file."""
    tenant = Tenant.objects.get(pk=spot.repository.tenant_id)
    if (
        spot.distribution is None
        and tenant.quota_files is not None
        and tenant.used_files >= tenant.quota_files
    ):
        why = f"it holds {tenant.used_files} files, and {tenant.quota_files} is the most"
    else:
        left = max(0, (tenant.quota_bytes or 0) - tenant.used_bytes) + spot.freed
        why = f"{left} bytes are left of its quota"
    return QuotaExceeded(
        f"{tenant} has no room for {spot.filename}: {why}. "
        "Ask whoever runs this installation for a larger quota."
    )


def limited(repository: Repository, spot: Spot | None, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `chunks` until they are more than the repository takes or the tenant has room for.

    None for `spot`: it is not known yet, or there is a file to compare with first.
    """
    size, room = 0, None if spot is None else bytes_left(spot)
    for chunk in chunks:
        size += len(chunk)
        if size > repository.max_file_bytes:
            raise too_large(repository)
        if spot is not None and room is not None and size > room:
            raise no_room(spot)
        yield chunk


def too_large(repository: Repository) -> FileTooLarge:
    """Return the refusal of a file that is larger than its repository takes."""
    return FileTooLarge(
        f"The file is too large: {repository} takes at most {repository.max_file_bytes} bytes."
    )
