"""Fetches the newest trust root of a Sigstore, and puts it in the place of an older one."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.ngclient import Updater

from packages.attestations.sigstore_checks import (
    TrustRootRefused,
    first_root,
    require_trust_root,
)

_NAME = "trusted_root.json"
# By everybody: who fetches it may be another than who serves, and it is no secret.
_READABLE = 0o444


def newest_trust_root(url: str, first: bytes | None, *, known: Path) -> bytes:
    """Return the trust root that the TUF repository at `url` has now.

    `first` is what that is trusted by at first; None: what sigstore knows. In the folder `known`
    is kept what it has said: with something older it is not trusted again. Raises TrustRootRefused.
    """
    first = first or first_root(url)
    said = known / quote(url, safe="")  # another repository has nothing to say of this one
    for each in (known, said):
        each.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            updater = Updater(
                metadata_dir=str(said),
                metadata_base_url=url,
                target_dir=folder,
                target_base_url=f"{url}/targets",
                bootstrap=first,
            )
            target = updater.get_targetinfo(_NAME)
            if target is None:
                raise TrustRootRefused(f"{url} has no {_NAME}.")
            raw = Path(updater.download_target(target, str(Path(folder, "fetched")))).read_bytes()
        except DownloadError as error:
            why = error.__cause__ or error
            raise TrustRootRefused(f"{url} cannot be reached: {why}.") from error
        except RepositoryError as error:
            raise TrustRootRefused(f"What {url} has is not to be trusted: {error}.") from error
    require_trust_root(raw)
    return raw


def put_trust_root(raw: bytes, path: Path) -> bool:
    """Write a trust root, whole or not at all; False: it was there already.

    Who might read or write the older one may do so with this, and everybody may read it. One that
    has no authority in common with the new one is another Sigstore's, and stays.
    """
    mode = _READABLE | stat.S_IWUSR
    with suppress(FileNotFoundError):
        mode |= stat.S_IMODE(path.stat().st_mode)
        before = path.read_bytes()
        if before == raw:
            return False
        if not _authorities_in(before) & _authorities_in(raw):
            raise TrustRootRefused(f"{path} is of another Sigstore. Move it away to replace it.")
    fresh = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with fresh.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return True


def _authorities_in(raw: bytes) -> set[str]:
    """Return the certificates of a trust root's authorities; none where it is no trust root."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        return {
            certificate["rawBytes"]
            for authority in json.loads(raw)["certificateAuthorities"]
            for certificate in authority["certChain"]["certificates"]
        }
    return set()
