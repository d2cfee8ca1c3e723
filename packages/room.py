"""Room for one more file: what stands where it would go, and what its tenant's quota leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from accounts.models import Tenant
from base.quick_rows import get, update
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


def judge_room(spot: Spot, size: int) -> None:
    """Refuse a file of `size` bytes that the tenant's quota has no room for.

    By whether there is a quota, as the repository was read; `take_room` asks once more.
    """
    if _has_quota(spot.repository.tenant):
        _judge(_tenant_of(spot), spot, size)


def take_room(spot: Spot, size: int) -> None:
    """Count the file against its tenant, under the tenant's lock."""
    tenant = _tenant_of(spot, lock=True)
    _judge(tenant, spot, size)
    tenant.used_bytes += size - spot.freed
    tenant.used_files += 0 if spot.distribution else 1
    update(tenant, "used_bytes", "used_files")


def _tenant_of(spot: Spot, *, lock: bool = False) -> Tenant:
    return get(Tenant, lock=lock, id=spot.repository.tenant_id)


def _room_for(spot: Spot) -> int | None:
    """Return how large a file the tenant has room for there; None when it has no quota."""
    if spot.repository.tenant.quota_bytes is None:
        return None
    return _bytes_left(_tenant_of(spot), spot)


def _has_quota(tenant: Tenant) -> bool:
    return tenant.quota_bytes is not None or tenant.quota_files is not None


def _bytes_left(tenant: Tenant, spot: Spot) -> int | None:
    if tenant.quota_bytes is None:
        return None
    return max(0, tenant.quota_bytes - tenant.used_bytes) + spot.freed


def _is_full(tenant: Tenant, spot: Spot) -> bool:
    """Say whether it holds as many files as it may, and this would be one more."""
    most = tenant.quota_files
    return spot.distribution is None and most is not None and tenant.used_files >= most


def _judge(tenant: Tenant, spot: Spot, size: int) -> None:
    # What takes no more than before always fits.
    left = _bytes_left(tenant, spot) if size > spot.freed else None
    if _is_full(tenant, spot) or (left is not None and size > left):
        raise _no_room(tenant, spot)


def _no_room(tenant: Tenant, spot: Spot) -> QuotaExceeded:
    """Return the refusal of a file that its tenant has no room for: of its bytes, or of a file."""
    if _is_full(tenant, spot):
        why = f"it holds {tenant.used_files} files, and {tenant.quota_files} is the most"
    else:
        why = f"{_bytes_left(tenant, spot) or 0} bytes are left of its quota"
    return QuotaExceeded(
        f"{tenant} has no room for {spot.filename}: {why}. "
        "Ask whoever runs this installation for a larger quota."
    )


def limited(repository: Repository, spot: Spot | None, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `chunks` until they are more than the repository takes or the tenant has room for.

    None for `spot`: it is not known yet, or there is a file to compare with first.
    """
    size, room = 0, None if spot is None else _room_for(spot)
    for chunk in chunks:
        size += len(chunk)
        if size > repository.max_file_bytes:
            raise too_large(repository)
        if spot is not None and room is not None and size > room:
            raise _no_room(_tenant_of(spot), spot)
        yield chunk


def too_large(repository: Repository) -> FileTooLarge:
    """Return the refusal of a file that is larger than its repository takes."""
    return FileTooLarge(
        f"The file is too large: {repository} takes at most {repository.max_file_bytes} bytes."
    )
