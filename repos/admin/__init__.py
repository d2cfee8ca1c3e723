"""Repositories, grants and tokens in the Django admin."""

from repos.admin import grants, repositories, tokens

__all__ = ["grants", "repositories", "tokens"]
