"""Takes stock of an installation from inside it, two days on, and prints what does not add up.

It runs in a process with the installation's environment, after django.setup(). The clock is moved
on, so that the sweeper takes what interrupted uploads have left; then every row must have its
bytes, every object its row, and each tenant's counts must be those of its files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import storages

from accounts.models import Tenant
from base import clock
from packages.models import Blob, Distribution, LooseObject
from packages.sweep import Swept, sweep

_CHUNK = 1024 * 1024
_LATER = timedelta(days=2)


def main() -> None:
    """Print what is wrong as a JSON list of sentences."""
    now = clock.now()
    for path in _spool():  # the sweeper asks the file system when it was written
        then = path.stat().st_mtime - _LATER.total_seconds()
        os.utime(path, (then, then))
    with clock.use(lambda: now + _LATER):
        while sweep() != Swept(purged=0, blobs=0, objects=0, spool_files=0):
            pass
    print(json.dumps([*_left_over(), *_in_storage(), *_counts()]))  # noqa: T201 - it is the answer


def _spool() -> list[Path]:
    return list(Path(settings.SPOOL_FOLDER).glob("*"))


def _left_over() -> Iterator[str]:
    for path in _spool():
        yield f"the spool file {path.name} was not swept"
    for note in LooseObject.objects.all():
        yield f"the object {note} is still loose"
    for blob in Blob.objects.filter(distributions__isnull=True):
        yield f"{blob} is named by nothing and was not swept"


def _in_storage() -> Iterator[str]:
    keys = set()
    for blob in Blob.objects.all():
        keys.add(blob.storage_key)
        if not storages["blobs"].exists(blob.storage_key):
            yield f"{blob} has no object"
        elif _sha256_at(blob.storage_key) != blob.sha256:
            yield f"{blob} has other bytes"
    folder = settings.CONFIG.storage.folder
    if folder is not None:  # a bucket's objects are not listed
        found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        for key in found - keys:
            yield f"the object {key} is named by no row"


def _sha256_at(key: str) -> str:
    digest = hashlib.sha256()
    with storages["blobs"].open(key) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _counts() -> Iterator[str]:
    for tenant in Tenant.objects.all():
        files = Distribution.objects.filter(repository__tenant=tenant, blob__isnull=False)
        sizes = list(files.values_list("size", flat=True))
        if (tenant.used_bytes, tenant.used_files) != (sum(sizes), len(sizes)):
            yield f"{tenant} counts {tenant.used_bytes} bytes in {tenant.used_files} files"
