"""Contents of repositories, and what remotes keep, in the Django admin."""

from packages.admin import contents, remotes

__all__ = ["contents", "remotes"]
