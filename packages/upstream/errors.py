"""How asking an upstream fails. None of these ever means "it has no such project"."""

from __future__ import annotations

from base.errors import LarderError


class UpstreamFailed(LarderError):
    """Upstream did not answer, or not with what was asked for. The sentence says which."""


class UpstreamAway(UpstreamFailed):
    """Upstream cannot be connected to, or is silent: not this page or file, but all of it."""


class UpstreamRefused(UpstreamFailed):
    """Upstream answered, and does not give this to us: 401, 403 and other 4xx."""


class CircleClosed(UpstreamRefused):
    """Upstream says that this request has been there before (508): it says nothing of others."""


class AskedTooOften(UpstreamFailed):
    """Upstream answered that it is asked too often (429): the next question may fail as well."""


class NotAsked(UpstreamFailed):
    """Upstream was not asked at all, so this says nothing of how it is."""


class CredentialsLost(NotAsked):
    """The password for upstream cannot be opened: the secret key has changed."""


class AddressRefused(NotAsked):
    """Upstream is, or leads to, an address that Larder does not talk to."""


class PrivateRefused(AddressRefused):
    """Upstream has a private address, and may have none."""

    def __init__(self, found: str) -> None:
        """`found` says which host has which address."""
        super().__init__(
            f"{found}. Only the hosts of the index URL and of the URL of files may have one, "
            "and only where a superuser has ticked that it may (REST: private_allowed)."
        )
        self.found = found


class NotConfigured(AddressRefused):
    """Upstream leads to where only a setting of the remote would let Larder go."""

    url = ""  # the root of that place, once it is known


class UpstreamUnreadable(UpstreamFailed):
    """Upstream answered with what is no page of an index."""


class UpstreamBusy(UpstreamFailed):
    """Too many callers wait for upstreams already; the rest are told so at once."""


class WrongBytes(UpstreamFailed):
    """Upstream sent a file that is not the one it listed."""


class TooLarge(UpstreamFailed):
    """Upstream has a file that is larger than the remote takes."""
