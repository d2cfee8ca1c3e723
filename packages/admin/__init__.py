"""Contents of repositories, what remotes keep, and who vouches for CI, in the Django admin."""

from packages.admin import contents, issuers, remotes

__all__ = ["contents", "issuers", "remotes"]
